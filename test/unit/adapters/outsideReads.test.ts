/** Functions and other classes that compute with the weight of a layer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt } from "./check";

const file = (rest: string): string => `import torch
import torch.nn.functional as F
from torch import nn


class Head(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.proj = nn.Lin|ear(d, d)

    def forward(self, x):
        return self.proj(x)


${rest}
`;

const reason = (rest: string): string | undefined =>
  actionsAt(file(rest)).actions.find(({ title }) => title.startsWith("Adapt `proj` with LoRA"))?.disabled
    ?.reason;

const whole = (type: string, use: string): string => `class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = ${type}
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        return ${use}`;

for (const [by, rest] of [
  ["score", "def score(model, x):\n    return F.linear(x, model.head.proj.weight)"],
  ["score", "def score(head, x):\n    return x @ head.proj.weight.t()"],
  ["Model", whole("Head(8)", "x @ self.head.proj.weight")],
  ["Longer", "class Longer(Head):\n    def forward(self, x):\n        return F.linear(x, self.proj.weight)"],
] as const)
  test(`refused, for ${by} goes past the layer: ${rest.split("\n").at(-1)?.trim() ?? ""}`, () => {
    assert.match(reason(rest) ?? "", new RegExp(`^\`${by}\` computes with the weight of`));
  });

for (const rest of [
  "def show(model):\n    print(model.head.proj.weight.shape, model.head.proj.weight.norm())",
  "def init_weights(model):\n    model.head.proj.weight.data = model.head.proj.weight @ torch.eye(8)",
  "def score(model, x):\n    # F.linear(x, model.head.proj.weight)\n    return F.linear(x, model.other.weight)",
  whole("nn.Linear(8, 8)", "F.linear(x, self.head.weight)"),
])
  test(`not refused: ${rest.split("\n").at(-1)?.trim() ?? ""}`, () => {
    assert.equal(reason(rest), undefined);
  });
