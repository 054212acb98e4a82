import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { compileCorpus, schemaProblems } from "../../../corpus/build/compileCorpus";
import { compile } from "../../../server/src/literature/source/compile";
import { formatProblem } from "../../../server/src/literature/source/problems";

const good: Readonly<Record<string, string>> = {
  "papers/beds.md": `---
id: beds
title: "Beds: A Study"
authors: [Ada Beet]
year: 2024
arxiv: "2401.00001"
topics: [gardens]
claims:
  - text: Water is saved.
    source: abstract
relations:
  - { kind: builds-on, paper: kettles, source: abstract }
---
Beds are watered.
`,
  "papers/kettles.md": `---
id: kettles
title: Kettles
topics: [vessels]
---
Kettles boil.
`,
  "methods/beds/method.yaml": `id: beds
name: Beds
paper: beds
family: adapter
fidelity: paper
summary: Waters beds.
formula: y = x
hyperparameters:
  - name: rank
    type: int
    default: 8
    meaning: number of beds
properties: { identityAtInit: exact, mergeable: true, keepsCheckpointKeys: true }
sites:
  - kind: linear
    symbol: BedLinear
    write: [rank]
    trainable: rank * (in_features + out_features)
    requires: [1 <= rank <= in_features]
symbols: [LoraConfig]
`,
  "methods/beds/beds.py": `from torch import nn


class BedLinear(nn.Linear):
    def __init__(self, in_features, out_features, *, rank: int = 8) -> None:
        super().__init__(in_features, out_features)
`,
  "symbols/peft.yaml": `library: peft
symbols:
  - name: LoraConfig
    qualified: [peft.LoraConfig]
    kind: config
    summary: Low rank.
    papers: [beds]
    methods: [beds]
    fields:
      - { name: r, type: int, default: "8", meaning: Rank. }
      - { name: use_beds, type: bool, default: "False", meaning: Waters. }
`,
  "conversions/peft.yaml": `library: peft
words: LoraConfig
places: [r]
forms:
  - name: Beds
    paper: beds
    config: LoraConfig
    set: { use_beds: "True" }
    keeping:
      what: water
      to: { r: r * 2 }
      back: { r: r / 2 }
    without: [kettle]
    why: Kettles boil.
`,
  "recipes/summer.yaml": `id: summer
name: Summer
paper: beds
source: table 1
parts:
  - calls: [peft.LoraConfig]
    set: { r: "4" }
`,
};

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** A corpus folder with the good files, some of them changed. */
function corpus(changes: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "litlens-corpus-"));
  folders.push(folder);
  for (const [path, text] of Object.entries({ ...good, ...changes })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** What the compiler says when `from` is written as `to` in one good file. */
function problems(path: string, from: string | RegExp, to: string): string[] {
  const text = (good[path] ?? "").replace(from, to);
  assert.notEqual(text, good[path]);
  const folder = corpus({ [path]: text });
  return compileCorpus(folder, folder).problems.map(formatProblem);
}

describe("the corpus compiler", () => {
  it("accepts good files", () => {
    const folder = corpus();
    const { corpus: compiled, problems: found } = compileCorpus(folder, folder);
    assert.deepEqual(found, []);
    assert.equal(compiled.papers.length, 2);
    assert.match(compiled.version, /^[0-9a-f]{12}$/);
  });

  it("gives equal output for equal files", () => {
    const [one, other] = [corpus(), corpus()];
    assert.equal(
      JSON.stringify(compileCorpus(one, one).corpus),
      JSON.stringify(compileCorpus(other, other).corpus),
    );
  });

  const paper = "papers/beds.md";
  const method = "methods/beds/method.yaml";
  const python = "methods/beds/beds.py";
  const symbols = "symbols/peft.yaml";
  const conversions = "conversions/peft.yaml";
  const recipe = "recipes/summer.yaml";
  const bad: readonly (readonly [
    name: string,
    path: string,
    from: string | RegExp,
    to: string,
    message: string,
  ])[] = [
    [
      "a conversion of a configuration that is not there",
      conversions,
      "words: LoraConfig",
      "words: LoraConfg",
      'conversions/peft.yaml:2: words names the configuration "LoraConfg", which peft does not have in symbols/',
    ],
    [
      "a conversion with an argument that is not there",
      conversions,
      "use_beds:",
      "use_bed:",
      'conversions/peft.yaml:8: forms[0].set.use_bed names the argument "use_bed", which LoraConfig does not have',
    ],
    [
      "a conversion by an expression that is none",
      conversions,
      "r * 2",
      '"r *"',
      "conversions/peft.yaml:11: forms[0].keeping.to.r is not an expression that can be counted: it ends too early",
    ],
    [
      "a conversion that is ruled out for no reason",
      conversions,
      "    why: Kettles boil.\n",
      "",
      "conversions/peft.yaml:5: forms[0] must have why together with without",
    ],
    [
      "a conversion with a number for a value",
      conversions,
      '"True"',
      "1",
      "conversions/peft.yaml:8: forms[0].set.use_beds must be text, found 1: put it in quotes",
    ],
    [
      "a conversion without its paper",
      conversions,
      "paper: beds",
      "paper: bods",
      'conversions/peft.yaml:6: forms[0].paper names the paper "bods", which does not exist: add papers/bods.md',
    ],
    [
      "a recipe under another file's name",
      recipe,
      "id: summer",
      "id: winter",
      'recipes/summer.yaml:1: id must be the file\'s name, summer, found "winter"',
    ],
    [
      "a recipe with an argument that is not there",
      recipe,
      "{ r: ",
      "{ rank: ",
      'recipes/summer.yaml:7: parts[0].set.rank names the argument "rank", which peft.LoraConfig does not have',
    ],
    [
      "a year in words",
      paper,
      "year: 2024",
      "year: twenty",
      'papers/beds.md:5: year must be a whole number, found "twenty"',
    ],
    [
      "a year out of range",
      paper,
      "2024",
      "20244",
      "papers/beds.md:5: year must be between 1900 and 2100, found 20244",
    ],
    [
      "an unquoted arXiv identifier",
      paper,
      '"2401.00001"',
      "2401.00001",
      "papers/beds.md:6: arxiv must be text, found 2401.00001: put it in quotes",
    ],
    [
      "an arXiv identifier with version",
      paper,
      "2401.00001",
      "2401.00001v2",
      'papers/beds.md:6: arxiv must be an arXiv identifier without version, such as "2106.09685", found "2401.00001v2"',
    ],
    [
      "a misspelt field",
      paper,
      "authors:",
      "auhtors:",
      "papers/beds.md:4: auhtors is not a field: did you mean authors?",
    ],
    ["a missing title", paper, /title:.*\n/, "", "papers/beds.md:2: title is missing: add text"],
    [
      "an empty list of topics",
      paper,
      "[gardens]",
      "[]",
      "papers/beds.md:7: topics must have at least 1 entry, found none",
    ],
    [
      "a claim without a source",
      paper,
      "    source: abstract\n",
      "",
      "papers/beds.md:9: claims[0].source is missing: add text",
    ],
    [
      "a relation of an unknown kind",
      paper,
      "builds-on",
      "likes",
      'papers/beds.md:12: relations[0].kind must be one of builds-on, improves, compared-with, applies, surveys, renames, found "likes"',
    ],
    [
      "a relation to a paper that does not exist",
      paper,
      "paper: kettles",
      "paper: kettle",
      'papers/beds.md:12: relations[0].paper names the paper "kettle", which does not exist: add papers/kettle.md',
    ],
    [
      "a relation to itself",
      paper,
      "paper: kettles",
      "paper: beds",
      "papers/beds.md:12: relations[0].paper must be another paper, found its own id",
    ],
    [
      "an id that is not the file's name",
      paper,
      "id: beds",
      "id: bed",
      'papers/beds.md:2: id must be the file\'s name, beds, found "bed"',
    ],
    [
      "no summary",
      paper,
      "Beds are watered.\n",
      "",
      "papers/beds.md:13: summary is missing: write three to six sentences below the front matter",
    ],
    [
      "no front matter",
      paper,
      "---\n",
      "",
      "papers/beds.md:1: must start with front matter: a line of three hyphens, the fields, and three hyphens again",
    ],
    [
      "YAML that does not parse",
      paper,
      "[Ada Beet]",
      "[Ada Beet",
      "papers/beds.md:5: is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    [
      "a method of an unknown family",
      method,
      "family: adapter",
      "family: adaptor",
      'methods/beds/method.yaml:4: family must be one of low-rank, adapter, prompt, sparse, orthogonal, scaling, side-network, skip, merging, federated, decoding, training, recipe, evaluation, found "adaptor"',
    ],
    [
      "a method of a paper that does not exist",
      method,
      "paper: beds",
      "paper: bods",
      'methods/beds/method.yaml:3: paper names the paper "bods", which does not exist: add papers/bods.md',
    ],
    [
      "a method id that is not the folder's name",
      method,
      "id: beds",
      "id: bods",
      'methods/beds/method.yaml:1: id must be the folder\'s name, beds, found "bods"',
    ],
    [
      "a reconstruction that does not say what",
      method,
      "fidelity: paper",
      "fidelity: reconstruction",
      "methods/beds/method.yaml:1: fidelityNote is missing: a reconstruction must say what was inferred",
    ],
    [
      "a default of another type",
      method,
      "default: 8",
      "default: 8.5",
      "methods/beds/method.yaml:11: hyperparameters[0].default must be of type int, found 8.5",
    ],
    [
      "a written hyperparameter that is not described",
      method,
      "write: [rank]",
      "write: [rnak]",
      "methods/beds/method.yaml:17: sites[0].write names rnak, which is not under hyperparameters: did you mean rank?",
    ],
    [
      "a site whose symbol is not there",
      method,
      "symbol: BedLinear",
      "symbol: BedsLinear",
      'methods/beds/method.yaml:16: sites[0].symbol must be a class or function of the Python files, found "BedsLinear"',
    ],
    [
      "a count over an unknown size",
      method,
      "out_features)",
      "out_feature)",
      "methods/beds/method.yaml:18: sites[0].trainable uses out_feature, which is neither a hyperparameter nor a size",
    ],
    [
      "a condition that does not parse",
      method,
      "<= in_features]",
      "<=]",
      "methods/beds/method.yaml:19: sites[0].requires[0] is not an expression that can be counted: it ends too early",
    ],
    [
      "a count beside sites, which say it themselves",
      method,
      "sites:",
      "trainable: rank\nsites:",
      "methods/beds/method.yaml:14: trainable belongs to the sites: say there what is trained",
    ],
    [
      "Python that goes nowhere",
      method,
      /^sites:[^]*?(?=symbols)/m,
      "",
      "methods/beds/method.yaml:1: sites is missing: say where the Python beside this file goes",
    ],
    [
      "a signature without the written keyword",
      python,
      "rank: int = 8",
      "size: int = 8",
      "methods/beds/method.yaml:17: sites[0].write names rank, which BedLinear does not accept",
    ],
    [
      "Python that does not parse",
      python,
      "class BedLinear(",
      "class BedLinear((",
      "methods/beds/beds.py:4: is not Python that Litlens can read",
    ],
    [
      "a statement that cannot be inserted",
      python,
      /$/,
      "print(1)\n",
      "methods/beds/beds.py:7: only imports, classes, functions and assignments can be inserted",
    ],
    [
      "an import from beside",
      python,
      "from torch import nn",
      "from torch import nn\nfrom .other import thing",
      "methods/beds/beds.py:2: imports from a file beside it, which would not be there after insertion",
    ],
    [
      "a symbol's method that does not exist",
      symbols,
      "methods: [beds]",
      "methods: [bods]",
      'symbols/peft.yaml:8: symbols[0].methods[0] names the method "bods", which does not exist: add methods/bods/method.yaml',
    ],
    [
      "a symbol's paper that does not exist",
      symbols,
      "papers: [beds]",
      "papers: [bods]",
      'symbols/peft.yaml:7: symbols[0].papers[0] names the paper "bods", which does not exist: add papers/bods.md',
    ],
    [
      "a path that is not Python's",
      symbols,
      "[peft.LoraConfig]",
      '["peft LoraConfig"]',
      'symbols/peft.yaml:4: symbols[0].qualified[0] must be a dotted Python path such as peft.LoraConfig, found "peft LoraConfig"',
    ],
  ];
  for (const [name, path, from, to, message] of bad)
    it(`names file, line and field of ${name}`, () =>
      assert.ok(problems(path, from, to).includes(message), problems(path, from, to).join("\n")));

  describe("a method without Python", () => {
    const described = (fields: string): ReturnType<typeof compileCorpus> => {
      const text = (good[method] ?? "").replace(/^sites:[^]*?(?=symbols)/m, fields);
      const folder = corpus({ "methods/pots/method.yaml": text.replace("id: beds", "id: pots") });
      return compileCorpus(folder, folder);
    };

    it("says itself what it trains", () => {
      const { corpus: compiled, problems: found } = described(
        "trainable: rank * in_features + 1\nshared: '1'\n",
      );
      assert.deepEqual(found, []);
      const pots = compiled.methods.find(({ id }) => id === "pots");
      assert.deepEqual([pots?.trainable, pots?.shared, pots?.sites], ["rank * in_features + 1", "1", []]);
    });

    it("counts over known sizes", () =>
      assert.deepEqual(described("trainable: rank * inputs\n").problems.map(formatProblem), [
        "methods/pots/method.yaml:14: trainable uses inputs, which is neither a hyperparameter nor a size",
      ]));
  });

  it("puts the method of a paper's own name first", () => {
    const folder = corpus({
      "methods/alike/method.yaml": (good[method] ?? "")
        .replace(/^sites:[^]*?(?=symbols)/m, "")
        .replace("id: beds", "id: alike"),
    });
    const { corpus: compiled } = compileCorpus(folder, folder);
    assert.deepEqual(compiled.papers[0]?.methods, ["beds", "alike"]);
  });

  it("tells all problems of all files at once, by file and line", () => {
    const folder = corpus({
      [paper]: (good[paper] ?? "").replace("2024", "x").replace("topics", "topic"),
      [symbols]: (good[symbols] ?? "").replace("kind: config", "kind: confg"),
    });
    const found = compileCorpus(folder, folder).problems;
    assert.deepEqual(
      found.map(({ file, line, field }) => [file, line, field]),
      [
        ["papers/beds.md", 2, "topics"],
        ["papers/beds.md", 5, "year"],
        ["papers/beds.md", 7, "topic"],
        ["symbols/peft.yaml", 5, "symbols[0].kind"],
      ],
    );
  });

  it("does not let two files claim one title, identifier or symbol", () => {
    const folder = corpus({
      "papers/again.md": (good[paper] ?? "")
        .replace("id: beds", "id: again")
        .replace("Beds: A Study", "beds — a study"),
      "symbols/torch.yaml": (good[symbols] ?? "").replace("library: peft", "library: torch"),
    });
    assert.deepEqual(compileCorpus(folder, folder).problems.map(formatProblem), [
      "papers/beds.md:3: title is the title of papers/again.md too: keep one of them",
      "papers/beds.md:6: arxiv is the arXiv identifier of papers/again.md too: keep one of them",
      "symbols/torch.yaml:4: symbols[0].qualified[0] is the path of a symbol of symbols/peft.yaml too: keep one of them",
    ]);
  });

  it("does not let two methods bring different definitions of one name", () => {
    const again = {
      "methods/again/method.yaml": (good[method] ?? "").replace("id: beds", "id: again"),
      "methods/again/again.py": good[python] ?? "",
    };
    const same = corpus(again);
    assert.deepEqual(compileCorpus(same, same).problems, []);
    const other = corpus({
      ...again,
      "methods/again/again.py": `${good[python] ?? ""}        self.rank = rank\n`,
    });
    assert.deepEqual(compileCorpus(other, other).problems.map(formatProblem), [
      "methods/beds/method.yaml:1: brings a BedLinear that differs from that of methods/again/method.yaml: rename it, or share one definition in methods/shared",
    ]);
  });

  it("knows what a method takes from methods/shared, which no user's file imports", () => {
    const folder = corpus({
      "methods/shared/dig.py": "def dig(bed):\n    return bed\n",
      [python]: `import math\n\nfrom shared.dig import dig\n${good[python] ?? ""}        dig(math.pi)\n`,
    });
    const { corpus: compiled, problems } = compileCorpus(folder, folder);
    assert.deepEqual(problems, []);
    const source = compiled.methods[0]?.python[0];
    assert.deepEqual(source?.imports, ["import math", "from torch import nn"]);
    assert.deepEqual(source.definitions[0]?.needs, ["dig"]);
  });

  it("agrees with a full JSON Schema validator on every change of one value", () => {
    for (const [path, text] of Object.entries(good).filter(([path]) => !path.endsWith(".py"))) {
      const lines = text.split("\n");
      lines.forEach((line, index) => {
        for (const value of ["3", "[]", "{}", "~", "true", '""', "text"]) {
          const changed = line.replace(/^(\s*(?:- )?\w+:) .+$/, `$1 ${value}`);
          if (changed === line) continue;
          const mutant = lines.with(index, changed).join("\n");
          const files = Object.entries({ ...good, [path]: mutant }).map(([name, body]) => ({
            path: name,
            text: body,
          }));
          const ours = compile(files).problems.some(({ message }) =>
            /^(must|is missing|is not a field)/.test(message),
          );
          const theirs = schemaProblems({ path, text: mutant }).length > 0;
          if (theirs) assert.ok(ours, `${path}: ${changed}`);
        }
      });
    }
  });

  it("finds the project's own corpus without fault", () => {
    assert.deepEqual(compileCorpus("corpus").problems.map(formatProblem), []);
  });

  it("fails the build with one line for each problem", async () => {
    const { spawnSync } = await import("node:child_process");
    const folder = mkdtempSync(join(process.cwd(), "out/bad-corpus-"));
    folders.push(folder);
    cpSync("corpus", join(folder, "corpus"), { recursive: true });
    const text = readFileSync("corpus/papers/dora.md", "utf8").replace("year: 2024", "year: twenty");
    writeFileSync(join(folder, "corpus/papers/dora.md"), text);
    const esbuild = await import("esbuild");
    const outfile = join(folder, "main.mjs");
    await esbuild.build({
      entryPoints: ["corpus/build/main.ts"],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
    });
    const { status, stderr } = spawnSync(process.execPath, [outfile], { cwd: folder, encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /^corpus\/papers\/dora\.md:5: year must be a whole number, found "twenty"$/m);
  });
});
