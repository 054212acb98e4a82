/**
 * corpus/ → dist/corpus.json, dist/formulas.json, dist/index.json and dist/configurations.json. Every problem is told at once, and fails the build;
 * with --lenient, what has problems is left out and the rest is built.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { StoredFormulas } from "../../server/src/literature/formulas";
import { buildIndex } from "../../server/src/literature/search";
import { formatProblem } from "../../server/src/literature/source/problems";
import { compileCorpus } from "./compileCorpus";
import { typesetCached } from "./formulas";

const { corpus, problems } = compileCorpus("corpus");
const messages = problems.map(formatProblem);
const glyphs: Record<string, string> = {};
const drawings: Record<string, string> = {};
for (const { id, formula } of corpus.methods) {
  try {
    const typeset = typesetCached(formula, ".cache/formulas");
    Object.assign(glyphs, typeset.glyphs);
    drawings[id] = typeset.drawing;
  } catch (error) {
    const file = `corpus/methods/${id}/method.yaml`;
    const before = readFileSync(file, "utf8").split(/^formula:/m)[0] ?? "";
    const message = `cannot be typeset: ${error instanceof Error ? error.message : String(error)}`;
    messages.push(formatProblem({ file, line: before.split("\n").length, field: "formula", message }));
  }
}

for (const message of messages) console.error(message);
if (messages.length > 0 && !process.argv.includes("--lenient")) {
  process.exitCode = 1;
} else {
  mkdirSync("dist", { recursive: true });
  writeFileSync("dist/corpus.json", JSON.stringify(corpus));
  writeFileSync("dist/formulas.json", JSON.stringify({ glyphs, drawings } satisfies StoredFormulas));
  writeFileSync("dist/index.json", buildIndex(corpus));
  // keys of which every configuration file has one: all that the extension knows before it starts the server
  const keys = corpus.symbols.flatMap(({ recognised }) => recognised?.all.at(-1) ?? []);
  writeFileSync("dist/configurations.json", JSON.stringify(keys));
}
