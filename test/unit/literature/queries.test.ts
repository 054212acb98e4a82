/** What people type when they look for a paper of the bundled corpus, and which paper they mean. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { importPapers } from "../../../server/src/literature/import";
import { createLibrary } from "../../../server/src/literature/library";
import type { Paper } from "../../../server/src/literature/model";
import { buildIndex, createSearch } from "../../../server/src/literature/search";
import { normaliseTitle } from "../../../server/src/literature/identity";
import { words } from "../../../server/src/literature/text";

const { corpus } = compileCorpus("corpus");
const index = buildIndex(corpus);
const search = createSearch(createLibrary(corpus, {}), () => Promise.resolve(index));

/** Place of a paper among the hits, from 1; Infinity where it is not found. */
async function placeOf(query: string, id: string): Promise<number> {
  const { hits } = await search.search(query, { limit: 20 });
  const place = hits.findIndex(({ paper }) => paper.id === id);
  return place === -1 ? Infinity : place + 1;
}

const judged = readFileSync("test/fixtures/search/queries.tsv", "utf8")
  .trim()
  .split("\n")
  .map((line) => {
    const [query = "", id = ""] = line.split("\t");
    return { query, id };
  });

describe("a paper of the bundled corpus is found", () => {
  it("by what people type: third or better each time, mostly first", async () => {
    const late: string[] = [];
    let reciprocal = 0;
    for (const { query, id } of judged) {
      const place = await placeOf(query, id);
      reciprocal += 1 / place;
      if (place > 3) late.push(`${query} → ${id}: ${place}`);
    }
    const mean = reciprocal / judged.length;
    assert.deepEqual(late, []);
    assert.ok(mean >= 0.95, `mean reciprocal rank ${mean.toFixed(3)}`);
  });

  it("on the reading list, each of it by one query at least", () => {
    const page = readFileSync("test/fixtures/papers/daily-papers.txt", "utf8");
    const listed = new Set(importPapers(page, "auto").papers.map(({ title }) => normaliseTitle(title)));
    const asked = new Set(judged.map(({ id }) => id));
    const known = new Set(corpus.papers.map(({ id }) => id));
    assert.deepEqual(
      judged.filter(({ id }) => !known.has(id)),
      [],
    );
    const without = corpus.papers.filter(
      ({ id, title }) => listed.has(normaliseTitle(title)) && !asked.has(id),
    );
    assert.deepEqual(without, []);
  });

  const lastName = (author: string): string =>
    author.includes(",") ? author.replace(/,.*/, "") : (author.split(" ").at(-1) ?? "");
  const placed = async (what: string, queryOf: (paper: Paper) => readonly string[], worst: number) => {
    const late: string[] = [];
    for (const paper of corpus.papers)
      for (const query of queryOf(paper)) {
        const place = await placeOf(query, paper.id);
        if (place > worst) late.push(`${query} → ${paper.id}: ${place}`);
      }
    assert.deepEqual(late, [], what);
  };

  it("first by its title", () => placed("title", ({ title }) => [title], 1));

  it("first by its title without the short name before the colon", () =>
    placed("rest of a title", ({ title }) => /^[^:]+: (.+ .+ .+)$/.exec(title)?.slice(1) ?? [], 1));

  it("while its title is typed: third or better by two thirds of the words", () =>
    placed(
      "beginning of a title",
      ({ title }) => [
        words(title)
          .slice(0, Math.ceil((words(title).length * 2) / 3))
          .join(" "),
      ],
      3,
    ));

  it("first by each of its names", () => placed("alias", ({ aliases }) => aliases, 1));

  it("by its first author, third or better with some words of its title", () =>
    placed(
      "author",
      ({ authors: [author], title }) => {
        const some = words(title)
          .filter((word) => word.length > 6)
          .slice(0, 3);
        const long = some.length === 0 ? title : some.join(" ");
        return author === undefined ? [] : [`${lastName(author)} ${long}`];
      },
      3,
    ));
});
