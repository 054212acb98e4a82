import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, serviceWith } from "./check";

test("a fix in a later cell of a notebook lands in that cell", async () => {
  const service = serviceWith("");
  const [first, second] = ["notebook-cell:/a#1", "notebook-cell:/a#2"];
  const text = "from peft import BoneConfig\n\nconfig = BoneConfig(r=8)\n";
  service.setNotebook("file:///a.ipynb", [
    { uri: first, languageId: "python", version: 1, text: "%matplotlib inline\nx = 1\n" },
    { uri: second, languageId: "python", version: 1, text },
  ]);
  assert.deepEqual(await service.diagnose(first), []);
  const diagnostics = (await service.diagnose(second)) ?? [];
  assert.deepEqual(
    diagnostics.map(({ range }) => range),
    [{ start: { line: 0, character: 17 }, end: { line: 0, character: 27 } }],
  );
  const range = { start: { line: 0, character: 20 }, end: { line: 0, character: 20 } };
  const [fix] = service.codeActions(second, range, { diagnostics, only: ["quickfix"] });
  assert.deepEqual(applied(fix?.edit, { [second]: text }), {
    [second]: "from peft import MissConfig\n\nconfig = MissConfig(r=8)\n",
  });
});
