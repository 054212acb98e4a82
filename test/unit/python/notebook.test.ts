import assert from "node:assert/strict";
import { test } from "node:test";
import { joinCells } from "../../../server/src/python/notebook";
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
  check("if x:\n    !ls\n    y = 1", "if x:\n       \n    y = 1");
});
