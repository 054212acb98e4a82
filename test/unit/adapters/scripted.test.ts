/** Models that TorchScript compiles take what compiles, others are not concerned. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt } from "./check";

const file = (scripting: string): string => `import torch
from torch import nn


@torch.jit.script
def gelu(x):
    return x


class Part(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Lin|ear(d, d)

    def forward(self, x):
        return self.fc(x)


class Other(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x):
        return self.fc(x)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = Part(8)

    def forward(self, x):
        return x + self.part(x)


${scripting}
`;

const disabled = (scripting: string, method: string): string | undefined =>
  actionsAt(file(scripting)).actions.find(({ title }) => title.startsWith(`Adapt \`fc\` with ${method}`))
    ?.disabled?.reason;

for (const scripting of [
  "model = Model()\ntorch.jit.script(model).save('m.pt')",
  "torch.jit.script(Model().eval())",
  "def export(m):\n    return torch.jit.script(m)",
])
  test(`in a model that is compiled only what compiles is offered: ${scripting}`, () => {
    assert.match(disabled(scripting, "DoRA") ?? "", /^`torch\.jit\.script\(.*\)` compiles the model/);
    assert.equal(disabled(scripting, "LoRA"), undefined);
  });

for (const scripting of [
  "",
  "torch.jit.script(Other())",
  "fast = torch.jit.script(gelu)",
  "torch.jit.trace(Model(), x)",
])
  test(`nothing is refused where the model is not compiled: ${scripting}`, () => {
    assert.equal(disabled(scripting, "DoRA"), undefined);
  });
