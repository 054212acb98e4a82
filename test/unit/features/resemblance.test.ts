/** Classes of our own that implement a method under other names, and near misses: `# resembles:` says what is expected. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { MarkupContent } from "vscode-languageserver-types";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { hover } from "../../../server/src/features/hover";
import { resemblance } from "../../../server/src/features/resemblance";
import { createLibrary } from "../../../server/src/literature/library";
import { readPython } from "../../../server/src/python/document";
import { contextWith, open } from "./corpus";

const folder = "test/fixtures/resemblance";
const library = createLibrary(compileCorpus("corpus").corpus, {});

describe("a hand-written class", () => {
  for (const file of readdirSync(folder)) {
    const source = readFileSync(`${folder}/${file}`, "utf8");
    const expected = /^# resembles: ([\w-]+)/.exec(source)?.[1];
    it(`${file}: ${expected}`, () => {
      const { facts } = readPython(source);
      const [module] = facts.modules;
      assert.ok(module !== undefined);
      assert.equal(resemblance(library, facts, module)?.method.id ?? "none", expected);
    });
  }

  it("is explained where one hovers over its name", () => {
    const text = readFileSync(`${folder}/lora_subclass_branches.py`, "utf8");
    const context = contextWith({ library, formulas: "latex" });
    const shown = hover(context, open(text), text.indexOf("Projection"));
    assert.ok(MarkupContent.is(shown?.contents));
    assert.deepEqual(
      shown.contents.value
        .replace(/\\(?=\W|_)/g, "")
        .split("\n\n")
        .slice(0, 2),
      [
        "**Projection** · resembles LoRA",
        "It computes `base(x) + B(A(x))`, scales aside: `base` is the class it extends, `B` is `u`, `A` is `v`.",
      ],
    );
    assert.match(shown.contents.value, /2106\.09685/);
  });

  it("is told which attribute plays which part", () => {
    const { facts } = readPython(readFileSync(`${folder}/lora_subclass_branches.py`, "utf8"));
    const [module] = facts.modules;
    const found = module && resemblance(library, facts, module);
    assert.deepEqual([...(found?.roles ?? [])].toSorted(), [
      ["A", "v"],
      ["B", "u"],
      ["base", "super"],
    ]);
    assert.equal(found?.formula, "base(x) + B(A(x))");
  });
});
