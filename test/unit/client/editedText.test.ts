import assert from "node:assert/strict";
import { test } from "node:test";
import { plainSnippet, textAfter } from "../../../client/src/editedText";

const at = (line: number, character: number) => ({ line, character });

for (const lineBreak of ["\n", "\r\n"])
  test(`edits in any order, at one place in theirs, with ${JSON.stringify(lineBreak)}`, () => {
    const text = ["import torch", "layer = nn.Linear(4, 8)", "end"].join(lineBreak);
    const after = textAfter(text, [
      { range: { start: at(1, 22), end: at(1, 22) }, snippet: { value: ", rank=${1:8}, name=${2:\\$x\\}}" } },
      { range: { start: at(1, 8), end: at(1, 17) }, newText: "LoRALinear" },
      { range: { start: at(0, 0), end: at(0, 0) }, newText: "a" },
      { range: { start: at(0, 0), end: at(0, 0) }, newText: "b" },
      { range: { start: at(9, 0), end: at(9, 0) }, newText: "!" },
    ]);
    assert.deepEqual(after, {
      text: ["abimport torch", "layer = LoRALinear(4, 8, rank=8, name=$x})", "end!"].join(lineBreak),
      line: 1,
    });
  });

test("the line of the first stop, below what is inserted above it and within its own change", () => {
  const text = "import torch\n\nlayer = None\n";
  const snippet = "before(\\$\n    1,\n    rank=${1:8},\n    ${2:x},\n)";
  const after = textAfter(text, [
    { range: { start: at(2, 8), end: at(2, 12) }, snippet: { value: snippet } },
    { range: { start: at(0, 0), end: at(0, 0) }, newText: "import math\n\n" },
  ]);
  assert.equal(after.line, 6);
  assert.equal(after.text.split("\n")[6], "    rank=8,");
  assert.deepEqual(textAfter("a", [{ range: { start: at(0, 0), end: at(0, 1) }, newText: "b" }]), {
    text: "b",
  });
});

test("escapes of a snippet", () => {
  assert.equal(plainSnippet("a\\${1:b\\} ${1:c}"), "a${1:b} c");
});
