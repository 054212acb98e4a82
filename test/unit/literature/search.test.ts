import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { userPaper } from "../../../server/src/literature/import/imported";
import { createLibrary } from "../../../server/src/literature/library";
import { buildIndex, createSearch } from "../../../server/src/literature/search";
import { snippet, stem } from "../../../server/src/literature/text";

const { corpus } = compileCorpus("corpus");
const index = buildIndex(corpus);

/** Search over the bundled corpus; counts how often the index is asked for. */
function bundled(text: string | null = index) {
  const library = createLibrary(corpus, {});
  let loads = 0;
  const search = createSearch(library, () => {
    loads++;
    return Promise.resolve(text);
  });
  const first = async (query: string) => (await search.search(query)).hits[0]?.paper.id;
  return { library, search, first, loads: () => loads };
}

describe("search", () => {
  const queries: readonly (readonly [string, string])[] = [
    ["lora", "lora"],
    ["LoRA low rank", "lora"],
    ["dora", "dora"],
    ["compac", "compacter"],
    ["hypercomplex adapt", "compacter"],
    ["hypercomplx adapter", "compacter"],
    ["hyeprcomplex adapter ", "compacter"],
    ["hyprec", "compacter"],
    ["kroneker sums shared by adapters", "compacter"],
    ["hindust", "music-adapters"],
    ["hindustnai", "music-adapters"],
    ["skip connection edit", "scedit"],
    ["rank stabiliz", "rslora"],
    ["lester", "prompt-tuning"],
    ["houlsby", "houlsby"],
    ["nystrom", "nlora"],
    ["Nyström", "nlora"],
    ["2106.09685", "lora"],
    ["IA3", "ia3"],
    ["four-bit quantised weights on one GPU", "qlora"],
    ["which method adds the logits of a small tuned model at each step of decoding", "proxy-tuning"],
    ["how can a soft prompt be made shorter with a low-rank change of the embeddings", "dept"],
  ];
  for (const [query, id] of queries)
    it(`"${query}" finds ${id} first`, async () => {
      assert.equal(await bundled().first(query), id);
    });

  it("says why: the sentence that matched, its words marked", async () => {
    const { hits } = await bundled().search.search("Kronecker products");
    const hit = hits.slice(0, 3).find(({ paper }) => paper.id === "compacter");
    assert.match(hit?.snippet ?? "", /each is a sum of \*\*Kronecker\*\*\s+\*\*products\*\*/);
  });

  it("loads the index at the first search and once", async () => {
    const { search, loads } = bundled();
    assert.equal(search.state(), "not loaded");
    assert.equal(loads(), 0);
    await Promise.all([search.search("lora"), search.search("dora")]);
    assert.equal(loads(), 1);
    assert.equal(search.state(), "ready");
  });

  it("builds an index of its own where the stored one is missing, foreign or of another corpus", async () => {
    const other = buildIndex({ ...corpus, version: "another" });
    for (const text of [null, "{}", other])
      assert.equal(await bundled(text).first("hypercomplex"), "compacter");
  });

  it("tells a failure to load and tries again", async () => {
    const library = createLibrary(corpus, {});
    let broken = true;
    const search = createSearch(library, () =>
      broken ? Promise.reject(new Error("no such file")) : Promise.resolve(index),
    );
    await assert.rejects(search.search("lora"), /no such file/);
    assert.equal(search.state(), "failed");
    broken = false;
    assert.equal((await search.search("lora")).hits[0]?.paper.id, "lora");
  });

  it("finds the user's papers at once, and no longer when they are gone", async () => {
    const { library, search, first } = bundled();
    assert.equal(await first("kettles"), undefined);
    library.setUserPapers([userPaper({ title: "A Survey of Kettles", summary: "They boil." })]);
    assert.equal(await first("kettles"), "user-a-survey-of-kettles");
    library.setUserPapers([userPaper({ title: "A Survey of Kettles", summary: "They whistle." })]);
    assert.equal(await first("whistling"), "user-a-survey-of-kettles");
    assert.equal(await first("boiling"), undefined);
    library.setUserPapers([]);
    assert.equal(await first("kettles"), undefined);
    assert.equal(search.state(), "ready");
  });

  it("finds the same in a large library: by title, misspelt, by what only a summary says", async () => {
    const { library, first } = bundled();
    const crowd = Array.from({ length: 2100 }, (_, number) =>
      userPaper({
        title: `Soup ${number}: Adapters, Prompts and Kettles`,
        summary: "Low rank soups of a network.",
      }),
    );
    library.setUserPapers(crowd);
    assert.equal(await first("hypercomplex adapters"), "compacter");
    assert.equal(await first("hyeprcomplex adapt"), "compacter");
    assert.equal(await first("kronecker tiny square"), "compacter");
    assert.equal(await first("hindustani makam"), "music-adapters");
    assert.equal(await first("soup 2077"), "user-soup-2077-adapters-prompts-and-kettles");
  });

  it("narrows by topic and year, and counts all", async () => {
    const { search } = bundled();
    const { hits, total } = await search.search("adapters", { years: [2019, 2021], limit: 1 });
    assert.equal(hits.length, 1);
    assert.ok(total > 1);
    const surveys = await search.search("adapters", { topics: ["survey"] });
    assert.deepEqual(
      surveys.hits.map(({ paper }) => paper.id),
      ["peft-survey"],
    );
  });

  it("does not take one acronym for another", async () => {
    const { hits } = await bundled().search.search("DoRA");
    assert.ok(!hits.slice(0, 1).some(({ paper }) => paper.id !== "dora"));
    assert.ok(hits.every(({ paper }) => JSON.stringify(paper).toLowerCase().includes("dora")));
  });

  it("answers nothing to nothing, stop words and signs", async () => {
    for (const query of ["", "  ", "??", "()[]*"])
      assert.equal((await bundled().search.search(query)).total, 0, query);
  });
});

describe("snippets", () => {
  it("are cut around the match and never break Markdown marks", () => {
    const text = `${"Nothing here but words. ".repeat(3)}${"padding ".repeat(60)}the kettle *boils* at last ${"padding ".repeat(60)}.`;
    const found = snippet(text, new Set([stem("kettle") ?? ""]));
    assert.ok(found.length < 300);
    assert.match(found, /^….*\*\*kettle\*\* ∗boils∗ at last/);
  });
});
