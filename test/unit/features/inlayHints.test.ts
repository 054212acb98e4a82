/** Hints behind adapted layers and configurations: marked text says where, `^^^` under the call that it stands behind. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultSettings } from "../../../server/src/defaultSettings";
import { inlayHints } from "../../../server/src/features/inlayHints";
import { serviceWith } from "../adapters/check";
import { marked } from "./check";
import { contextWith, open } from "./corpus";

function check(source: string, labels: readonly string[], asked?: (text: string) => [number, number]): void {
  const { text, ranges } = marked(source);
  const document = open(text);
  const [from, to] = asked?.(text) ?? [0, text.length];
  const found = inlayHints(contextWith(), document, from, to);
  assert.deepEqual(
    found.map(({ label }) => label),
    labels,
  );
  assert.deepEqual(
    found.map(({ position }) => document.text.offsetAt(position)),
    ranges.map((range) => range.to),
  );
}

const lora = `import torch.nn as nn


class LoRALinear(nn.Linear):
    """LoRA (arXiv:2106.09685)."""

    def __init__(self, in_features, out_features, *, rank=4, alpha=16.0):
        super().__init__(in_features, out_features)


class GPT(nn.Module):
    def __init__(self, rank):
        super().__init__()
`;

describe("inlay hints", () => {
  it("say behind an adapted layer what it trains, and of how much", () => {
    // 8 · (768 + 2304) of 768 · 2304 + 2304
    check(
      `${lora}        self.c_attn = LoRALinear(768, 2304, rank=8, alpha=16.0)
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        self.c_proj = nn.Linear(768, 768)
`,
      ["24,576 trainable · 1.4 %"],
    );
  });

  it("take a default from the class as it stands in the file", () => {
    // 4 · (768 + 2304)
    check(
      `${lora}        self.c_attn = LoRALinear(768, 2304)
                      ^^^^^^^^^^^^^^^^^^^^^
`,
      ["12,288 trainable · 0.69 %"],
    );
  });

  it("are absent where the rank is not known, and of a class of the user's own", () => {
    check(`${lora}        self.c_attn = LoRALinear(768, 2304, rank=rank)\n`, []);
    check(
      `${lora.replace("arXiv:2106.09685", "mine").replace("LoRA (", "(")}        self.c = LoRALinear(768, 2304, rank=8)\n`,
      [],
    );
  });

  const two = `${lora}        self.a = LoRALinear(8, 8, rank=1)
        self.b = LoRALinear(8, 8, rank=2)
                 ^^^^^^^^^^^^^^^^^^^^^^^^
`;
  it("speak only of the range that is asked for", () =>
    check(two, ["32 trainable · 44 %"], (text) => [text.indexOf("self.b"), text.length]));

  it("stand behind a configuration whose effect is known", () =>
    check(
      `import torch.nn as nn
from peft import LoraConfig, get_peft_model


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)


config = LoraConfig(r=1, target_modules=["fc"])
         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
model = get_peft_model(Net(), config)
other = LoraConfig(r=1, target_modules=["fc"])
`,
      ["1 layer · 16 trainable · 22 %"],
    ));
});

describe("the service's inlay hints", () => {
  const classes = `import torch.nn as nn


class LoRALinear(nn.Linear):
    """LoRA (arXiv:2106.09685)."""


class HoulsbyAdapter(nn.Module):
    """Houlsby adapter (arXiv:1902.00751)."""

    def __init__(self, width, *, bottleneck=64):
        super().__init__()
`;
  const net = `

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = LoRALinear(8, 8, rank=1)
        self.fc_adapter = HoulsbyAdapter(8, bottleneck=2)

    def forward(self, x):
        return x + self.fc_adapter(self.fc(x))
`;
  const everything = { start: { line: 0, character: 0 }, end: { line: 40, character: 0 } };
  const on = { ...defaultSettings, inlayHints: { enable: true } };

  it("are given where the setting turns them on", () => {
    const service = serviceWith(classes + net);
    const labels = (): unknown[] =>
      service.inlayHints("file:///project/model.py", everything).map(({ label }) => label);
    assert.deepEqual(labels(), []);
    service.configure(on);
    // LoRA 1 · (8 + 8) of 72; the adapter 2 · 8 · 2 + 8 + 2
    assert.deepEqual(labels(), ["16 trainable · 22 %", "42 trainable"]);
  });

  it("stand in their own cell of a notebook", () => {
    const service = serviceWith("");
    service.configure(on);
    const [first, second] = ["notebook-cell:/a#1", "notebook-cell:/a#2"];
    service.setNotebook("file:///a.ipynb", [
      { uri: first, languageId: "python", version: 1, text: classes },
      { uri: second, languageId: "python", version: 1, text: net },
    ]);
    assert.deepEqual(service.inlayHints(first, { ...everything, end: { line: 2, character: 0 } }), []);
    assert.deepEqual(
      service.inlayHints(second, everything).map(({ position }) => position),
      [
        { line: 5, character: 42 },
        { line: 6, character: 57 },
      ],
    );
  });
});
