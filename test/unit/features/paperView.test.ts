import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { paperView } from "../../../server/src/features/paperView";
import { createLibrary } from "../../../server/src/literature/library";
import { contextWith, corpus, formulas, paper } from "./corpus";

describe("the view of a paper", () => {
  it("has everything that the page shows", () => {
    const view = paperView(contextWith(), "lora");
    assert.ok(view !== null);
    assert.deepEqual(view.summary, [
      "Freezes the weights and learns a low-rank update beside them.",
      "The update can be merged.",
    ]);
    assert.deepEqual(
      view.claims.map(({ value, source }) => [value, source]),
      [["10,000 times", "abstract"]],
    );
    const [method] = view.methods;
    assert.equal(method?.formulaSvg, '<svg><path fill="@ink@" d="M1 2"/></svg>');
    assert.equal(method.insertable, true);
    assert.deepEqual(method.hyperparameters, [
      { name: "rank", default: "8", meaning: "inner dimension", typical: "4–64", source: "lora, table 6" },
      { name: "alpha", default: "16.0", meaning: "numerator of the scale" },
    ]);
    assert.match(view.bibtex, /^@\w+\{hu2022\w+,\n[\s\S]*title\s*=\s*\{[^\n]*Low-Rank/);
  });

  it("names related papers by their titles", () => {
    assert.deepEqual(paperView(contextWith(), "dora")?.relations, [
      {
        kind: "improves",
        paper: "lora",
        title: "LoRA: Low-Rank Adaptation of Large Language Models",
        source: "abstract",
      },
    ]);
  });

  it("is Markdown for other editors and assistants", () => {
    const { markdown = "", bibtex = "" } = paperView(contextWith(), "lora") ?? {};
    assert.equal(
      markdown,
      `**LoRA: Low-Rank Adaptation of Large Language Models** · Hu et al. · ICLR 2022 · [arXiv:2106.09685](https://arxiv.org/abs/2106.09685)

Edward J. Hu, Yelong Shen, Phillip Wallis · [code](https://github.com/microsoft/LoRA)

Freezes the weights and learns a low-rank update beside them.

The update can be merged.

### Findings

- Trains far fewer parameters: 10,000 times, against GPT-3 (abstract)

### LoRA

Adds a low-rank update.

\`\`\`latex
h = W x + \\frac{\\alpha}{r} B A x
\`\`\`

- \`rank=8\`: inner dimension; typically 4–64 (lora, table 6)
- \`alpha=16.0\`: numerator of the scale

- B starts at zero.

### Related

- improved by DoRA: Weight-Decomposed Low-Rank Adaptation (abstract)
- extended by A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA (abstract)

### BibTeX

\`\`\`bibtex
${bibtex}
\`\`\``,
    );
  });

  it("takes no word of a user's paper for Markdown", () => {
    const library = createLibrary(corpus, formulas);
    const hostile = "[x](command:evil) <img src=y> `z`";
    library.setUserPapers([
      paper({
        id: "mine",
        title: hostile,
        summary: `${hostile}\n\n# ${hostile}`,
        origin: "user",
        claims: [{ text: hostile, source: hostile }],
      }),
    ]);
    const { markdown = "" } = paperView(contextWith({ library }), "mine") ?? {};
    const [prose = ""] = markdown.split("### BibTeX");
    assert.ok(prose.includes("command:evil"));
    assert.doesNotMatch(prose, /(?<!\\)\]\(command|(?<!\\)<img|(?<!\\)`/);
  });

  it("is null for a paper that is not known", () => {
    assert.equal(paperView(contextWith(), "nothing"), null);
  });
});
