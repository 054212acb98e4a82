/** Layers that functions build: the construction in the function is what an adapter stands for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt, applied, checkInsertion, source, uri } from "./check";

const conv = [
  source("shared/plain_conv.py", "plain_conv"),
  source("lora-conv/lora_conv.py", "LoRAConv"),
  source("lora-conv/lora_conv.py", "LoRAConv2d"),
].join("\n\n\n");
const linear = source("lora/lora.py", "LoRALinear");

const imports = `import torch
from torch import Tensor, nn
`;

const block = (built: string, rank: string): string => `def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    return ${built}(inputs, outputs, 3, padding=1, bias=False${rank})  # keeps the size


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = conv3x3(width, width)
        self.conv2 = conv3x3(width, 2 * width)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(torch.relu(self.conv1(x)))
`;

const plainBlock = block("nn.Conv2d", "");
const adaptedFile = `import math
from typing import Any

${imports}

${conv}


${block("LoRAConv2d", ", rank=8, alpha=8")}`;

const all = "Adapt all that `conv3x3` builds with LoRA for convolutions";

test("a function of the file: all that it builds is adapted where it builds it, and the class stands above it", () =>
  checkInsertion(
    `${imports}

${plainBlock.replace("self.conv1 = ", "self.con|v1 = ")}`,
    all,
    adaptedFile,
  ));

test("the same is offered in the function itself", () =>
  checkInsertion(
    `${imports}

${plainBlock.replace("nn.Conv2d(inputs", "nn.Con|v2d(inputs")}`,
    all,
    adaptedFile,
  ));

test("it comes out again, from the function and from each line that calls it", async () => {
  for (const place of ["LoRAConv2d(inputs", "self.conv2 = conv3x3"]) {
    const marked = adaptedFile.replace(place, `${place.slice(0, 7)}|${place.slice(7)}`);
    const { service, text, actions } = actionsAt(marked);
    const removal = actions.find(({ title }) => title.startsWith("Remove"));
    assert.equal(removal?.title, "Remove LoRA for convolutions from all that `conv3x3` builds");
    const { edit } = await service.resolveCodeAction(removal);
    assert.equal(
      applied(edit, { [uri]: text })[uri],
      `${imports}

${plainBlock}`,
    );
  }
});

const head = (first: string, then: string): string => `class Head(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = self.build_fc1(width, 64)

    def build_fc1(self, inputs: int, outputs: int) -> nn.Linear:
        layer = ${first}
        nn.init.xavier_uniform_(layer.weight)
        ${then}

    def forward(self, x: Tensor) -> Tensor:
        return self.fc1(x)
`;

test("a method that builds one layer: the layer has its own name in the menu", () =>
  checkInsertion(
    `import math

${imports}

${head("nn.Lin|ear(inputs, outputs)", "return layer")}`,
    "Adapt `fc1` with LoRA",
    `import math

${imports}

${linear}


${head("LoRALinear(inputs, outputs, rank=8, alpha=16)", "return layer")}`,
  ));

const offered = (marked: string): string[] =>
  actionsAt(marked).actions.map(({ title, disabled }) => `${title}${disabled ? " (disabled)" : ""}`);

test("where the function does more to the layer, its line shows why not", () => {
  for (const [first, then] of [
    ["nn.Linear(inputs, outputs)", "return nn.utils.weight_norm(layer)"],
    ["nn.Linear(inputs, outputs)", "layer.weight = self.shared\n        return layer"],
    ["nn.Linear(inputs, outputs) if inputs else None", "return layer"],
  ] as const) {
    const marked = `${imports}

${head(first, then).replace("self.fc1 = self", "self.f|c1 = self")}`;
    const [lora] = offered(marked);
    const isSound = then === "return layer";
    assert.equal(lora, isSound ? "Adapt `fc1` with LoRA" : "Adapt `fc1` with LoRA (disabled)", first);
  }
});

test("what a function builds in another file is adapted there", () => {
  const { actions } = actionsAt(`${imports}from layers import conv3x3


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.con|v1 = conv3x3(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv1(x)
`);
  assert.deepEqual(
    actions.filter(({ title, disabled }) => title.startsWith("Adapt") && !disabled),
    [],
  );
});
