/**
 * Every quick fix of every wrong source of the rules that is Python, carried out: for Python to judge.
 * Usage: node fixes.mjs <out.json>
 */
import { writeFileSync } from "node:fs";
import { marked } from "../unit/features/check";
import { findings, fixed, isConfiguration, rules, sourcesOf } from "../unit/features/ruleSources";

const [, , out = ""] = process.argv;
const tried = rules.flatMap(({ id }) =>
  sourcesOf(id)
    .filter(({ kind }) => kind === "wrong")
    .flatMap(({ source }) => {
      const { text } = marked(source);
      if (isConfiguration(text)) return [];
      return fixed(findings(id, text), text).map(({ title, edited }) => ({ rule: id, title, text, edited }));
    }),
);
writeFileSync(out, JSON.stringify(tried));
console.log(`${tried.length} fixes`);
