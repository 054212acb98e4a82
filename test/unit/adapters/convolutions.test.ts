/** Convolutions over one, two and three dimensions: each has its class, and places of its own across a model. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt, applied, checkInsertion, source, uri } from "./check";

const shared = [
  source("shared/plain_conv.py", "plain_conv"),
  source("lora-conv/lora_conv.py", "LoRAConv"),
].join("\n\n\n");

const imports = `import torch
from torch import Tensor, nn
`;

const encoder = (first: string, second: string): string => `class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ${first}
        self.conv2 = ${second}

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(torch.relu(self.conv1(x)))
`;

const adapted = (symbol: string, base: string, built: string): string => `import math
from typing import Any

${imports}

${shared}


class ${symbol}(LoRAConv, ${base}):
    """\`${base}\` plus a trainable low-rank update: LoRA (Hu et al., 2021, arXiv:2106.09685)."""


${built}`;

for (const [base, symbol, trainable] of [
  // 8 · (80 · 3 + 384), 8 · (80 · 27 + 384)
  ["nn.Conv1d", "LoRAConv1d", "4,992"],
  ["nn.Conv3d", "LoRAConv3d", "20,352"],
] as const) {
  const plain = `${imports}\n\n${encoder(`${base}(80, 384, 3, padding=1)`, `${base}(384, 384, 3)`)}`;
  const once = adapted(
    symbol,
    base,
    encoder(`${symbol}(80, 384, 3, padding=1, rank=8, alpha=8)`, `${base}(384, 384, 3)`),
  );

  test(`a layer of ${base} becomes one of the class for its dimensions`, () =>
    checkInsertion(
      plain.replace("self.conv1 =", "self.co|nv1 ="),
      `Adapt \`conv1\` with LoRA for convolutions (${trainable} trainable)`,
      once,
    ));

  test(`a layer of ${base} becomes what it was`, async () => {
    const { service, text, actions } = actionsAt(once.replace("self.conv1 =", "self.co|nv1 ="));
    const removal = actions.find(({ title }) => title === "Remove LoRA for convolutions from `conv1`");
    assert.ok(removal);
    const { edit } = await service.resolveCodeAction(removal);
    assert.equal(applied(edit, { [uri]: text })[uri], plain);
  });
}

const offers = (marked: string): string[] =>
  actionsAt(marked)
    .actions.filter(({ title }) => title.includes("LoRA for convolutions"))
    .map(({ title, disabled }) => (disabled === undefined ? title : `${title}: ${disabled.reason}`));

const mixed = `${imports}

class Frames(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)
        self.mix = nn.Conv2d(16, 16, (1, 3))
        self.up = nn.ConvTranspose2d(16, 16, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.mix(self.conv(x.mean(2))))


class Video(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv3d(3, 16, (3, 7, 7))
        self.frames = Frames()

    def forward(self, x: Tensor) -> Tensor:
        return self.stem(x).mean() + self.frames(x)


model = Video()
`;

test("across a model, those over as many dimensions go together, and are counted by the positions of their kernel", () =>
  assert.deepEqual(offers(mixed.replace("model = Vi", "model = Vi|")), [
    // 8 · (3 · 9 + 16) + 8 · (16 · 3 + 16)
    "Adapt `conv`, `mix` across `model` with LoRA for convolutions (856 trainable)",
    // 8 · (3 · 147 + 16)
    "Adapt `stem` across `model` with LoRA for convolutions (3,656 trainable)",
  ]));

test("in a class, too; a transposed convolution is refused", () => {
  const all = ["Adapt all 2 convolutions of Frames with LoRA for convolutions (856 trainable)"];
  assert.deepEqual(offers(mixed.replace("class Frames", "class Fr|ames")), all);
  assert.deepEqual(offers(mixed.replace("self.up = ", "self.u|p = ")), [
    "Adapt `up` with LoRA for convolutions: `up` is a torch.nn.ConvTranspose2d, not a torch.nn.Conv1d, Conv2d or Conv3d.",
    ...all,
  ]);
});

const lists = `${imports}

def make_layers(plan):
    layers = []
    channels = 3
    for item in plan:
        if item == "M":
            layers += [nn.MaxPool2d(2)]
        else:
            conv2d = nn.Conv2d(channels, item, 3, padding=1)
            layers += [conv2d, nn.ReLU()]
            channels = item
    return nn.Sequential(*layers)


def make_neck(width):
    return nn.Sequential(nn.Conv2d(width, width, 3), nn.ReLU(), nn.Conv2d(width, width, 1))


class VGG(nn.Module):
    def __init__(self, plan) -> None:
        super().__init__()
        self.features = make_layers(plan)
        self.neck = make_neck(32)

    def forward(self, x: Tensor) -> Tensor:
        return self.neck(self.features(x))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = VGG((16, "M", 32))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


model = Net()
`;

test("a list that a function fills with one construction is adapted there, for all that the function builds", () => {
  const all = "Adapt all that `make_layers` builds with LoRA for convolutions";
  assert.deepEqual(offers(lists.replace("self.features =", "self.fea|tures =")), [all]);
  assert.deepEqual(offers(lists.replace("= nn.Conv2d(channels", "= nn.Con|v2d(channels")), [all]);
});

test("the edit changes the construction in the function", async () => {
  const { service, text, actions } = actionsAt(lists.replace("self.features =", "self.fea|tures ="));
  const action = actions.find(({ title }) => title.includes("LoRA for"));
  assert.ok(action);
  const { edit } = await service.resolveCodeAction(action);
  const after = applied(edit, { [uri]: text })[uri] ?? "";
  const built = "LoRAConv2d(channels, item, 3, padding=1, rank=8, alpha=8)";
  assert.equal(
    after.slice(after.indexOf("def make_layers")),
    lists.slice(lists.indexOf("def make_layers")).replace("nn.Conv2d(channels, item, 3, padding=1)", built),
  );
});

test("of several constructions none is changed alone; across the model all are, and what stands between them stays", () => {
  const several =
    "`make_neck` builds several such layers. Adapt them across the whole model, where it is built, or inside `make_neck`.";
  assert.deepEqual(offers(lists.replace("self.neck =", "self.ne|ck =")), [
    `Adapt \`neck.0\` with LoRA for convolutions (2,560 trainable): ${several}`,
    `Adapt \`neck.2\` with LoRA for convolutions (512 trainable): ${several}`,
  ]);
  assert.deepEqual(offers(lists.replace("model = Net", "model = N|et")), [
    "Adapt `features`, `neck.0`, `neck.2` across `model` with LoRA for convolutions",
  ]);
});

test("a method that must divide sizes is refused where a function's callers decide them", () => {
  const { actions } = actionsAt(lists.replace("self.features =", "self.fea|tures ="));
  assert.equal(
    actions.find(({ title }) => title.includes("LoKr"))?.disabled?.reason,
    "LoKr needs in_channels // groups % factor == 0 of all that `make_layers` builds, whose sizes are not certain here.",
  );
});
