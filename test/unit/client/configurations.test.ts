/** For which documents the server is started. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { concerns } from "../../../client/src/configurations";

const keys = ["base_model", "model_name_or_path"];

/** Whether a document would start the server; `lines` in place of those it has. */
const starts = (languageId: string, text: string, lines = text.split("\n").length): boolean =>
  concerns({ languageId, lineCount: lines, getText: () => text }, keys);

test("the server is started for Python and for YAML that may be a configuration", () => {
  assert.ok(starts("python", ""));
  assert.ok(starts("yaml", "# mine\nbase_model: x\n"));
  assert.ok(starts("yaml", "stage: sft\r\n'model_name_or_path' : x\r\n"));
});

test("it is not started for other YAML and other languages", () => {
  assert.ok(!starts("yaml", "services:\n  base_model: x\n"));
  assert.ok(!starts("yaml", "base_models: x\n# base_model: y\n"));
  assert.ok(!starts("json", "base_model: x\n"));
  assert.ok(!starts("yaml", "base_model: x\n", 100_000));
});
