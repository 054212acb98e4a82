import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Paper } from "../../../server/src/literature/model";
import { count, factor, share } from "../../../server/src/render/numbers";
import { firstParagraph, paperLine } from "../../../server/src/render/paper";

const paper: Paper = {
  id: "x",
  title: "X: A Method",
  authors: [],
  topics: [],
  aliases: [],
  methods: [],
  claims: [],
  relations: [],
  summary: "",
  origin: "bundled",
};

describe("the line of a paper", () => {
  const cases: readonly [why: string, facts: Partial<Paper>, line: string][] = [
    [
      "many authors, venue, arXiv",
      {
        authors: ["Edward J. Hu", "Yelong Shen", "Phillip Wallis"],
        venue: "ICLR",
        year: 2022,
        arxiv: "2106.09685",
      },
      "**X: A Method** · Hu et al. · ICLR 2022 · [arXiv:2106.09685](https://arxiv.org/abs/2106.09685)",
    ],
    [
      "two authors",
      { authors: ["Brian Lester", "Rami Al-Rfou"], year: 2021 },
      "**X: A Method** · Lester and Al-Rfou · 2021",
    ],
    ["one author with a particle", { authors: ["Aaron van den Oord"] }, "**X: A Method** · van den Oord"],
    ["more authors than are named", { authors: ["A. Liu"], authorCount: 9 }, "**X: A Method** · Liu et al."],
    ["a venue that says its year", { venue: "ICLR 2022", year: 2022 }, "**X: A Method** · ICLR 2022"],
    [
      "an organisation alone, as imported pages have it",
      { organisation: "Tencent" },
      "**X: A Method** · Tencent",
    ],
    ["nothing but a title", {}, "**X: A Method**"],
    [
      "a hostile title and address",
      { title: "[x](command:evil)\n# `y`", url: "javascript:alert(1)" },
      "**\\[x\\](command:evil) # \\`y\\`**",
    ],
  ];
  for (const [why, facts, line] of cases) {
    it(`has ${why}`, () => assert.equal(paperLine({ ...paper, ...facts }), line));
  }
});

it("a long summary is cut at the end of a sentence", () => {
  assert.equal(
    firstParagraph("One is here. Two is there. Three.\n\nFour.", 30),
    "One is here. Two is there.",
  );
  assert.equal(firstParagraph("One\nis here.\n\nTwo.", 30), "One is here.");
  assert.equal(firstParagraph("word ".repeat(20).trim(), 22), "word word word word…");
});

it("numbers are written as people read them", () => {
  assert.deepEqual([0, 999, 1_771_776].map(count), ["0", "999", "1,771,776"]);
  assert.deepEqual(
    [share(24_576, 1_771_776), share(1, 3), share(1, 1), share(7, 100_000), share(0, 5)],
    ["1.4 %", "33 %", "100 %", "0.007 %", "0 %"],
  );
  assert.deepEqual([8 / 64, Math.SQRT2, 2].map(factor), ["0.125", "1.414", "2"]);
});
