/** What the bundled files say of papers and methods, beyond what the compiler checks of each. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { isInsertable } from "../../../server/src/literature/library";

const { corpus } = compileCorpus("corpus");
const papers = new Map(corpus.papers.map((paper) => [paper.id, paper]));

describe("the bundled literature", () => {
  it("relates papers to others that are there, each with its source and once", () => {
    for (const { id, relations } of corpus.papers) {
      for (const { paper, source } of relations) {
        assert.ok(papers.has(paper) && paper !== id, `${id} → ${paper}`);
        assert.notEqual(source.trim(), "", `${id} → ${paper}`);
      }
      assert.equal(new Set(relations.map(({ paper }) => paper)).size, relations.length, id);
    }
  });

  it("lets no later paper be what an earlier one builds on", () => {
    for (const { id, arxiv, relations } of corpus.papers)
      for (const { kind, paper } of relations) {
        const other = papers.get(paper)?.arxiv;
        if (kind === "compared-with" || kind === "renames" || !arxiv || !other) continue;
        assert.ok(other < arxiv, `${id} (${arxiv}) ${kind} ${paper} (${other})`);
      }
  });

  it("has a method for every configuration of PEFT that comes from a paper", () => {
    for (const { name, library, kind, papers: from, methods } of corpus.symbols)
      if (library === "peft" && kind === "config" && from.length > 0)
        assert.ok(methods.length > 0, `${name} leads to no method`);
  });

  it("says what a described method trains, starts as and means", () => {
    const described = corpus.methods.filter((method) => !isInsertable(method));
    for (const { id, hyperparameters, notes, trainable, family } of described) {
      assert.ok(hyperparameters.length + notes.length > 0, id);
      if (family === "low-rank" && !["lily", "lokr"].includes(id)) assert.ok(trainable !== undefined, id);
    }
  });
});
