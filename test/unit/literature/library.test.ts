import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { userPaper } from "../../../server/src/literature/import/imported";
import { createLibrary } from "../../../server/src/literature/library";
import type { Corpus } from "../../../server/src/literature/model";
import { compile } from "../../../server/src/literature/source/compile";

const files = [
  {
    path: "papers/lora.md",
    text: `---
id: lora
title: "LoRA: Low-Rank Adaptation of Large Language Models"
authors: [Edward J. Hu]
year: 2022
arxiv: "2106.09685"
topics: [adaptation]
aliases: [LoRA, "LoRA and Its Longer Other Title"]
---
Two thin
matrices.

More.
`,
  },
  {
    path: "papers/longer.md",
    text: `---
id: longer
title: "LoRA: Low-Rank Adaptation of Large Language Models Again"
topics: [adaptation]
---
Again.
`,
  },
  {
    path: "methods/lora/method.yaml",
    text: `id: lora
name: LoRA
paper: lora
family: low-rank
fidelity: reference
summary: Two thin matrices.
formula: BAx
hyperparameters: [{ name: rank, type: int, default: 8, meaning: inner dimension }]
properties: { identityAtInit: exact, mergeable: true, keepsCheckpointKeys: true }
sites: [{ kind: linear, symbol: LoRALinear, write: [rank], trainable: rank * in_features }]
symbols: [LoraConfig]
`,
  },
  {
    path: "methods/lora/lora.py",
    text: `import math
from torch import nn

# how far the factors reach
REACH = 2


# Kept with its comment.
@register
class LoRALinear(nn.Linear):
    """With helper in a docstring only."""

    def __init__(self, in_features, out_features, *, rank: int = 8) -> None:
        train_only(self, REACH)


def helper(x):
    return x
`,
  },
  { path: "methods/shared/train_only.py", text: "def train_only(model, *adapters):\n    return []\n" },
  {
    path: "symbols/peft.yaml",
    text: `library: peft
symbols:
  - name: LoraConfig
    qualified: [peft.LoraConfig, peft.tuners.lora.LoraConfig]
    kind: config
    summary: Low rank.
    papers: [lora]
    fields: [{ name: r, default: "8", meaning: rank }]
`,
  },
];

const { corpus, problems } = compile(files);
const library = (own: Corpus = corpus) => createLibrary(own, { lora: { svg: "<svg/>" } });

describe("the library", () => {
  it("holds what the files say", () => {
    assert.deepEqual(problems, []);
    assert.equal(library().paper("lora")?.summary, "Two thin matrices.\n\nMore.");
    assert.deepEqual(library().paper("lora")?.methods, ["lora"]);
    assert.deepEqual(library().symbol("peft.tuners.lora.LoraConfig")?.methods, ["lora"]);
    assert.equal(library().field("peft.LoraConfig", "r")?.default, "8");
    assert.equal(library().fields("r")[0]?.symbol.name, "LoraConfig");
    assert.equal(library().symbolsNamed("LoraConfig").length, 1);
    assert.deepEqual(library().formula("lora"), { svg: "<svg/>" });
    assert.equal(library().formula("constructor"), undefined);
  });

  it("knows a paper by arXiv identifier with prefix, address and version", () => {
    for (const identifier of ["2106.09685", "arXiv:2106.09685v2", "https://arxiv.org/abs/2106.09685"])
      assert.equal(library().paperByArxiv(identifier)?.id, "lora", identifier);
    assert.equal(library().paperByArxiv("2106.09686"), undefined);
  });

  it("finds titles in a comment, the longest, across a line break, and the other title of a paper", () => {
    const text = `# See "LoRA: low-rank adaptation
    # of large language models", LoRA: Low-Rank Adaptation of Large Language Models Again.
    # Also: LoRA and its longer other title; and adaptation of language models.`;
    assert.deepEqual(
      library()
        .findTitles(text)
        .map(({ paper, from, to }) => [paper.id, text.slice(from, to).replace(/\n\s*#/, "")]),
      [
        ["lora", "LoRA: low-rank adaptation of large language models"],
        ["longer", "LoRA: Low-Rank Adaptation of Large Language Models Again"],
        ["lora", "LoRA and its longer other title"],
      ],
    );
  });

  it("hands out the Python of a method in pieces that know what they need", () => {
    const [source] = library().method("lora")!.python;
    assert.deepEqual(source?.imports, ["import math", "from torch import nn"]);
    assert.deepEqual(
      source.definitions.map(({ name, kind, needs }) => [name, kind, needs]),
      [
        ["REACH", "variable", []],
        ["LoRALinear", "class", ["train_only", "REACH"]],
        ["helper", "function", []],
      ],
    );
    assert.match(source.definitions[0]!.source, /^# how far the factors reach\nREACH = 2$/);
    assert.match(
      source.definitions[1]!.source,
      /^# Kept with its comment\.\n@register\nclass LoRALinear[\s\S]*REACH\)$/,
    );
    assert.equal(library().methodOfDefinition("LoRALinear")?.id, "lora");
    assert.equal(library().methodOfDefinition("train_only"), undefined);
    assert.equal(library().definition("train_only")?.kind, "function");
  });

  it("keeps a paper that the user's library holds too as one, with what the page listed", () => {
    const own = library();
    own.setUserPapers([
      userPaper({
        title: "LoRA — low-rank adaptation of large language models",
        year: 1999,
        listed: { date: "Jun 17", votes: 3 },
      }),
      userPaper({ title: "Kettles" }),
    ]);
    assert.equal(own.papers().length, 3);
    assert.deepEqual(own.paper("lora")?.listed, { date: "Jun 17", votes: 3 });
    assert.equal(own.paper("lora")?.year, 2022);
    assert.equal(own.paperByTitle("kettles")?.id, "user-kettles");
    assert.equal(own.paperByArxiv("2106.09685")?.listed?.votes, 3);
    own.setUserPapers([]);
    assert.equal(own.paper("lora")?.listed, undefined);
    assert.equal(own.paperByTitle("kettles"), undefined);
  });
});
