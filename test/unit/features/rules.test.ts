/**
 * Every rule of the corpus on marked sources of test/fixtures/rules/<id>.txt: what it finds in `wrong`, the document after
 * its first fix in `fixed`, and that it is silent in `right`.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { configurationChecks } from "../../../server/src/features/configuration/diagnostics";
import { checks } from "../../../server/src/features/rules/checks";
import { marked } from "./check";
import { findings, findingsWith, fixed, folder, rules, sourcesOf } from "./ruleSources";

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
  assert.equal(fixed({ document, diagnostics }, text)[0]?.edited ?? text, next ?? text);
}

/** Each fix takes away the finding it belongs to, and brings none that is shown by default. */
function checkFixes(rule: string, source: string): void {
  const { text } = marked(source);
  const found = findings(rule, text);
  const before = new Set(findingsWith({}, text).diagnostics.map(({ code }) => code));
  for (const { title, edited } of fixed(found, text)) {
    const left = findings(rule, edited).diagnostics.length;
    assert.ok(left < found.diagnostics.length, `${title} leaves the finding:\n${edited}`);
    const fresh = findingsWith({}, edited).diagnostics.filter(({ code }) => !before.has(code));
    assert.deepEqual(
      fresh.map(({ message }) => message),
      [],
      `${title} brings another finding:\n${edited}`,
    );
  }
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
      const parts = sourcesOf(rule);
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
        if (kind === "wrong")
          it(`every fix of ${index + 1} takes it away`, () => {
            checkFixes(rule, source);
          });
      });
    });
});
