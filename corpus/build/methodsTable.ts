/** docs/METHODS.md from the compiled corpus: `--check` fails where the file is not what the corpus says. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { evaluate } from "../../server/src/literature/expression";
import type { Corpus, Method, MethodSite } from "../../server/src/literature/model";
import { compileCorpus } from "./compileCorpus";
import { rulesPage } from "./rulesTable";

/** The sizes of the table's example: square layers and blocks of width 768, 3×3 convolutions. */
const sizes = {
  in_features: 768,
  out_features: 768,
  width: 768,
  channels: 768,
  in_channels: 768,
  out_channels: 768,
  kernel_size: 3,
  taps: 9,
  groups: 1,
  num_embeddings: 50257,
  embedding_dim: 768,
  num_heads: 12,
  embed_dim: 768,
  kdim: 768,
  vdim: 768,
  depth: 12,
  bias: 1,
};

const number = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function trainable(method: Method, { trainable: expression }: Pick<MethodSite, "trainable">): string {
  if (expression === undefined) return "–";
  const chosen = Object.fromEntries(
    method.hyperparameters.flatMap(({ name, default: preset }) =>
      typeof preset === "string" ? [] : [[name, Number(preset)] as const],
    ),
  );
  const count = evaluate(expression, { ...sizes, ...chosen });
  return count === undefined ? "–" : number(count);
}

function tests({ id, sites }: Method): string {
  if (sites.length === 0) return "–";
  const own = `test/python/test_${id.replaceAll("-", "_")}.py`;
  return existsSync(own) ? `contract, [${id}](../${own})` : "contract";
}

function row(corpus: Corpus, method: Method): string {
  const paper = corpus.papers.find(({ id }) => id === method.paper);
  const { identityAtInit, mergeable } = method.properties;
  const link =
    paper?.arxiv === undefined
      ? (paper?.title ?? method.paper)
      : `[${paper.title}](https://arxiv.org/abs/${paper.arxiv})`;
  const sites = method.sites.map(({ kind, symbol }) => `${kind} (\`${symbol}\`)`).join(", ") || "described";
  const counts = [
    ...new Set(
      [method, ...method.sites].map((each) => trainable(method, each)).filter((count) => count !== "–"),
    ),
  ];
  const cells = [
    link,
    method.name,
    method.family,
    method.fidelity,
    sites,
    counts.join("; ") || "–",
    identityAtInit,
    mergeable ? "yes" : "no",
    tests(method),
  ];
  return `| ${cells.map(cell).join(" | ")} |`;
}

const { corpus } = compileCorpus("corpus");
const table = `# Methods

${corpus.methods.length} methods of ${new Set(corpus.methods.map(({ paper }) => paper)).size} papers. This page is generated from the corpus by \`npm run methods\`.

Trainable parameters are those of one use with the method's defaults at width 768. Every method with Python runs the contract of \`test/python/test_contract.py\`; one that is only described is shown in hovers and on paper pages and is not offered for insertion.

| paper | method | family | fidelity | sites | trainable at d = 768 | identity at start | mergeable | tests |
|---|---|---|---|---|---|---|---|---|
${corpus.methods.map((method) => row(corpus, method)).join("\n")}
`;

for (const [path, page] of [
  ["docs/METHODS.md", table],
  ["docs/RULES.md", rulesPage(corpus)],
] as const) {
  if (!process.argv.includes("--check")) writeFileSync(path, page);
  else if (!existsSync(path) || readFileSync(path, "utf8") !== page) {
    console.error(`${path} is not what the corpus says: run \`npm run methods\` and commit it.`);
    process.exitCode = 1;
  }
}
