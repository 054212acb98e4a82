/** Scopes of an action, and what goes with it: one request, and the whole document after its edit. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { AdapterChoice, InsertAdapterParams } from "../../../server/src/protocol";
import { actionsAt, applied, serviceWith, source, unmark, uri } from "./check";

type Request = Pick<InsertAdapterParams, "targets" | "with"> & { readonly method?: string };

async function choicesAt(marked: string, files: Readonly<Record<string, string>> = {}) {
  const { text, offset } = unmark(marked);
  const service = serviceWith(text, { files });
  const position = TextDocument.create(uri, "python", 1, text).positionAt(offset);
  const place = { textDocument: { uri }, position };
  return { service, text, place, choices: await service.adapterChoices(place) };
}

/** Inserts LoRA at the first place of the scope, and compares the document without the Python of LoRA and its helpers. */
async function checkScope(
  marked: string,
  scope: AdapterChoice["scope"],
  { method = "lora", ...request }: Request,
  expected: string,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { service, text, place, choices } = await choicesAt(marked, files);
  const choice = choices.find((each) => each.method === method && each.scope === scope);
  assert.ok(choice, choices.map(({ title }) => title).join("\n"));
  const edit = await service.insertAdapter({ ...place, method, site: choice.site, ...request });
  const after = applied(edit, { [uri]: text })[uri] ?? "";
  assert.equal(withoutOurs(after), expected);
}

const shared = (file: string, name: string): [string, string] => [name, source(`shared/${file}.py`, name)];
const definitions = new Map([
  ["LoRALinear", source("lora/lora.py", "LoRALinear")],
  shared("replace_layers", "replace_layers"),
  shared("replace_layers", "adapt_layer"),
  shared("train_only", "train_only"),
  shared("parameter_names", "parameter_names"),
  shared("adapter_state", "unwrapped"),
  shared("adapter_state", "adapter_state_dict"),
  shared("adapter_state", "load_adapter"),
  shared("adapter_state", "resume_adapter"),
  [
    "apply_lora",
    source("shared/apply_method.py", "apply_method")
      .replace("apply_method", "apply_lora")
      .replace("Adapter,", "LoRALinear,")
      .replace("METHOD", "LoRA (arXiv:2106.09685)"),
  ],
]);

/** Each definition of ours as `# <name>`: that it stands there as the corpus has it. */
const withoutOurs = (text: string): string =>
  [...definitions].reduce((rest, [name, body]) => rest.replace(`${body}\n`, `# ${name}\n`), text);

const header = `import math

import torch
from torch import Tensor, nn
`;
const wide = `import inspect
import math
from collections.abc import Collection

import torch
from torch import Tensor, nn
`;
const model = (queries = "nn.Linear", values = "nn.Linear"): string => `

class Attention(nn.Module):
    def __init__(self, dim=64):
        super().__init__()
        self.q_proj = ${queries}
        self.k_proj = nn.Linear(dim, dim)
        self.v_proj = ${values}

    def forward(self, x):
        return self.q_proj(x) + self.k_proj(x) + self.v_proj(x)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Attention() for _ in range(3)])
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)
`;
const plain = `import torch
from torch import Tensor, nn
${model("nn.Linear(dim, dim)", "nn.Linear(dim, dim)")}`;

test("queries and values of a class, as papers adapt them", async () => {
  const lora = "LoRALinear(dim, dim, rank=8, alpha=16)";
  await checkScope(
    plain.replace("class Attention", "class Att|ention"),
    "class",
    { targets: ["q_proj", "v_proj"] },
    `${header}

# LoRALinear
${model(lora, lora)}`,
  );
  const { actions } = actionsAt(plain.replace("self.v_proj = nn", "self.v_proj = n|n"));
  assert.deepEqual(
    actions.filter(({ kind }) => kind === "refactor.rewrite.adapter.lora").map(({ title }) => title),
    [
      "Adapt `v_proj` with LoRA (1,024 trainable)",
      "Adapt `q_proj` and `v_proj` with LoRA (2,048 trainable)",
      "Adapt all 3 linear layers of Attention with LoRA (3,072 trainable)",
    ],
  );
});

test("a name that the class has not is refused", async () => {
  const { service, place, choices } = await choicesAt(plain.replace("class Attention", "class Att|ention"));
  const { site = "" } = choices.find(({ method, scope }) => method === "lora" && scope === "class") ?? {};
  const targets = ["q_proj", "o_proj"];
  await assert.rejects(
    service.insertAdapter({ ...place, method: "lora", site, targets }),
    /no place for LoRA/,
  );
});

const script = (line: string, after = ""): string => `

def main(steps):
${line}
    for _ in range(steps):
        loss = model(torch.zeros(1, 64)).sum()
        loss.backward()
        optimizer.step()
${after}    print(loss)
`;
const built = `    model = Model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)`;

test("the whole model where it is built, with all that goes with it", () =>
  checkScope(
    plain + script(built.replace("Model()", "Mod|el()")),
    "model",
    { targets: ["q_proj", "head"], with: ["freeze", "optimizer", "save", "load"] },
    `import inspect
import math
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
${model("nn.Linear(dim, dim)", "nn.Linear(dim, dim)")}

# unwrapped


# adapter_state_dict


# load_adapter


# resume_adapter


# parameter_names


# replace_layers


# adapt_layer


# train_only


# LoRALinear


# apply_lora
${script(
  `    model = Model()
    apply_lora(model, targets=("q_proj", "head"), rank=8, alpha=16)
    resume_adapter(model, "adapter.pt", LoRALinear)
    train_only(model, LoRALinear)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)`,
  `    torch.save(adapter_state_dict(model, LoRALinear), "adapter.pt")
`,
)}`,
  ));

test("what is asked for with it, and nothing else", () =>
  checkScope(
    plain + script(built.replace("Model()", "Mod|el()")),
    "model",
    { targets: ["head"], with: ["optimizer"] },
    `${wide}${model("nn.Linear(dim, dim)", "nn.Linear(dim, dim)")}

# replace_layers


# adapt_layer


# LoRALinear


# apply_lora
${script(
  `    model = Model()
    apply_lora(model, targets=("head",), rank=8, alpha=16)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)`,
)}`,
  ));

test("below the checkpoint that the plain model loads, and the save of its state becomes the adapter's", () =>
  checkScope(
    `${plain}

model = Mod|el().to("cpu")
if True:
    model.load_state_dict(
        torch.load("base.pt"),
    )
torch.save(model.state_dict(), "out.pt")
`,
    "model",
    { targets: ["head"], with: ["save"] },
    `import inspect
import math
from collections.abc import Collection

import torch
from torch import Tensor, nn
${model("nn.Linear(dim, dim)", "nn.Linear(dim, dim)")}

# unwrapped


# adapter_state_dict


# parameter_names


# replace_layers


# adapt_layer


# LoRALinear


# apply_lora


model = Model().to("cpu")
if True:
    model.load_state_dict(
        torch.load("base.pt"),
    )
apply_lora(model, targets=("head",), rank=8, alpha=16)
torch.save(adapter_state_dict(model, LoRALinear), "out.pt")
`,
  ));

test("freezing with an adapter inside a class goes to the end of the whole model's __init__", async () => {
  const { service, text, place, choices } = await choicesAt(plain.replace("self.k_proj", "self.k_|proj"));
  const { site = "" } = choices.find(({ method }) => method === "lora") ?? {};
  const edit = await service.insertAdapter({ ...place, method: "lora", site, with: ["freeze"] });
  const after = withoutOurs(applied(edit, { [uri]: text })[uri] ?? "");
  assert.match(after, /self\.k_proj = LoRALinear\(dim, dim, rank=8, alpha=16\)/);
  assert.match(after, /self\.head = nn\.Linear\(64, 10\)\n {8}train_only\(self, LoRALinear\)\n/);
  await assert.rejects(
    service.insertAdapter({ ...place, method: "lora", site, with: ["save"] }),
    /Saving goes below the training loop/,
  );
});

test("what the whole model trains is counted over all its blocks, and its share is the model's", async () => {
  const { choices } = await choicesAt(plain.replace("self.k_proj", "self.k_|proj"));
  const whole = choices.find(({ method, scope }) => method === "lora" && scope === "model");
  assert.ok(whole);
  // 3 blocks, rank 8 × (64 + 64) in each of two layers; the model: 3 × 3 × (64² + 64) + 64 × 10 + 10
  assert.equal(whole.trainable, 3 * 2 * 8 * 128);
  assert.equal(whole.share, (3 * 2 * 8 * 128) / (9 * (64 * 64 + 64) + 650));
  assert.deepEqual(whole.targets, [
    { name: "q_proj", chosen: true, layers: 3, trainable: 3072 },
    { name: "k_proj", chosen: false, layers: 3, trainable: 3072 },
    { name: "v_proj", chosen: true, layers: 3, trainable: 3072 },
    { name: "head", chosen: false, layers: 1, trainable: 8 * 74 },
  ]);
});

test("a model of a module beside the file is known by its layers; sizes that the file passes are not guessed", async () => {
  const files = { "file:///project/gpt.py": readFileSync("examples/gpt.py", "utf8") };
  const train = readFileSync("examples/train.py", "utf8").replace("model = GPT", "model = G|PT");
  const { choices } = await choicesAt(train, files);
  const lora = choices.find(({ method, scope }) => method === "lora" && scope === "model");
  assert.ok(lora);
  assert.equal(lora.title, "Adapt `c_attn` across `model` with LoRA");
  assert.deepEqual(lora.with, ["freeze", "optimizer", "save", "load"]);
  assert.deepEqual(
    lora.targets?.map(({ name, disabled }) => [name, disabled?.replace(/, so.*/, "")]),
    [
      ["c_attn", undefined],
      ["c_proj", undefined],
      ["c_fc", undefined],
      ["lm_head", "`lm_head` shares its weight with `wte`"],
    ],
  );
  assert.equal(lora.trainable, undefined);
});

const pretrained = (call: string): string => `from transformers import AutoModel, AutoModelForCausalLM

model = ${call.replace("(", "(|")}
model.train()
`;

for (const [call, targets, disabled] of [
  ['AutoModel.from_pretrained("bert-base-uncased")', ["query", "value"], undefined],
  ['AutoModel.from_pretrained("t5-small")', ["q", "v"], undefined],
  [
    'AutoModelForCausalLM.from_pretrained("meta-llama/Llama-3.2-1B").to("cuda")',
    ["q_proj", "v_proj"],
    undefined,
  ],
  ['AutoModelForCausalLM.from_pretrained("gpt2")', ["c_attn"], /Conv1D/],
  ['AutoModelForCausalLM.from_pretrained("a/b", load_in_4bit=True)', ["q_proj", "v_proj"], /load_in_4bit/],
] as const)
  test(`layers of ${call} by custom`, async () => {
    const { choices } = await choicesAt(pretrained(call));
    const lora = choices.find(({ method, scope }) => method === "lora" && scope === "model");
    assert.ok(lora);
    assert.equal(
      lora.title,
      `Adapt ${targets.map((name) => `\`${name}\``).join(", ")} across \`model\` with LoRA`,
    );
    if (disabled === undefined) assert.equal(lora.disabled, undefined);
    else assert.match(lora.disabled ?? "", disabled);
  });

test("tokenizers and other classes of transformers are no models", async () => {
  const { choices } = await choicesAt(
    pretrained('AutoTokenizer.from_pretrained("gpt2")').replace("AutoModel,", "AutoTokenizer,"),
  );
  assert.deepEqual(
    choices.filter(({ scope }) => scope === "model"),
    [],
  );
});

test("a call over the whole model comes out again without a trace", async () => {
  const before = plain + script(built);
  const { service, place, choices } = await choicesAt(before.replace("model = Model()", "model = Mod|el()"));
  const { site = "" } = choices.find(({ method, scope }) => method === "lora" && scope === "model") ?? {};
  const edit = await service.insertAdapter({ ...place, method: "lora", site });
  const after = applied(edit, { [uri]: before })[uri] ?? "";
  const { service: next, actions } = actionsAt(
    after.replace("apply_lora(model, targets=", "apply_lo|ra(model, targets="),
  );
  const removal = actions.find(({ title }) => title === "Remove LoRA from the layers of `model`");
  assert.ok(removal);
  const removed = await next.resolveCodeAction(removal);
  assert.equal(applied(removed.edit, { [uri]: after })[uri], before);
});

test("where several functions build the model, its class freezes all else", async () => {
  const marked = `from torch import nn


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.u|p = nn.Linear(width, 4 * width)

    def forward(self, x):
        return self.up(x)


def small():
    model = Net(32)
    return model


def large():
    model = Net(64)
    return model
`;
  const { service, text, place, choices } = await choicesAt(marked);
  const site = choices.find(({ method, scope }) => method === "lora" && scope === "layer")?.site ?? "";
  const edit = await service.insertAdapter({ ...place, method: "lora", site, with: ["freeze"] });
  const after = withoutOurs(applied(edit, { [uri]: text })[uri] ?? "");
  assert.ok(
    after.includes("rank=8, alpha=16)\n        train_only(self, LoRALinear)\n\n    def forward"),
    after,
  );
  assert.ok(after.includes("    model = Net(32)\n    return model\n"));
});

test("layers whose names are put together when the model is built are not passed over for the last one", () => {
  const offered = (added: string): [string, string | undefined][] =>
    actionsAt(`from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.proj = nn.Linear(width, width)


class N|et(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.body = nn.Sequential()
        for i in range(depth):
            self.body.add_module(f"layer{i}", ${added})
        self.last = Block(width)
        self.head = nn.Linear(width, width)

    def forward(self, x):
        return self.head(self.last(self.body(x)))
`)
      .actions.filter(({ kind }) => kind === "refactor.rewrite.adapter.lora")
      .filter(({ title }) => title.includes("across"))
      .map(({ title, disabled }) => [title.split(":")[0] ?? "", disabled?.reason]);
  assert.deepEqual(offered("nn.Linear(width, width)"), [
    [
      "Adapt `proj`, `head` across `Net` with LoRA",
      "The names of `body.*` are put together when the model is built, so these layers cannot be chosen by name; adapt them where they are built.",
    ],
  ]);
  assert.deepEqual(offered("Block(width)"), [["Adapt `proj`, `head` across `Net` with LoRA", undefined]]);
});
