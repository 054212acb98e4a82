import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt, applied, uri } from "./check";

const model = (cursorOnBlock: string, cursorOnModel: string): string => `import torch
from torch import Tensor, nn

name = 'small'


class Blo${cursorOnBlock}ck(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(768)
        self.attn = nn.MultiheadAttention(768, 4)
        self.mlp = nn.Sequential(nn.Linear(768, 64), nn.GELU(), nn.Linear(64, 768))

    def forward(self, x):
        x = x + self.attn(x, x, x)[0]
        return x + self.mlp(self.norm(x))


class Mod${cursorOnModel}el(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()

    def forward(self, x):
        return self.block(x)
`;

/** The text after the action whose title matches. */
async function after(marked: string, title: RegExp): Promise<string> {
  const { service, text, actions } = actionsAt(marked);
  const action = actions.find((each) => title.test(each.title));
  assert.ok(action, actions.map((each) => each.title).join("\n"));
  return applied((await service.resolveCodeAction(action)).edit, { [uri]: text })[uri] ?? "";
}

test("what Compacter shares is shared where the whole model is built, and counts once", async () => {
  // twice 2 (768 + 24) + 768 + 24 = 2,376 of their own, and 64 shared
  const edited = await after(model("|", ""), /Compacter.*\(4,816 trainable\)$/);
  assert.match(edited, /self\.block = Block\(\)\n {8}share_phm_rule\(self\)\n/);
  assert.equal(
    edited.split("\n        share_phm_rule(self)\n\n    def forward(self, x):\n        return self.block")
      .length,
    2,
  );
});

test("inserted Python takes the file's quotes", async () => {
  const edited = await after(model("|", ""), /Compacter/);
  assert.match(edited, /approximate='tanh'/);
});

test("of classes that hold no adapter, one that is handed its parts is offered their training, an activation not", async () => {
  const others = `

class Pair(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x):
        return self.decoder(self.encoder(x))


class Squared(nn.Module):
    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool1d(1)

    def forward(self, x):
        return self.pool(self.relu(x)) ** 2
`;
  const edited = (await after(model("|", ""), /Houlsby/)) + others;
  const titlesAt = (name: string): string[] =>
    actionsAt(edited.replace(`class ${name}`, `class ${name.slice(0, -1)}|${name.slice(-1)}`)).actions.map(
      ({ title }) => title,
    );
  assert.ok(titlesAt("Model(").includes("Train only the adapters of `Model`"));
  assert.ok(titlesAt("Pair(").includes("Train only the adapters of `Pair`"));
  assert.deepEqual(
    titlesAt("Squared(").filter((title) => title.startsWith("Train only the adapters")),
    [],
  );
});

test("only the adapters of the whole model are left to train", async () => {
  const edited = await after(model("|", ""), /Houlsby/);
  const marked = edited.replace("class Model", "class Mod|el");
  const trained = await after(marked, /^Train only the adapters of `Model`$/);
  assert.match(trained, /self\.block = Block\(\)\n {8}train_only\(self, HoulsbyAdapter\)\n/);
  assert.match(trained, /^def train_only\(/m);
});

test("names that may be something else than a linear layer are not among those suggested", () => {
  const { actions } = actionsAt(`from functools import partial

from torch import nn


class Block(nn.Module):
    def __init__(self, width, convolve=False):
        super().__init__()
        layer = partial(nn.Conv2d, kernel_size=1) if convolve else nn.Linear
        self.fc1 = layer(width, width)
        self.fc2 = nn.Linear(width, width)
        if convolve:
            self.out = nn.Sequential(normalization(width), nn.Linear(width, width))
        else:
            self.out = nn.Sequential(nn.Linear(width, width), nn.Linear(width, width))

    def forward(self, x):
        return self.out(self.fc2(self.fc1(x)))


class Mo|del(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.block = Block(width)

    def forward(self, x):
        return self.block(x)
`);
  const titles = actions
    .map(({ title }) => title)
    .filter((title) => title.endsWith("across `Model` with LoRA"));
  assert.deepEqual(titles, ["Adapt `fc2`, `out.1` across `Model` with LoRA"]);
  const single = actionsAt(`from torch import nn


class Mlp(nn.Module):
    def __init__(self, width, convolve=False):
        super().__init__()
        layer = nn.Conv2d if convolve else nn.Linear
        self.f|c1 = layer(width, width)
`).actions.find(({ title }) => title.startsWith("Adapt `fc1` with LoRA"));
  assert.match(
    single?.disabled?.reason ?? "",
    /^`layer` is `nn\.Conv2d` or `nn\.Linear`, as a condition says/,
  );
});

test("an action for layers of certain names says which, so that it stands when more of the model is known", () => {
  const { actions } = actionsAt(`from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)

    def forward(self, x):
        return self.qkv(x)


class Mo|del(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.block = Block(width)

    def forward(self, x):
        return self.block(x)
`);
  const sites = actions.flatMap(({ data }) => {
    const known: unknown = data;
    return typeof known === "object" && known !== null && "site" in known ? [String(known.site)] : [];
  });
  assert.ok(sites.includes("LoRALinear@linear:@Model::"), sites.join("\n"));
  assert.ok(sites.includes("LoRAQV@linear:@Model::qkv"), sites.join("\n"));
});

test("layers that only some models of a class have are no targets by themselves", () => {
  const { actions } = actionsAt(`from torch import nn


class Part(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x):
        return self.mix(x)


class Mo|del(nn.Module):
    def __init__(self, width, num_classes, distill=False):
        super().__init__()
        self.part = Part(width)
        self.head = nn.Linear(width, num_classes)
        self.other = nn.Linear(width, 64) if distill else None

    def forward(self, x):
        return self.head(self.part(x))
`);
  const [action] = actions.filter(({ title }) => title.endsWith("across `Model` with IncreLoRA"));
  assert.equal(action?.title, "Adapt `head`, `other` across `Model` with IncreLoRA");
});
