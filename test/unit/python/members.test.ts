import assert from "node:assert/strict";
import { test } from "node:test";
import { callAt, referenceAt } from "../../../server/src/python/at";
import { readPython } from "../../../server/src/python/document";
import { cursor, source } from "./check";

const imported = "from peft import PeftModel, get_peft_model\n";

/** What the attribute at the cursor belongs to, as the call that gave it; undefined where that is not certain. */
function check(marked: string, expected: string | undefined): void {
  const { text, offset, facts } = cursor(imported + marked);
  const found = referenceAt(facts, offset);
  assert.equal(found?.qualified, expected, marked);
  if (found) assert.match(source(text, found.range) ?? "", /^\w+$/, marked);
}

const saved = "peft.get_peft_model().save";

test("an attribute of what a call gave has the call in its path", () => {
  check("model = get_peft_model(m, c)\nmodel.sa|ve()\n", saved);
  check("model = get_peft_model(m, c)\nprint(1)\nmodel.|save\n", saved);
  check(
    "model = PeftModel.from_pretrained(m, 'a')\nmodel.sa|ve()\n",
    "peft.PeftModel.from_pretrained().save",
  );
  check("get_peft_model(m, c).sa|ve()\n", saved);
  check("get_peft_model(m, c).base_model.sa|ve()\n", "peft.get_peft_model().base_model.save");
  check("with torch.no_grad():\n    model = get_peft_model(m, c)\nmodel.sa|ve()\n", saved);
  check("model = get_peft_model(m, c)\nother = model\nother.sa|ve()\n", saved);
  check("model = get_peft_model(m, c).to('cuda')\nmodel.sa|ve()\n", saved);
  check("model = get_peft_model(m, c)\nmodel.merge().sa|ve()\n", "peft.get_peft_model().merge().save");
});

test("so it has within functions", () => {
  check("def f(m):\n    model = get_peft_model(m, c)\n    if m:\n        model.sa|ve()\n", saved);
  check("def f(model: PeftModel):\n    model.sa|ve()\n", "peft.PeftModel().save");
  check("model = get_peft_model(m, c)\ndef f():\n    model.sa|ve()\n", saved);
});

test("a name that may hold something else has none", () => {
  check("model.sa|ve()\n", undefined);
  check("model = load()\nmodel.sa|ve()\n", undefined);
  check(
    "model = get_peft_model(m, c)\nmodel = model.merge()\nmodel.sa|ve()\n",
    "peft.get_peft_model().merge().save",
  );
  check("model = get_peft_model(m, c)\nmodel = wrap(model)\nmodel.sa|ve()\n", undefined);
  check("model = get_peft_model(m, c)\nmodel, x = f()\nmodel.sa|ve()\n", undefined);
  check("if a:\n    model = get_peft_model(m, c)\nmodel.sa|ve()\n", undefined);
  check("if a:\n    model = get_peft_model(m, c)\nelse:\n    model.sa|ve()\n", undefined);
  check("model = get_peft_model(m, c)\nfor model in models:\n    model.sa|ve()\n", undefined);
  check("model = get_peft_model(m, c)\nif a:\n    model = f()\nmodel.sa|ve()\n", undefined);
  check("model = f()\nmodel = get_peft_model(m, c)\ndef g():\n    model.sa|ve()\n", undefined);
  check("model = get_peft_model(m, c)\ndef g(model):\n    model.sa|ve()\n", undefined);
  check("model.sa|ve()\nmodel = get_peft_model(m, c)\n", undefined);
});

test("a call of such an attribute is known with its arguments, also while it is typed", () => {
  for (const rest of [")\n", "", "\n\nclass A:\n    x = 1\n"]) {
    const { facts, offset } = cursor(`${imported}model = get_peft_model(m, c)\nmodel.save(where=1|${rest}`);
    const { call, argument } = callAt(facts, offset) ?? {};
    assert.equal(call?.qualified, saved);
    assert.equal(argument?.keyword?.name, "where");
  }
});

test("it follows edits elsewhere", () => {
  const text = `${imported}model = f()\nmodel.save()\n`;
  const before = readPython(text);
  const at = (facts: typeof before.facts, all: string) => referenceAt(facts, all.indexOf("save"))?.qualified;
  assert.equal(at(before.facts, text), undefined);
  const from = text.indexOf("f()\n");
  const after = before.edit([{ from, to: from + 1, insert: "get_peft_model" }]);
  assert.equal(at(after.facts, after.text), saved);
});
