/**
 * Quality of paper search: nDCG@10 on judged sets given as folders with corpus.jsonl, queries.jsonl and qrels.tsv, and
 * mean reciprocal rank of known-item queries on a file of titles and abstracts. Takes the paths as arguments.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createLibrary } from "../../server/src/literature/library";
import type { Paper } from "../../server/src/literature/model";
import { createSearch } from "../../server/src/literature/search";

interface Item {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

const text = (record: unknown, ...names: readonly string[]): string => {
  if (typeof record !== "object" || record === null) return "";
  const entries = new Map<string, unknown>(Object.entries(record));
  const value = names.map((name) => entries.get(name)).find((each) => each !== undefined);
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
};

const items = (path: string): Item[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line))
    .map((record, index) => ({
      id: text(record, "_id", "id") || String(index),
      title: text(record, "title"),
      text: text(record, "text", "abstract"),
    }));

const paperOf = ({ id, title, text: summary }: Item): Paper => ({
  id,
  title,
  summary,
  authors: [],
  topics: [],
  aliases: [],
  methods: [],
  claims: [],
  relations: [],
  origin: "bundled",
});

const searchOver = (papers: readonly Item[]) =>
  createSearch(
    createLibrary(
      { version: "bench", papers: papers.map(paperOf), methods: [], shared: [], symbols: [] },
      {},
    ),
    () => Promise.resolve(null),
  );

/** nDCG@10 with gains as judged, averaged over the queries that have a relevant document. */
async function judged(folder: string): Promise<void> {
  const search = searchOver(items(join(folder, "corpus.jsonl")));
  const gains = new Map<string, Map<string, number>>();
  for (const line of readFileSync(join(folder, "qrels.tsv"), "utf8").split("\n")) {
    const [query, document, gain] = line.trim().split(/\s+/);
    if (query === undefined || document === undefined || !(Number(gain) > 0)) continue;
    gains.set(query, (gains.get(query) ?? new Map<string, number>()).set(document, Number(gain)));
  }
  const discounted = (found: readonly number[]): number =>
    found.slice(0, 10).reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0);
  const scores: number[] = [];
  for (const { id, text: query } of items(join(folder, "queries.jsonl"))) {
    const relevant = gains.get(id);
    if (relevant === undefined) continue;
    const { hits } = await search.search(query, { limit: 10 });
    const ideal = discounted([...relevant.values()].sort((a, b) => b - a));
    scores.push(discounted(hits.map(({ paper }) => relevant.get(paper.id) ?? 0)) / ideal);
  }
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  console.log(`${folder}: nDCG@10 ${mean.toFixed(3)} over ${scores.length} queries`);
}

/** Three or four words of a title: as they are, the last one cut, one misspelt, both. */
async function knownItems(file: string): Promise<void> {
  const papers = items(file);
  const search = searchOver(papers);
  const start = performance.now();
  await search.load();
  console.log(
    `${file}: ${papers.length} papers indexed in ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
  const step = Math.floor(papers.length / 300);
  const queries = papers
    .filter((_, index) => index % step === 0)
    .flatMap(({ id, title }) => {
      const words = title.split(/\s+/).filter((word) => /^[a-z]{4,}$/i.test(word));
      return words.length < 4 ? [] : [{ id, words: words.slice(0, 4) }];
    });
  const cut = (words: readonly string[]): string[] =>
    words.map((word, index) =>
      index === words.length - 1 ? word.slice(0, Math.ceil(word.length / 2) + 1) : word,
    );
  const misspelt = (words: readonly string[]): string[] => {
    const longest = words.reduce(
      (best, word, index) => (word.length > (words[best] ?? "").length ? index : best),
      0,
    );
    return words.map((word, index) =>
      index === longest ? word.slice(0, 3) + (word[4] ?? "") + (word[3] ?? "") + word.slice(5) : word,
    );
  };
  const kinds: readonly (readonly [string, (words: readonly string[]) => readonly string[]])[] = [
    ["clean", (words) => words],
    ["prefix", cut],
    ["typo", misspelt],
    ["typo and prefix", (words) => cut(misspelt(words))],
  ];
  for (const [kind, change] of kinds) {
    const times: number[] = [];
    let reciprocal = 0;
    for (const { id, words } of queries) {
      const from = process.cpuUsage();
      const { hits } = await search.search(change(words).join(" "), { limit: 10 });
      const spent = process.cpuUsage(from);
      times.push((spent.user + spent.system) / 1000);
      const rank = hits.findIndex(({ paper }) => paper.id === id);
      reciprocal += rank === -1 ? 0 : 1 / (rank + 1);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(1);
    console.log(
      `  ${kind}: MRR ${(reciprocal / queries.length).toFixed(3)}, CPU ms p50 ${at(0.5)} p95 ${at(0.95)} over ${queries.length} queries`,
    );
  }
}

for (const path of process.argv.slice(2))
  await (statSync(path).isDirectory() ? judged(path) : knownItems(path));
