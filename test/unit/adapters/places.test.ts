import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt, applied, checkInsertion, source, uri } from "./check";

const header = `import torch
from torch import Tensor, nn
from torch.nn import functional as F`;

test("Houlsby adapters go after attention and feed-forward of a pre-norm block", () =>
  checkInsertion(
    `${header}


class Bl|ock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, 4)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.attn(y, y, y)[0]
        x = x + self.mlp(self.ln_2(x))
        return x
`,
    "Add a Houlsby adapter after attention and feed-forward of Block",
    `${header}


${source("houlsby/houlsby.py", "HoulsbyAdapter")}


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, 4)
        self.attn_adapter = HoulsbyAdapter(width, bottleneck=64)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.mlp_adapter = HoulsbyAdapter(width, bottleneck=64)

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.attn_adapter(self.attn(y, y, y)[0])
        x = x + self.mlp_adapter(self.mlp(self.ln_2(x)))
        return x
`,
  ));

test("an SC-Tuner goes on the skip that a decoder block concatenates", () =>
  checkInsertion(
    `import math

${header}


class Up(nn.Module):
    def __init__(self, channels, skip_channels):
        super().__init__()
        self.conv = nn.Conv2d(channels + skip_channels, channels, 3, padding=1)

    def forward(self, h, skip):
        h = torch.|cat([h, skip], dim=1)
        return self.conv(h)
`,
    "Tune the skip connection with SCEdit",
    `import math

${header}


${source("scedit/scedit.py", "SCTuner")}


class Up(nn.Module):
    def __init__(self, channels, skip_channels):
        super().__init__()
        self.conv = nn.Conv2d(channels + skip_channels, channels, 3, padding=1)
        self.sc_tuner = SCTuner(skip_channels, ratio=1)

    def forward(self, h, skip):
        h = torch.cat([h, self.sc_tuner(skip)], dim=1)
        return self.conv(h)
`,
  ));

test("a soft prompt goes before the stack of blocks and comes off after it", () =>
  checkInsertion(
    `from collections.abc import Sequence

${header}


class Model(nn.Module):
    def __init__(self, vocabulary, width, depth):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList([nn.TransformerEncoderLayer(width, 4, batch_first=True) for _ in range(depth)])
        self.head = nn.Linear(width, vocabulary)

    def forward(self, ids):
        x = self.embed(ids)
        for block in self.|blocks:
            x = block(x)
        return self.head(x)
`,
    "Prepend a soft prompt to `blocks`",
    `from collections.abc import Sequence

${header}


${source("prompt-tuning/prompt_tuning.py", "SoftPrompt")}


class Model(nn.Module):
    def __init__(self, vocabulary, width, depth):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList([nn.TransformerEncoderLayer(width, 4, batch_first=True) for _ in range(depth)])
        self.soft_prompt = SoftPrompt(width, tokens=20)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, ids):
        x = self.embed(ids)
        x = self.soft_prompt(x)  # (B, n + T, d)
        for block in self.blocks:
            x = block(x)
        x = self.soft_prompt.strip(x)  # (B, T, d)
        return self.head(x)
`,
  ));

test("proxy-tuning steers the logits of a generation loop", () =>
  checkInsertion(
    `${header}


class Model(nn.Module):
    @torch.no_grad()
    def gene|rate(self, ids, steps):
        for _ in range(steps):
            logits, _ = self(ids)
            chosen = logits[:, -1].argmax(-1, keepdim=True)
            ids = torch.cat([ids, chosen], dim=1)
        return ids
`,
    "Steer `generate` with proxy-tuning",
    `${header}


${source("proxy-tuning/proxy_tuning.py", "proxy_tuned_logits")}


class Model(nn.Module):
    @torch.no_grad()
    def generate(self, ids, steps, expert=None, antiexpert=None):
        for _ in range(steps):
            logits, _ = self(ids)
            if expert is not None and antiexpert is not None:
                logits = proxy_tuned_logits(logits, expert(ids)[0], antiexpert(ids)[0], alpha=1)
            chosen = logits[:, -1].argmax(-1, keepdim=True)
            ids = torch.cat([ids, chosen], dim=1)
        return ids
`,
  ));

test("a helper that belongs to no layer goes above the next top-level statement", () =>
  checkInsertion(
    `import torch
from torch import Tensor, nn
|
print("trained")
`,
    "Add `count_trainable` (Trainable share) to this file",
    `import torch
from torch import Tensor, nn


${source("peft-survey/peft_survey.py", "count_trainable")}

print("trained")
`,
  ));

test("an adapter that reads the residual stream gets it by the name it has, in each manner of adding", async () => {
  const added = async (forward: string): Promise<string | undefined> => {
    const { service, text, actions } = actionsAt(`${header}


class Layer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.m|lp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

${forward}`);
    const action = actions.find(({ kind }) => kind === "refactor.rewrite.adapter.mosa");
    assert.ok(action);
    if (action.disabled) return action.disabled.reason;
    const { edit } = await service.resolveCodeAction(action);
    const after = applied(edit, { [uri]: text })[uri] ?? "";
    return /^.*self\.mlp_adapter\(.*$/m.exec(after)?.[0].trim();
  };
  assert.equal(
    await added("    def forward(self, y):\n        y = self.norm(y + self.mlp(y))\n        return y\n"),
    "y = self.norm(y + self.mlp_adapter(self.mlp(y), y))",
  );
  assert.equal(
    await added(
      "    def forward(self, h):\n        residual = h\n        return residual + self.mlp(self.norm(h))\n",
    ),
    "return residual + self.mlp_adapter(self.mlp(self.norm(h)), residual)",
  );
  assert.equal(
    await added("    def forward(self, h):\n        h += self.mlp(self.norm(h))\n        return h\n"),
    "h += self.mlp_adapter(self.mlp(self.norm(h)), h)",
  );
  assert.match(
    (await added("    def forward(self, h):\n        return h[:, 0] + self.mlp(self.norm(h[:, 0]))\n")) ?? "",
    /added to has no name/,
  );
});

test("where blocks get a mask, prompts are refused with the reason and adapters are not", () => {
  for (const mask of ["mask", "mask[:, None, None, :]", "key_padding", "memory, is_causal"]) {
    const { actions } = actionsAt(`${header}


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.embed = nn.Embedding(100, width)
        self.layers = nn.ModuleList([nn.TransformerEncoderLayer(width, 4, batch_first=True) for _ in range(2)])

    def forward(self, ids, memory, mask, key_padding, is_causal):
        x = self.embed(ids)
        for layer in self.|layers:
            x = layer(x, ${mask})
        return x
`);
    const reasonOf = (method: string): string | undefined =>
      actions.find(({ kind }) => kind === `refactor.rewrite.adapter.${method}`)?.disabled?.reason;
    assert.match(reasonOf("prompt-tuning") ?? "", /makes the sequence longer/, mask);
    assert.ok(actions.some(({ kind }) => kind === "refactor.rewrite.adapter.music-adapters"));
    assert.equal(reasonOf("music-adapters"), undefined);
  }
});

const pretrained = (head: string): string => `import torch
from torch import nn


class PreTrained(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config


class Classifier(PreTrained):
    def __init__(self, config):
        super().__init__(config)
        self.dense = nn.Linear(config.width, config.width)
        self.pooler = nn.Linear(config.width, config.width)
        self.head = ${head}

    def forward(self, x):
        return self.head(self.pooler(torch.tanh(self.dense(x))))
`;

const titlesOf = (marked: string): string[] =>
  actionsAt(marked).actions.map(({ title, disabled }) => title + (disabled ? `: ${disabled.reason}` : ""));

test("a head with an unknown number of classes is left out, and refused where a method needs a certain number", () => {
  const atHead = titlesOf(pretrained("nn.Lin|ear(config.width, config.num_labels)"));
  assert.ok(
    atHead.includes(
      "Adapt `head` with LoRA: LoRA needs rank <= min(in_features, out_features), and how many outputs `head` has is not known here: config.num_labels. Train the head whole, or give that a default.",
    ),
    atHead.join("\n"),
  );
  assert.ok(atHead.includes("Adapt `head` with (IA)³"), atHead.join("\n"));
  assert.ok(titlesOf(pretrained("nn.Lin|ear(config.width, config.out)")).includes("Adapt `head` with LoRA"));
  const header = titlesOf(
    pretrained("nn.Linear(config.width, config.num_labels)").replace("class Class", "class Cla|ss"),
  );
  assert.ok(header.includes("Adapt all 2 linear layers of Classifier with LoRA"), header.join("\n"));
});

test("a layer that mixes heads is refused where a method needs more outputs than there may be heads", () => {
  const mixing = titlesOf(`from torch import nn


class TalkingHeads(nn.Module):
    def __init__(self, width, num_heads):
        super().__init__()
        self.proj = nn.Linear(width, width)
        self.mix = nn.Lin|ear(num_heads, num_heads)

    def forward(self, attention):
        return self.mix(attention)
`);
  assert.ok(
    mixing.includes(
      "Adapt `mix` with LoRA: LoRA needs rank <= min(in_features, out_features), and `mix` has as many outputs as there are heads, which may be few: num_heads.",
    ),
    mixing.join("\n"),
  );
  assert.ok(mixing.includes("Adapt `mix` with (IA)³"), mixing.join("\n"));
});

test("convolutions for which no method has a class say so, once for each method", () => {
  const convolutions = (at: readonly string[]): string[] =>
    titlesOf(`from torch import nn


class Conv1d(nn.Conv1d):
    def forward(self, x):
        return super().forward(x.float())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.wave = Con${at[0]}v1d(8, 8, 3)
        self.up = nn.ConvTr${at[1]}anspose2d(8, 8, 2)

    def forward(self, x):
        return self.up(self.wave(x))
`).filter((title) => /`(?:wave|up)` with LoRA for/.test(title));
  assert.deepEqual(convolutions(["|", ""]), [
    "Adapt `wave` with LoRA for convolutions: `wave` is a Conv1d, not a torch.nn.Conv1d, Conv2d or Conv3d, and may compute in a way of its own. Build it as one, or adapt the block's output.",
  ]);
  assert.deepEqual(convolutions(["", "|"]), [
    "Adapt `up` with LoRA for convolutions: `up` is a torch.nn.ConvTranspose2d, not a torch.nn.Conv1d, Conv2d or Conv3d.",
  ]);
});

test("a layer whose class an expression gives is refused", () => {
  const titles = titlesOf(`from torch import nn


def conv_nd(dims):
    return [nn.Conv1d, nn.Conv2d, nn.Conv3d][dims - 1]


class Patches(nn.Module):
    def __init__(self, width=64, dims=2):
        super().__init__()
        self.proj = conv_|nd(dims)(3, width, 4, 4)

    def forward(self, x):
        return self.proj(x)
`);
  const reason =
    "`conv_nd(dims)` gives the class of `proj`, which may be another for other callers. Build it by its own class, or adapt the block's output.";
  const offered = titles.filter((title) => title.startsWith("Adapt `proj`"));
  assert.ok(offered.length > 0, titles.join("\n"));
  assert.deepEqual([...new Set(offered.map((title) => title.split(": ")[1]))], [reason]);
});

test("a class that only others extend is no model", () => {
  const text = pretrained("nn.Linear(config.width, 7)");
  assert.deepEqual(
    titlesOf(text.replace("class Pre", "class P|re")).filter((title) => /PreTrained/.test(title)),
    [],
  );
  const below = titlesOf(text.replace("class Cla", "class C|la"));
  assert.ok(below.includes("Train only the biases of `Classifier` (BitFit)"), below.join("\n"));
});

/** What stands in the way of training biases and norms alone, at a class of this body. */
const trainingAlone = (name: string, body: string): (string | undefined)[] =>
  ["biases", "norms"].map((what) => {
    const title = titlesOf(`from torch import nn


class ${name.slice(0, 1)}|${name.slice(1)}(nn.Module):
${body}`).find((each) => each.startsWith(`Train only the ${what} of`));
    assert.ok(title, what);
    return title.split(": ")[1];
  });

test("a class that is handed all its parts has nothing that is known to train; where it builds some it has", () => {
  const handed =
    "`Pair` is handed its parts (first, layers), of which nothing is known here; put this where the model is built.";
  const body = `    def __init__(self, first, layers, width):
        super().__init__()
        self.first = first
        self.layers = nn.ModuleList(layers)
        self.width = width

    def forward(self, x):
        x = self.first(x)
        for layer in self.layers:
            x = layer(x)
        return x
`;
  assert.deepEqual(trainingAlone("Pair", body), [handed, handed]);
  const some = body.replace("self.width = width", "self.norm = nn.LayerNorm(width)");
  assert.deepEqual(trainingAlone("Pair", some), [undefined, undefined]);
});

test("biases are none to train where no layer has one", () => {
  const body = (part: string): string => `    def __init__(self, width):
        super().__init__()
        self.proj = nn.Linear(width, width, bias=False)
        self.pool = nn.AvgPool2d(3)
        self.norm = ${part}

    def forward(self, x):
        return self.norm(self.pool(self.proj(x)))
`;
  const none = "`Net` has no layers with biases.";
  assert.deepEqual(trainingAlone("Net", body("nn.RMSNorm(width)")), [none, undefined]);
  assert.deepEqual(trainingAlone("Net", body("nn.LayerNorm(width)")), [undefined, undefined]);
});

test("blocks through which tokens run only on a condition take no prompts; where the shape is asked they do", () => {
  const offered = (condition: string): string[] =>
    titlesOf(
      `from torch import nn


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fc = nn.Linear(dim, dim)

    def forward(self, x):
        return x + self.fc(self.norm(x))


class Stage(nn.Module):
    def __init__(self, dim, depth, images):
        super().__init__()
        self.images = images
        self.norm = nn.LayerNorm(dim)
        self.blocks = nn.ModuleList([Block(dim) for _ in range(depth)])

    def forward(self, x):
        if ${condition}:
            x = x.flatten(2).transpose(1, 2)
        for b|lock in self.blocks:
            x = block(x)
        return self.norm(x)
`,
    ).filter((each) => /prompt|only on a condition/.test(each));
  const refused = offered("not self.images");
  assert.ok(
    refused.length > 0 && refused.every((each) => each.includes("only on a condition")),
    refused.join("\n"),
  );
  assert.ok(offered("x.dim() == 4").includes("Prepend a soft prompt to `blocks`"));
});

test("norms without weights are none to train", () => {
  const norms = (options: string, part = ""): string[] =>
    titlesOf(`from torch import nn
from parts import Attention


class M|odel(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width${options})${part}
        self.head = nn.Linear(width, 7)

    def forward(self, x):
        return self.head(self.norm(x))
`).filter((title) => title.startsWith("Train only the norms"));
  const title = "Train only the norms of `Model` (LayerNorm tuning)";
  assert.deepEqual(norms(""), [title]);
  assert.deepEqual(norms(", elementwise_affine=False"), [
    `${title}: \`Model\` has no norm layers with weights.`,
  ]);
  const attention = "\n        self.attn = Attention(width)";
  assert.deepEqual(norms("", attention), [title]);
  assert.deepEqual(norms(", elementwise_affine=False", attention), [
    `${title}: \`Model\` has no norm layers with weights.`,
  ]);
});
