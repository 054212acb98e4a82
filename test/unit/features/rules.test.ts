/**
 * Every rule of the corpus on marked sources of test/fixtures/rules/<id>.txt: what it finds in `wrong`, the document after
 * its first fix in `fixed`, and that it is silent in `right`.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { diagnose } from "../../../server/src/features/diagnostics";
import {
  configurationChecks,
  diagnoseConfiguration,
} from "../../../server/src/features/configuration/diagnostics";
import { recognise } from "../../../server/src/features/configuration/document";
import { quickFixes } from "../../../server/src/features/quickFixes";
import { checks } from "../../../server/src/features/rules/checks";
import { createLibrary } from "../../../server/src/literature/library";
import { open as openConfiguration } from "../configuration/check";
import { marked } from "./check";
import { contextWith, open } from "./corpus";

const folder = "test/fixtures/rules";
const { corpus } = compileCorpus("corpus");
const { rules = [] } = corpus;
const library = createLibrary(corpus, {});

/** The findings of one rule alone, turned on whatever its default. */
function findings(rule: string, text: string) {
  const context = contextWith({ library });
  const shown = Object.fromEntries(
    rules.map(({ id, severity }) => [id, id === rule ? severity : ("off" as const)]),
  );
  const settings = { ...context.settings, diagnostics: { enable: true, rules: shown } };
  const given = { ...context, settings };
  // what is certainly a configuration file is none of Python
  if (recognise(library, text) !== undefined) {
    const document = openConfiguration(text);
    return { document, diagnostics: diagnoseConfiguration(given, document) };
  }
  const document = open(text);
  return { document, diagnostics: diagnose(given, document) };
}

function check(rule: string, kind: string, source: string, next: string | undefined): void {
  const { text, ranges } = marked(source);
  const { document, diagnostics } = findings(rule, text);
  assert.deepEqual(
    diagnostics.map(({ range }) =>
      text.slice(document.text.offsetAt(range.start), document.text.offsetAt(range.end)),
    ),
    ranges.map(({ from, to }) => text.slice(from, to)),
  );
  assert.deepEqual(
    diagnostics.map(({ range }) => document.text.offsetAt(range.start)),
    ranges.map(({ from }) => from),
  );
  assert.equal(kind === "wrong", diagnostics.length > 0);
  for (const { code, message } of diagnostics) {
    assert.equal(code, rule);
    assert.ok(typeof message === "string");
    assert.doesNotMatch(message, /[{}]|undefined|``/);
  }
  const [action] = quickFixes(document, diagnostics);
  const [change] = action?.edit?.documentChanges ?? [];
  const edits = change !== undefined && "edits" in change ? change.edits : [];
  const fixed = TextDocument.applyEdits(
    TextDocument.create("file:///a.py", "python", 1, text),
    edits.flatMap((edit) => ("newText" in edit ? [edit] : [])),
  );
  assert.equal(fixed, next ?? text);
}

describe("rules", () => {
  const files = readdirSync(folder).map((name) => name.replace(/\.txt$/, ""));
  it("have marked sources, each of them", () => {
    assert.deepEqual(rules.map(({ id }) => id).toSorted(), files.toSorted());
  });
  it("name checks that exist, and every check is named", () => {
    const named = new Set(rules.flatMap(({ check: name }) => name ?? []));
    const known = new Set([...checks.keys(), ...configurationChecks.keys()]);
    assert.deepEqual([...named].toSorted(), [...known].toSorted());
  });
  for (const rule of files)
    describe(rule, () => {
      const [, ...sections] = readFileSync(`${folder}/${rule}.txt`, "utf8").split(/^=== (?=\w+$)/m);
      const parts = sections.map((section) => {
        const end = section.indexOf("\n");
        return { kind: section.slice(0, end), source: section.slice(end + 1) };
      });
      it("has both", () => {
        for (const kind of ["wrong", "right"])
          assert.ok(
            parts.some((part) => part.kind === kind),
            kind,
          );
      });
      parts.forEach(({ kind, source }, index) => {
        const next = parts[index + 1];
        if (kind !== "fixed")
          it(`${kind} ${index + 1}`, () => {
            check(rule, kind, source, next?.kind === "fixed" ? next.source : undefined);
          });
      });
    });
});
