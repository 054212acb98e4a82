/**
 * corpus/ → dist/corpus.json, dist/formulas.json and dist/index.json. Every problem is told at once, and fails the build;
 * with --lenient, what has problems is left out and the rest is built.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { buildIndex } from "../../server/src/literature/search";
import { formatProblem } from "../../server/src/literature/source/problems";
import { compileCorpus } from "./compileCorpus";
import { typesetCached } from "./formulas";

const { corpus, problems } = compileCorpus("corpus");
const messages = problems.map(formatProblem);
const formulas: Record<string, { svg: string }> = {};
for (const { id, formula } of corpus.methods) {
  try {
    formulas[id] = { svg: typesetCached(formula, ".cache/formulas") };
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
  writeFileSync("dist/formulas.json", JSON.stringify(formulas));
  writeFileSync("dist/index.json", buildIndex(corpus));
}
