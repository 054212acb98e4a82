/** Editing must give what reading afresh gives, and typing must never take down what is not being typed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { readPython } from "../../../server/src/python/document";
import { fixture, sameAsFresh } from "./check";

const snippets = [
  "(",
  ")",
  "[",
  "{",
  "}",
  '"',
  "'",
  '"""',
  "'''",
  "\n",
  "\r\n",
  "    ",
  "\t",
  ":",
  ",",
  "#",
  "\\\n",
  "@",
  "=",
  "self.",
  "nn.Linear(4, 4)",
  "class X(nn.Module):\n",
  "def f(self, x):\n",
  "import torch.nn as nn\n",
  "from peft import LoraConfig\n",
  "config.n_embd",
  "x = x + self.mlp(x)\n",
  "GPTConfig",
  "return ",
  "for i in range(3):\n",
];

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.integer({ min: 0, max: 30 }),
  insert: fc.oneof(fc.constantFrom(...snippets), fc.constant("")),
});

test("after any edits the facts are those of the new text read afresh", () => {
  const whole = fixture("gpt.py");
  const start = readPython(whole);
  assert.ok(start.facts.modules.length > 0);
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      let document = start;
      for (const { at, remove, insert } of edits) {
        const from = Math.floor(at * document.text.length);
        document = document.edit([{ from, to: Math.min(from + remove, document.text.length), insert }]);
        assert.ok(document.facts.modules);
      }
      sameAsFresh(document);
    }),
    { numRuns: 40 },
  );
});

test("several changes in one edit all speak of the old text", () => {
  const document = readPython("a = 1\nb = 2\n").edit([
    { from: 6, to: 7, insert: "bb" },
    { from: 0, to: 1, insert: "aa" },
  ]);
  assert.equal(document.text, "aa = 1\nbb = 2\n");
  sameAsFresh(document);
});

for (const name of ["gpt.py", "zoo.py"]) {
  test(`typing ${name} character by character loses no class outside the statement being typed`, () => {
    const text = fixture(name);
    const complete = readPython(text).facts.modules;
    assert.ok(complete.length > 3);
    // Each class in turn is typed below those above it, above those below it.
    for (const typed of complete) {
      if (typed.indentation !== "") continue;
      const others = complete.filter(
        (module) => module.range.to <= typed.range.from || module.range.from >= typed.range.to,
      );
      const stride = Math.max(1, Math.floor((typed.range.to - typed.range.from) / 15));
      for (let end = typed.range.from + 1; end < typed.range.to; end += stride) {
        const half = text.slice(0, end) + text.slice(typed.range.to);
        const seen = new Set(readPython(half).facts.modules.map((module) => module.name));
        const lost = others.filter((module) => !seen.has(module.name)).map((module) => module.name);
        // A base class that is itself being typed is no base yet.
        const below = lost.filter(
          (each) => !complete.find((module) => module.name === each)?.bases.includes(typed.name),
        );
        assert.deepEqual(
          below,
          [],
          `after typing ${JSON.stringify(text.slice(typed.range.from, end).slice(-60))}`,
        );
      }
    }
  });
}

test("a class head deleted below a long class makes its body part of that class, as afresh", () => {
  const method = (index: number): string =>
    `    def step${index}(self, x):\n        hidden = x + ${index}\n        return hidden * 2 + hidden\n\n`;
  const methods = Array.from({ length: 30 }, (_, index) => method(index)).join("");
  const head = "class Below(nn.Module):";
  const text = `from torch import nn\n\n\nclass Above(nn.Module):\n${methods}\n# About the class below\n${head}\n    width = 3\n\n${methods}`;
  const from = text.indexOf(head);
  const document = readPython(text);
  assert.equal(document.facts.modules.length, 2);
  const joined = document.edit([{ from, to: from + head.length, insert: "" }]);
  assert.equal(joined.facts.modules.length, 1);
  sameAsFresh(joined);
});

test("what a constructor is passed through many others is known, whoever asks first", () => {
  const locals = (last: string): string =>
    Array.from(
      { length: 12 },
      (_, index) => `        v${index} = ${index === 0 ? "dim" : `v${index - 1}`}\n`,
    ).join("") + `        self.fc = nn.Linear(v11, 4)\n${last}\n`;
  const chain = Array.from({ length: 8 }, (_, index) => {
    const inner = index === 0 ? "" : `        self.inner = Block${index - 1}(v11)\n`;
    return `class Block${index}(nn.Module):\n    def __init__(self, dim):\n        super().__init__()\n${locals(inner)}`;
  });
  const text = `from torch import nn\n\n${chain.join("\n")}\nmodel = Block7(64)\n`;
  const document = readPython(text);
  const widths = document.facts.modules.map((module) => module.layers[0]?.sizes["in_features"]);
  assert.deepEqual(
    widths,
    Array.from({ length: 8 }, () => 64),
  );
  // The class that asked first asks no longer.
  const asks = text.indexOf("nn.Linear(v11");
  sameAsFresh(document.edit([{ from: asks, to: asks + "nn.Linear(v11".length, insert: "nn.Linear(3" }]));
});

test("what an object of a dataclass holds is certain until a line elsewhere changes it", () => {
  const whole = [
    "from dataclasses import dataclass",
    "from peft import LoraConfig",
    "@dataclass",
    "class Settings:",
    "    rank: int = 64",
    "settings = Settings()",
    ...Array.from({ length: 40 }, (_, index) => `def other${index}():\n    return ${index}`),
    "config = LoraConfig(r=settings.rank)",
    "",
  ].join("\n");
  const document = readPython(whole);
  const rank = ({ facts }: typeof document) =>
    facts.calls.find(({ assignedTo }) => assignedTo === "config")?.arguments[0]?.value;
  assert.deepEqual(
    [rank(document)?.value, rank(document)?.assumed],
    [{ kind: "number", value: 64 }, undefined],
  );
  const at = whole.indexOf("def other20");
  const changed = document.edit([{ from: at, to: at, insert: "settings.rank = 8\n" }]);
  assert.equal(rank(changed)?.assumed, true);
  sameAsFresh(changed);
});
