/** Whole files typed, and every way of leaving something open: classes outside stay known, facts are those read afresh. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { type PythonDocument, readPython } from "../../../server/src/python/document";
import type { PythonFacts } from "../../../server/src/python/facts";
import { fixture, sameAsFresh } from "./check";

const examples = readdirSync("examples")
  .filter((name) => name.endsWith(".py"))
  .map((name): [string, string] => [name, readFileSync(`examples/${name}`, "utf8")]);
const fixtures = ["branches.py", "gpt.py", "zoo.py"].map((name): [string, string] => [name, fixture(name)]);

/** Every how many keystrokes the facts are compared with those of the text read afresh. */
const sample = 197;

for (const [name, text] of examples) {
  test(`${name}, typed from its first character to its last`, () => {
    const complete = readPython(text).facts;
    let document = readPython("");
    for (let at = 0; at < text.length; at++) {
      document = document.edit([{ from: at, to: at, insert: text.charAt(at) }]);
      if (at % 7 !== 0) continue;
      const typed = complete.definitions.findLast(({ range }) => range.from <= at)?.range.from ?? 0;
      const known = new Set(document.facts.modules.map((module) => module.name));
      const lost = complete.modules
        .filter(({ range }) => range.to < typed)
        .filter((each) => !known.has(each.name));
      assert.deepEqual(lost, [], `after ${JSON.stringify(text.slice(Math.max(0, at - 60), at + 1))}`);
      if (at % sample === 0) sameAsFresh(document);
    }
  });
}

const leftOpen = [
  "(",
  "[",
  "{",
  '"""',
  "'''",
  '"',
  "'",
  "f'{x",
  'f"""{x',
  "\n    @",
  "\\",
  "\n@decorator(",
  "\n    def f(self, x",
  "\nclass X(",
  "\nclass X",
  "\n        x = torch.cat([x,",
  "\n        if x",
  "\n        for i, (a, ",
  "\n        else",
  "\n        with a as",
  "\n   x = 1",
  "\n    x: List[",
  "\nx",
  "\nx = torch.cat([x,",
  "\n    async def f(self",
  "\n        with (open(a) as b, ",
  "\n        if (n := f(x",
  "\n        y = x[*index, ",
  '\n    """Half of (a docstring',
];

/** Classes that are known in `before` and not in `document`, but for those around the edit and those that derive from them. */
function lostModules(before: PythonFacts, document: PythonDocument, from: number, to = from): string[] {
  const known = new Set(document.facts.modules.map((module) => module.name));
  const touched = before.modules
    .filter(({ range }) => range.from <= to && from <= range.to)
    .map((module) => module.name);
  return before.modules
    .filter(({ name, bases }) => !touched.includes(name) && !bases.some((base) => touched.includes(base)))
    .map((module) => module.name)
    .filter((name) => !known.has(name));
}

/** Methods that are known in `before` and not in `document`, but for those around the edit. */
function lostMethods(before: PythonFacts, document: PythonDocument, at: number): string[] {
  const known = new Set(methodsOf(document.facts).map(({ name }) => name));
  return methodsOf(before)
    .filter(({ range }) => range.to < at || at < range.from)
    .map(({ name }) => name)
    .filter((name) => !known.has(name));
}

const methodsOf = ({ modules }: PythonFacts) =>
  modules.flatMap(({ name, methods }) =>
    methods.map((method) => ({ name: `${name}.${method.name}`, range: method.range })),
  );

for (const [name, text] of [...fixtures, ...examples]) {
  test(`something left open at the end of any line of ${name} takes no class and no method down but its own`, () => {
    const start = readPython(text);
    // Examples are many: of their lines every fifth.
    const stride = fixtures.some(([fixed]) => fixed === name) ? 1 : 5;
    [...text.matchAll(/\n/g)].forEach(({ index: at }, line) => {
      if (line % stride !== 0) return;
      const open = leftOpen[line % leftOpen.length] ?? "";
      const document = start.edit([{ from: at, to: at, insert: open }]);
      const where = `${open} after ${JSON.stringify(text.slice(Math.max(0, at - 60), at))}`;
      assert.deepEqual(lostModules(start.facts, document, at), [], where);
      // Beside the margin it ends the class around it, as it does for Python; within a call it is part of the call.
      const isEmpty = text.charAt(at - 1) === "\n" && !open.startsWith("\n");
      if (!isEmpty && !/^\n\S/.test(open) && !/[,([{]$/.test(text.slice(0, at)))
        assert.deepEqual(lostMethods(start.facts, document, at), [], where);
      if (line % 11 !== 0) return;
      sameAsFresh(document);
      sameAsFresh(document.edit([{ from: at, to: at + open.length, insert: "" }]));
    });
  });
}

for (const [name, text] of fixtures) {
  test(`${name}, deleted from its last character to its first`, () => {
    let document = readPython(text);
    const complete = document.facts;
    for (let end = text.length; end > 0; end -= 3) {
      document = document.edit([{ from: Math.max(0, end - 3), to: end, insert: "" }]);
      if (end % 4 !== 0) continue;
      assert.deepEqual(lostModules(complete, document, end - 4, text.length), [], text.slice(end - 60, end));
      if (end % sample === 0) sameAsFresh(document);
    }
  });

  test(`selections of ${name} replaced by what is half written`, () => {
    const start = readPython(text);
    const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
    for (let line = 0; line + 12 < ends.length; line += 5) {
      const from = (ends[line] ?? 0) - (line % 7);
      const to = ends[line + 1 + (line % 11)] ?? 0;
      const insert = leftOpen[(line / 5) % leftOpen.length] ?? "";
      const document = start.edit([{ from, to, insert }]);
      const where = `${insert} instead of ${JSON.stringify(text.slice(from, to))}`;
      assert.deepEqual(lostModules(start.facts, document, from, to), [], where);
      if (line % 3 === 0) sameAsFresh(document);
    }
  });
}
