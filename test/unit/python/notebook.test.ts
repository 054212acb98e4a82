import assert from "node:assert/strict";
import { test } from "node:test";
import { joinCells } from "../../../server/src/python/text/notebook";
import { read } from "./check";

test("cells are one program whose offsets lead back to their cell", () => {
  const joined = joinCells([
    { uri: "a", text: "from peft import LoraConfig" },
    { uri: "b", text: "%load_ext autoreload\nc = LoraConfig()" },
  ]);
  const [call] = read(joined.text).calls;
  assert.equal(call?.qualified, "peft.LoraConfig");
  assert.deepEqual(joined.toCell(call.callee.from), { uri: "b", offset: 25 });
  assert.equal(joined.toJoined("b", 25), call.callee.from);
  assert.equal(joined.toJoined("c", 0), undefined);
  assert.equal(joined.toCell(joined.text.length + 5), undefined);
});

/** The joined text of one cell, without the line break that ends it. */
function check(cell: string, expected: string): void {
  const { text } = joinCells([{ uri: "a", text: cell }]);
  assert.equal(text, `${expected}\n`);
  assert.equal(expected.length, cell.length);
}

test("magics are blanked to the same length, Python is left alone", () => {
  check("%time x = 1", "           ");
  check("!pip install peft\nx = 1", `${" ".repeat(17)}\nx = 1`);
  check("%%bash\nls", "      \n  ");
  check("%%time\nx = 1", "      \nx = 1");
  check("model?", "      ");
  check("x = 7\ny = x %z", "x = 7\ny = x %z");
  check("files = !ls", "files = 0  ");
  check("if x:\n    y = 1\n    !ls", "if x:\n    y = 1\n       ");
  check("!pip install x \\\n  --upgrade y\nz = 1", `${" ".repeat(16)}\n${" ".repeat(13)}\nz = 1`);
  check("out = %time f(x)\n?help", "out = 0         \n     ");
  check("# note\n%%time\nz = 1", "# note\n      \nz = 1");
});

test("a magic that is all of a body leaves a statement there", () => {
  check("for i in x:\n    !echo {i}\ny = 1", "for i in x:\n    0        \ny = 1");
  const { text } = joinCells([{ uri: "a", text: "for i in x:\n    %time y(i)\n" }]);
  assert.deepEqual(read(text).unread, []);
});

/** Whatever one cell holds, the class of the next is known, in its own cell. */
function checkAbove(cell: string): void {
  const head = "from torch import nn";
  const module = "class M(nn.Module):\n    def forward(self, x):\n        return x";
  const joined = joinCells([
    { uri: "head", text: head },
    { uri: "typed", text: cell },
    { uri: "module", text: module },
  ]);
  const found = read(joined.text).modules.filter(({ name }) => name === "M");
  assert.deepEqual(
    found.map(({ nameRange }) => joined.toCell(nameRange.from)),
    [{ uri: "module", offset: 6 }],
    cell,
  );
}

test("a half-written cell and cells of other languages take no other cell down", () => {
  checkAbove("x = f(");
  checkAbove("x = f(a,\n");
  checkAbove('x = """open');
  checkAbove("print(f'{x");
  checkAbove("if x:");
  checkAbove("class H(nn.Module):\n    def f(self):\n");
  checkAbove("y = \\");
  checkAbove('%%bash\nfor f in (*; do echo "$f');
  checkAbove("%%html\n<div class='a'>");
});
