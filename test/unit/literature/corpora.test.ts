import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { readCorpora } from "../../../server/src/literature/corpora";
import { createLibrary } from "../../../server/src/literature/library";
import { buildIndex, createSearch } from "../../../server/src/literature/search";
import { compile } from "../../../server/src/literature/source/compile";
import { readCorpusFolder } from "../../../server/src/node/corpusFolder";

const paper = (id: string, title: string, more = ""): string =>
  `---\nid: ${id}\ntitle: ${title}\ntopics: [gardens]\n${more}---\nAbout ${title}.\n`;

const method = (id: string, of: string): string => `id: ${id}
name: ${id.toUpperCase()}
paper: ${of}
family: adapter
fidelity: paper
summary: Waters ${id}.
formula: y = x
properties: { identityAtInit: exact, mergeable: true, keepsCheckpointKeys: true }
sites: [{ kind: linear, symbol: ${id}Linear }]
`;
const python = (id: string): string =>
  `from torch import nn\n\n\nclass ${id}Linear(nn.Linear):\n    """Waters, with HELP."""\n    help = HELP\n`;

const { corpus: bundled, problems } = compile([
  { path: "papers/beds.md", text: paper("beds", "Beds", 'arxiv: "2401.00001"\n') },
  { path: "papers/pots.md", text: paper("pots", "Pots") },
  { path: "methods/beds/method.yaml", text: method("beds", "beds") },
  { path: "methods/beds/beds.py", text: python("beds") },
  { path: "methods/shared/help.py", text: "HELP = 1\n" },
  {
    path: "symbols/garden.yaml",
    text: "library: garden\nsymbols: [{ name: Bed, qualified: [garden.Bed], kind: class, summary: A bed. }]\n",
  },
]);
assert.deepEqual(problems, []);

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** A folder with these files. */
function pack(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "litlens-pack-"));
  folders.push(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** The corpus with these packs laid over it, and what was wrong with them, without the packs' own paths. */
async function withPacks(...paths: readonly string[]) {
  const { corpus, problems: found } = await readCorpora(bundled, paths, readCorpusFolder);
  const told = found.map((problem) =>
    paths.reduce((text, path, index) => text.replaceAll(path, `PACK${index}`), problem),
  );
  return { corpus, problems: told };
}

describe("corpora of the user's own", () => {
  it("add papers, methods and symbols that may refer to the bundled ones and to packs before", async () => {
    const first = pack({
      "papers/hoses.md": paper(
        "hoses",
        "Hoses",
        "relations: [{ kind: builds-on, paper: beds, source: own }]\n",
      ),
      "methods/hoses/method.yaml": method("hoses", "hoses"),
      "methods/hoses/hoses.py": python("hoses"),
      "symbols/own.yaml":
        "library: own\nsymbols: [{ name: Hose, qualified: [own.Hose], kind: class, summary: A hose., papers: [beds] }]\n",
    });
    const second = pack({
      "methods/taps/method.yaml": method("taps", "hoses"),
      "methods/taps/taps.py": python("taps"),
    });
    const found = await withPacks(first, second);
    assert.deepEqual(found.problems, []);
    const library = createLibrary(bundled, {});
    library.setCorpus(found.corpus);
    assert.equal(library.paper("hoses")?.origin, "user");
    assert.deepEqual(library.paper("hoses")?.methods, ["hoses", "taps"]);
    assert.equal(library.symbol("own.Hose")?.summary, "A hose.");
    assert.equal(library.methodOfDefinition("tapsLinear")?.id, "taps");
    assert.deepEqual(library.definition("hosesLinear")?.needs, ["HELP"]);
    assert.equal(library.formula("hoses"), undefined);
    library.setCorpus(bundled);
    assert.equal(library.paper("hoses"), undefined);
    assert.equal(library.method("beds")?.name, "BEDS");
  });

  it("keep a paper that Litlens has one paper, whatever it is called", async () => {
    const folder = pack({
      "papers/my-beds.md": paper(
        "my-beds",
        "Flower Beds",
        'arxiv: "2401.00001"\nvenue: Shed\naliases: [bedlam]\nclaims: [{ text: Roses grow., source: own }]\n',
      ),
      "papers/pots.md": paper("pots", "POTS"),
      "papers/cans.md": paper(
        "cans",
        "Cans",
        "relations: [{ kind: improves, paper: my-beds, source: own }]\n",
      ),
      "methods/roses/method.yaml": method("roses", "my-beds"),
      "methods/roses/roses.py": python("roses"),
    });
    const { corpus, problems: found } = await withPacks(folder);
    assert.deepEqual(found, []);
    assert.deepEqual(
      corpus.papers.map(({ id }) => id),
      ["beds", "pots", "cans"],
    );
    const beds = corpus.papers.find(({ id }) => id === "beds");
    assert.deepEqual(
      [
        beds?.title,
        beds?.venue,
        beds?.aliases,
        beds?.methods,
        beds?.summary,
        beds?.claims.length,
        beds?.origin,
      ],
      ["Beds", "Shed", ["bedlam"], ["beds", "roses"], "About Beds.", 1, "bundled"],
    );
    assert.equal(corpus.papers.find(({ id }) => id === "cans")?.relations[0]?.paper, "beds");
    assert.equal(corpus.methods.find(({ id }) => id === "roses")?.paper, "beds");
  });

  it("are found by search, also by what they add to a bundled paper, until they are taken away", async () => {
    const { corpus } = await withPacks(
      pack({
        "papers/hoses.md": paper("hoses", "Hoses"),
        "papers/beds.md": paper("beds", "Beds", "aliases: [zinnia]\n"),
      }),
    );
    const library = createLibrary(bundled, {});
    const search = createSearch(library, () => Promise.resolve(buildIndex(bundled)));
    const ids = async (query: string): Promise<string[]> =>
      (await search.search(query)).hits.map((hit) => hit.paper.id);
    assert.deepEqual(await ids("zinnia"), []);
    library.setCorpus(corpus);
    assert.deepEqual([await ids("zinnia"), await ids("hoses")], [["beds"], ["hoses"]]);
    library.setCorpus(bundled);
    assert.deepEqual([await ids("zinnia"), await ids("hoses")], [[], []]);
  });

  it("lose their bad files alone, each told with file, line, field and remedy", async () => {
    const folder = pack({
      "papers/hoses.md": paper("hoses", "Hoses"),
      "papers/late.md": paper("late", "Late", "year: twenty\n"),
      "papers/beds.md": paper("beds", "Quite Another"),
      "papers/latin.md": new Uint8Array([0x2d, 0xe9, 0x0a]),
      "methods/beds/method.yaml": method("beds", "beds").replace("bedsLinear", "mineLinear"),
      "methods/beds/beds.py": python("mine"),
      "methods/copy/method.yaml": method("copy", "nowhere"),
      "methods/copy/copy.py": python("copy"),
      "methods/thief/method.yaml": method("thief", "hoses"),
      "methods/thief/thief.py": `${python("thief")}\n\nclass bedsLinear:\n    pass\n`,
      "methods/lonely/lonely.py": "A = 1\n",
      "symbols/garden.yaml":
        "library: garden\nsymbols: [{ name: Bed, qualified: [garden.Bed], kind: class, summary: Mine. }]\n",
      "symbols/old.yml": "",
    });
    const { corpus, problems: found } = await withPacks(folder);
    assert.deepEqual(found, [
      "PACK0/papers/latin.md:1: is not UTF-8 text: save it as UTF-8",
      "PACK0/methods/beds/method.yaml:1: id is that of a method Litlens has: choose another than beds, for the folder too",
      'PACK0/methods/copy/method.yaml:3: paper names the paper "nowhere", which does not exist: add papers/nowhere.md',
      "PACK0/methods/lonely/lonely.py:1: belongs to no method: add method.yaml beside it",
      "PACK0/methods/thief/method.yaml:1: brings a bedsLinear that differs from the one Litlens has: rename it",
      'PACK0/papers/beds.md:2: id is that of "Beds": choose another, for the file too',
      'PACK0/papers/late.md:5: year must be a whole number, found "twenty"',
      "PACK0/symbols/garden.yaml:2: symbols[0].qualified[0] is garden.Bed, which Litlens has: leave it out",
      "PACK0/symbols/old.yml:1: is not read: name it .yaml",
    ]);
    assert.deepEqual(
      [corpus.papers, corpus.methods, corpus.symbols].map((part) => part.length),
      [3, 1, 1],
    );
  });

  it("that cannot be read are named with the remedy, and the others are read", async () => {
    const empty = pack({ "notes.txt": "" });
    const good = pack({ "papers/hoses.md": paper("hoses", "Hoses") });
    const { corpus, problems: found } = await withPacks(
      "/no/such/pack",
      join(empty, "notes.txt"),
      empty,
      "packs/own",
      good,
    );
    assert.deepEqual(found, [
      "litlens.corpus.paths: PACK0 does not exist; put the path right, or take it out of the setting.",
      "litlens.corpus.paths: PACK1 is not a folder; put the path right, or take it out of the setting.",
      "litlens.corpus.paths: PACK2 has none of the folders papers, methods, symbols, rules, conversions, recipes and families; name the folder that holds them.",
      'litlens.corpus.paths: "PACK3" must be an absolute path or start with ~/; write the whole path of the folder.',
    ]);
    assert.equal(corpus.papers.length, 3);
  });

  it("leave out a file that cannot be read", async () => {
    const folder = pack({ "papers/a.md": paper("a", "A") });
    symlinkSync(join(folder, "gone.md"), join(folder, "papers/b.md"));
    const { corpus, problems: found } = await withPacks(folder);
    assert.deepEqual(found, [
      "PACK0/papers/b.md:1: cannot be read (ENOENT): check that it is a file you may read",
    ]);
    assert.equal(corpus.papers.length, 3);
  });
});
