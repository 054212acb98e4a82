/** Methods that are more than one module at one line: around a stack, in a training step, beside a model's line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt, applied, checkInsertion, source, uri } from "./check";

const header = `import torch
from torch import Tensor, nn
from torch.nn import functional as F`;

/** The text below the definitions that the action brought, or why it is disabled. */
async function after(marked: string, kind: string): Promise<string> {
  const { service, text, actions } = actionsAt(marked);
  const action = actions.find((each) => each.kind === `refactor.rewrite.adapter.${kind}`);
  assert.ok(action, `no ${kind} among:\n${actions.map((each) => each.title).join("\n")}`);
  if (action.disabled !== undefined) return action.disabled.reason;
  return applied((await service.resolveCodeAction(action)).edit, { [uri]: text })[uri] ?? "";
}

const stack = (forward: string): string => `import math
from collections.abc import Iterable, Sequence
from typing import Any

${header}


class Mod|el(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.embed = nn.Embedding(100, width)
        self.blocks = nn.Sequential(*[nn.TransformerEncoderLayer(width, 4, batch_first=True) for _ in range(depth)])
        self.head = nn.Linear(width, 100)

    def forward(self, ids, **options):
        x = self.embed(ids)
${forward}
        return self.head(x)
`;
const atStack = (forward: string): string =>
  stack(forward.replace("self.blocks", "self.|blocks")).replace("Mod|el", "Model");

test("a module before attention reads what the norm gives", () =>
  checkInsertion(
    `${header}


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, 4)

    def forward(self, x):
        y = self.norm(x)
        x = x + self.at|tn(y, y, y)[0]
        return x
`,
    "Add a mixture-of-modality adapter (LaVIN) before `attn`",
    `${header}


${source("lavin/lavin.py", "MixtureOfModalityAdapter")}


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, 4)
        self.mma_adapter = MixtureOfModalityAdapter(width, hidden=8, groups=2, temperature=10)

    def forward(self, x):
        y = self.mma_adapter(self.norm(x))
        x = x + self.attn(y, y, y)[0]
        return x
`,
  ));

test("a module before attention is as wide as what goes in, where that is another width than what comes out", async () => {
  const block = (adapter: string, input: string, cursor: string): string => `class Attention(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * outputs)
        self.proj = nn.Linear(outputs, outputs)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return self.proj(torch.softmax(q @ k.transpose(-2, -1), dim=-1) @ v)


class Block(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, outputs)
        self.attn = Attention(width, outputs)
${adapter}
    def forward(self, x):
        y = self.norm(x)
        x = self.widen(y)
        x = x + self.at${cursor}tn(${input})
        return x
`;
  await checkInsertion(
    `${header}


${block("", "y", "|")}`,
    "Add a mixture-of-modality adapter (LaVIN) before `attn`",
    `${header}


${block("", "y", "").slice(0, block("", "y", "").indexOf("class Block"))}${source("lavin/lavin.py", "MixtureOfModalityAdapter")}


${block("        self.mma_adapter = MixtureOfModalityAdapter(width, hidden=8, groups=2, temperature=10)\n", "self.mma_adapter(y)", "").slice(block("", "y", "").indexOf("class Block"))}`,
  );
  const behind = await after(`${header}\n\n\n${block("", "y", "|")}`, "houlsby");
  assert.match(behind, /HoulsbyAdapter\(outputs, /);
});

test("what other places read too is not adapted", async () => {
  const reason = await after(
    `${header}


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, 4)
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        x = self.norm(x + self.at|tn(x, x, x)[0])
        return x
`,
    "lavin",
  );
  assert.match(reason, /What goes into `attn` is read in other places too/);
});

test("modules aside of each block count the blocks of a loop, in the loop's own manner", async () => {
  const forward = async (loop: string): Promise<string> =>
    /x = self\.embed[\s\S]*/.exec(await after(atStack(loop), "iaa"))?.[0] ?? "";
  const body = (
    index: string,
  ): string => `            aside, aside_state = self.aside_modules.beside(x, ${index}, aside_state)
            x = block(x)
            x = x + aside
        return self.head(x)
`;
  const start = "x = self.embed(ids)\n        aside_state = None\n";
  assert.equal(
    await forward("        for block in self.blocks:\n            x = block(x)"),
    `${start}        for index, block in enumerate(self.blocks):\n${body("index")}`,
  );
  assert.equal(
    await forward("        for i, block in enumerate(self.blocks):\n            x = block(x)"),
    `${start}        for i, block in enumerate(self.blocks):\n${body("i")}`,
  );
  assert.equal(
    await forward("        x = self.blocks(x)"),
    `${start}        for index, block in enumerate(self.blocks):\n${body("index")}`,
  );
  assert.match(
    await after(atStack("        for block in self.blocks: x = block(x)"), "iaa"),
    /is not run block by block here/,
  );
});

test("variables of a method leave those of the code alone", async () => {
  const forward = async (loop: string): Promise<string> =>
    /x = self\.embed[\s\S]*/.exec(await after(atStack(loop), "m2ixt"))?.[0] ?? "";
  const text = await forward(
    "        context = options.get('context')\n        for block in self.blocks:\n            x = block(x, context)",
  );
  assert.equal(
    text,
    `x = self.embed(ids)
        context = options.get('context')
        context2 = None if examples is None else self.in_context(*examples)  # (B, P, d)
        x = with_prefix(x, context2)  # (B, P + T, d)
        for block in self.blocks:
            x = block(x, context)
        x = strip_prefix(x, context2)  # (B, T, d)
        return self.head(x)
`,
  );
});

test("what counts the blocks is built when they all stand", async () => {
  const text = await after(
    `from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.mlp = nn.Linear(width, width)

    def forward(self, x):
        return x + self.mlp(x)


class Model(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.blo|cks = nn.ModuleList()
        for _ in range(depth):
            block = Block(width)
            self.blocks.append(block)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.norm(x)
`,
    "iaa",
  );
  assert.ok(
    text.includes(`            self.blocks.append(block)
        self.aside_modules = AsideModules(width, len(self.blocks), bottleneck=16, mode="per_layer")

    def forward(`),
    text.slice(-900),
  );
});

test("a stack that every branch of an if runs is one, with what goes before above the if", async () => {
  const branched = `        if mask is not None:
            for block in self.blocks:
                x = block(x, src_mask=mask)
        elif self.training and options:
            x = checkpoint_sequential(self.blocks, x)
        else:
            x = self.blocks(x)`;
  const masked = (forward: string): string =>
    atStack(forward).replace("forward(self, ids, **options)", "forward(self, ids, mask=None, **options)");
  const text = await after(masked(branched), "prompt-tuning");
  const lines = branched.replace("self.|blocks", "self.blocks");
  const prompted = `        x = self.soft_prompt(x)  # (B, n + T, d)
${lines}
        x = self.soft_prompt.strip(x)  # (B, T, d)
        return self.head(x)
`;
  assert.ok(text.endsWith(prompted), text.slice(-900));
  // a mask that always comes is sized for the tokens
  assert.match(
    await after(masked(branched.replace("mask is not None", "self.training")), "prompt-tuning"),
    /sized for the tokens alone/,
  );
  for (const other of [
    branched.replace(
      "        else:\n            x = self.blocks(x)",
      "        elif mask is None:\n            x = self.blocks(x)",
    ),
    branched.replace("            x = self.blocks(x)", "            x = self.blocks(self.head(x))"),
    branched.replace(
      "            x = self.blocks(x)",
      "            x = self.blocks(x)\n            x = x + 1",
    ),
  ])
    assert.match(await after(masked(other), "prompt-tuning"), /runs at more than one place/);
});

test("stages that one loop zips together are no stack of one width", async () => {
  const zipped = atStack(
    "        for block, pool in zip(self.blocks, self.pools):\n            x = pool(block(x))",
  ).replace(
    "        self.head =",
    "        self.pools = nn.ModuleList([Model(width, 1) for _ in range(depth)])\n        self.head =",
  );
  const counted = zipped.replace(
    "for block, pool in zip(self.blocks, self.pools):",
    "for i, (block, pool) in enumerate(\n                zip(self.blocks, self.pools)):",
  );
  for (const each of [zipped, counted])
    assert.match(await after(each, "prompt-tuning"), /and other lists in turn, as stages/);
});

test("a prompt is refused where blocks mix tokens by a layer as wide as the sequence", async () => {
  const mixer = (call: string): string => `${header}


class Mixer(nn.Module):
    def __init__(self, width, tokens):
        super().__init__()
        self.mix = nn.Linear(tokens, tokens)
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        return x + ${call}


class Model(nn.Module):
    def __init__(self, width, tokens):
        super().__init__()
        self.blocks = nn.Sequential(*[Mixer(width, tokens) for _ in range(4)])

    def forward(self, x):
        x = self.|blocks(x)
        return x
`;
  assert.match(
    await after(mixer("self.mix(self.norm(x).transpose(1, 2)).transpose(1, 2)"), "prompt-tuning"),
    /as wide as the sequence/,
  );
  assert.match(await after(mixer("self.mix(self.norm(x))"), "prompt-tuning"), /self\.soft_prompt\.strip/);
});

test("a side network reads all blocks and gives what the head reads", async () => {
  const text = await after(atStack("        x = self.blocks(x)"), "unipt");
  assert.match(
    text,
    /self\.unipt = UniPT\(\[width\] \* \(len\(self\.blocks\) \+ 1\), width, reduction=2\)\n/,
  );
  assert.ok(
    text.endsWith(`        x = self.embed(ids)
        layer_states = [x.detach()]
        for block in self.blocks:
            x = block(x)
            layer_states.append(x.detach())
        x = self.unipt(layer_states)  # (B, N, d)
        return self.head(x)
`),
    text,
  );
});

test("a side network that mixes all tokens is refused where later ones are hidden", async () => {
  const hidden = atStack("        x = self.blocks(x)").replace(
    "x = self.embed(ids)",
    "x = self.embed(ids)\n        future = torch.ones(9, 9).triu(1)",
  );
  assert.match(await after(hidden, "unipt"), /must not see those after them/);
});

test("a prompt with inputs of its own gives forward a parameter, before those it passes on", async () => {
  const text = await after(atStack("        x = self.blocks(x)"), "persona-plug");
  assert.match(text, /self\.persona_plug = PersonaPlug\(768, width, scale=1\)\n/);
  assert.ok(
    text.endsWith(`    def forward(self, ids, persona=None, **options):
        x = self.embed(ids)
        persona_tokens = None if persona is None else self.persona_plug.tokens(*persona)  # (B, 2, d)
        x = with_prefix(x, persona_tokens)  # (B, 2 + T, d)
        x = self.blocks(x)
        x = strip_prefix(x, persona_tokens)  # (B, T, d)
        return self.head(x)
`),
    text,
  );
});

const training = (step: string, setup = ""): string => `import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

${header}
from gpt import GPT


def train(config, loader, epochs, loras=None):
    model = GPT(config)
    optimizer = torch.optim.AdamW(model.parameters())
    for epoch in range(epochs):
        for inputs, targets, task_ids in loader:${setup}
${step}
`;
const backward = "            loss.back|ward()\n            optimizer.step()";

test("a selector is built before all epochs and measures the loss of the step at hand", async () => {
  const text = await after(
    training(`            optimizer.zero_grad()
            logits = model(inputs)
            targets = targets.clamp(min=0)
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
            loss = loss / 2
${backward}`),
    "greentrainer",
  );
  assert.ok(
    text.endsWith(`    selector = GreenSelector(model, optimizer, rho=0.5, interval=500)
    for epoch in range(epochs):
        for inputs, targets, task_ids in loader:
            optimizer.zero_grad()
            selector.on_step_begin(lambda: F.cross_entropy(model(inputs).flatten(0, 1), targets.clamp(min=0).flatten()) / 2)
            logits = model(inputs)
            targets = targets.clamp(min=0)
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
            loss = loss / 2
            loss.backward()
            optimizer.step()
`),
    text,
  );
});

test("a selector is refused where gradients add up, where the loop is elsewhere and where the loss is uncertain", async () => {
  const loss = "            loss = model(inputs, targets)[1]\n";
  assert.match(
    await after(
      training(`${loss}            loss.back|ward()
            if epoch % 4 == 0:
                optimizer.step()`),
      "ist",
    ),
    /adds up the gradients of several batches/,
  );
  assert.match(
    await after(
      training(`${loss}            if epoch:\n                loss = loss * 2\n${backward}`),
      "ist",
    ),
    /How the loss comes from the model is not certain/,
  );
  assert.match(
    await after(
      `${header}\n\n\ndef step(model, optimizer, x):\n    loss = model(x)\n    loss.back|ward()\n    optimizer.step()\n`,
      "ist",
    ),
    /The loop around this step is not in this function/,
  );
});

test("the second forward pass of a loss repeats the first, which gets a name", async () => {
  const text = await after(training(`            _, loss = model(inputs, targets)\n${backward}`), "mosa");
  assert.ok(
    text.endsWith(`            logits, loss = model(inputs, targets)
            loss = loss + symmetric_kl(logits, model(inputs, targets)[0])
            loss.backward()
            optimizer.step()
`),
    text,
  );
});

test("a loss of several tasks takes the place of the cross-entropy and finds the tasks of the batch", async () => {
  const step = `            logits = model(inputs)
            loss = F.cross_entropy(logits[:, :-1].reshape(-1, 100), targets[:, 1:].reshape(-1))
${backward}`;
  const loss = async (marked: string): Promise<string> => {
    const text = await after(marked, "mftcoder");
    return /^ +loss = multi.*$/m.exec(text)?.[0].trim() ?? text;
  };
  const written = (tasks: string): string =>
    `loss = multitask_lm_loss(logits[:, :-1], targets[:, 1:], ${tasks}, mode="case3")`;
  assert.equal(await loss(training(step)), written("task_ids"));
  const batch = training(step, '\n            tasks = batch["task_id"]').replace(
    "targets, task_ids in",
    "targets, batch in",
  );
  assert.equal(await loss(batch), written('batch["task_id"]'));
  assert.match(
    await loss(training(step).replace(", task_ids in", " in")),
    /No variable is called `task_ids` here/,
  );
  assert.match(
    await loss(training(step.replace(".reshape(-1))", ".reshape(-1), label_smoothing=0.1)"))),
    /not a plain cross-entropy/,
  );
});

test("a model of an imported class is known by the line that builds it", async () => {
  const marked = training(`            loss = model(inputs)\n            loss.backward()`).replace(
    "model = GPT",
    "mod|el = GPT",
  );
  const text = await after(marked, "meteora");
  assert.match(
    text,
    / {4}model = GPT\(config\)\n {4}gates = add_loras_\(model, loras, top_k=2\)\n {4}optimizer = /,
  );
  assert.match(
    await after(marked.replace(", loras=None", ""), "meteora"),
    /No variable is called `loras` here/,
  );
  assert.match(await after(marked, "hst"), /The class is in another file/);
});

test("a side network goes around a model below what loads its checkpoint", async () => {
  const text = await after(
    `from collections.abc import Sequence
from itertools import pairwise
from typing import Any

${header}


class ViT(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, dim, 16, 16)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 197, dim))
        self.blocks = nn.ModuleList([nn.TransformerEncoderLayer(dim, 4) for _ in range(12)])


mod|el = ViT(768)
model.load_state_dict(torch.load("vit.pt"))
optimizer = torch.optim.AdamW(model.parameters())
`,
    "hst",
  );
  assert.ok(
    text.endsWith(`
model = ViT(768)
model.load_state_dict(torch.load("vit.pt"))
model = HierarchicalSideNetwork(model, num_classes=1000)
optimizer = torch.optim.AdamW(model.parameters())
`),
    text,
  );
});

test("a prompt is refused where the blocks know the class token by its place", async () => {
  const withBlocks = (attend: string): string => `import math
from collections.abc import Sequence

${header}


class ClassBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Linear(width, width)

    def forward(self, x):
${attend}


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.blocks = nn.ModuleList([ClassBlock(width) for _ in range(2)])

    def forward(self, x):
        for block in self.|blocks:
            x = block(x)
        return x
`;
  const apart = `        cls = x[:, :1]
        cls = cls + self.mlp(self.norm(x)).mean(1, keepdim=True)
        return torch.cat([cls, x[:, 1:]], dim=1)`;
  assert.match(await after(withBlocks(apart), "prompt-tuning"), /treat the first token apart/);
  const alike = "        return x + self.mlp(self.norm(x))";
  assert.match(await after(withBlocks(alike), "prompt-tuning"), /= SoftPrompt\(/);
});
