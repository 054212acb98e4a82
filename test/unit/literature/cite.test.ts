import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bibliography, citationKey, shortCitation } from "../../../server/src/literature/cite";
import { importPapers } from "../../../server/src/literature/import";
import { userPaper } from "../../../server/src/literature/import/imported";
import type { Paper } from "../../../server/src/literature/model";

const lora = userPaper({
  title: "LoRA: Low-Rank Adaptation of Large Language Models",
  authors: ["Edward J. Hu", "Yelong Shen", "Weizhu Chen"],
  year: 2022,
  venue: "ICLR 2022",
  arxiv: "2106.09685",
  aliases: ["LoRA"],
});
const odd = userPaper({
  title: "50 % of A_B & {C}: #1 in O(n^2)~",
  authors: ["Ludwig van der Maßen"],
  authorCount: 4,
  url: "https://example.org/a_b",
});

describe("citations", () => {
  it("in BibTeX", () => {
    assert.equal(
      bibliography([lora], "bibtex"),
      `@inproceedings{hu2022lora,
  title = {{LoRA: Low-Rank Adaptation of Large Language Models}},
  author = {Hu, Edward J. and Shen, Yelong and Chen, Weizhu},
  booktitle = {ICLR 2022},
  year = {2022},
  eprint = {2106.09685},
  archivePrefix = {arXiv},
}
`,
    );
  });

  it("in BibTeX escape what TeX would read, but not in an address", () => {
    assert.equal(
      bibliography([odd], "bibtex"),
      `@misc{vandermassen50,
  title = {{50 \\% of A\\_B \\& \\{C\\}: \\#1 in O(n\\textasciicircum{}2)\\textasciitilde{}}},
  author = {van der Maßen, Ludwig and others},
  url = {https://example.org/a_b},
}
`,
    );
  });

  it("in CSL-JSON", () => {
    assert.deepEqual(JSON.parse(bibliography([lora], "csl-json")), [
      {
        id: "hu2022lora",
        type: "paper-conference",
        title: "LoRA: Low-Rank Adaptation of Large Language Models",
        author: [
          { family: "Hu", given: "Edward J." },
          { family: "Shen", given: "Yelong" },
          { family: "Chen", given: "Weizhu" },
        ],
        issued: { "date-parts": [[2022]] },
        "container-title": "ICLR 2022",
        archive: "arXiv",
        archive_location: "2106.09685",
        URL: "https://arxiv.org/abs/2106.09685",
      },
    ]);
  });

  it("in RIS", () => {
    assert.equal(
      bibliography([{ ...lora, authors: ["Edward J. Hu"] }], "ris"),
      [
        "TY  - CPAPER",
        "ID  - hu2022lora",
        "TI  - LoRA: Low-Rank Adaptation of Large Language Models",
        "AU  - Hu, Edward J.",
        "PY  - 2022",
        "T2  - ICLR 2022",
        "AN  - arXiv:2106.09685",
        "UR  - https://arxiv.org/abs/2106.09685",
        "ER  - ",
        "",
      ].join("\r\n"),
    );
  });

  it("have keys that differ within one bibliography", () => {
    const other: Paper = { ...lora, id: "other" };
    assert.deepEqual(bibliography([lora, other, lora], "bibtex").match(/hu2022\w+/g), [
      "hu2022lora",
      "hu2022lorab",
    ]);
    assert.equal(
      citationKey(userPaper({ title: "The Power of Scale", authors: ["Rami Al-Rfou"], year: 2021 })),
      "alrfou2021power",
    );
    assert.equal(citationKey(userPaper({ title: "MoRA: High-Rank Updating", year: 2024 })), "mora2024");
  });

  it("survive the way through BibTeX", () => {
    const { papers } = importPapers(bibliography([lora, odd], "bibtex"));
    assert.deepEqual(
      papers.map(({ title, authors, year, venue, arxiv }) => ({ title, authors, year, venue, arxiv })),
      [
        { title: lora.title, authors: lora.authors, year: 2022, venue: "ICLR 2022", arxiv: "2106.09685" },
        { title: odd.title, authors: odd.authors, year: undefined, venue: undefined, arxiv: undefined },
      ],
    );
  });

  it("in short, for a comment", () => {
    assert.equal(shortCitation(lora), "LoRA (Hu et al., 2022, arXiv:2106.09685)");
    const [first, second] = lora.authors;
    assert.equal(
      shortCitation({ ...lora, authors: [first!, second!], aliases: [] }),
      "LoRA: Low-Rank Adaptation of Large Language Models (Hu and Shen, 2022, arXiv:2106.09685)",
    );
    assert.equal(
      shortCitation(userPaper({ title: "Beds", organisation: "Tinkerers Guild" })),
      "Beds (Tinkerers Guild)",
    );
    assert.equal(shortCitation(userPaper({ title: "Beds" })), "Beds");
    assert.equal(
      shortCitation(userPaper({ title: "Beds", authors: ["Karimi Mahabadi, Rabeeh"], year: 2021 })),
      "Beds (Karimi Mahabadi, 2021)",
    );
  });
});
