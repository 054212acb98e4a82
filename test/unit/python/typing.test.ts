/** Whole files typed, and every way of leaving something open: classes outside stay known, facts are those read afresh. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { readPython } from "../../../server/src/python/document";
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
  "\\",
  "\n@decorator(",
  "\n    def f(self, x",
  "\nclass X(",
  "\nclass X",
  "\n        x = torch.cat([x,",
  "\n        if x",
  "\n        for i, (a, ",
];

for (const [name, text] of [...fixtures, ...examples]) {
  test(`something left open in ${name} takes no class down but its own`, () => {
    const start = readPython(text);
    const { modules } = start.facts;
    const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
    leftOpen.forEach((open, turn) => {
      // a line of each file for each thing, spread over it
      const at = ends[Math.floor(((turn + 0.5) / leftOpen.length) * ends.length)] ?? 0;
      const document = start.edit([{ from: at, to: at, insert: open }]);
      const known = new Set(document.facts.modules.map((module) => module.name));
      const touched = modules
        .filter(({ range }) => range.from <= at && at <= range.to)
        .map((each) => each.name);
      const lost = modules
        .filter((each) => !known.has(each.name) && !touched.includes(each.name))
        .filter(({ bases }) => !bases.some((base) => touched.includes(base)));
      assert.deepEqual(
        lost.map((each) => each.name),
        [],
        `${open} after ${JSON.stringify(text.slice(Math.max(0, at - 60), at))}`,
      );
      sameAsFresh(document);
      sameAsFresh(document.edit([{ from: at, to: at + open.length, insert: "" }]));
    });
  });
}
