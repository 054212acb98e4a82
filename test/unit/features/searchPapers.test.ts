import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { searchPapers } from "../../../server/src/features/searchPapers";
import { createSearch } from "../../../server/src/literature/search";
import type { SearchParams } from "../../../server/src/protocol";
import { marked } from "./check";
import { contextWith, open } from "./corpus";

async function idsOf(params: SearchParams, source?: string): Promise<string[]> {
  const context = contextWith();
  const search = createSearch(context.library, () => Promise.resolve(null));
  const at = source === undefined ? undefined : marked(source);
  const place = at && { document: open(at.text), offset: at.offset };
  return (await searchPapers(context, search, params, place)).hits.map(({ id }) => id);
}

describe("search", () => {
  it("gives hits with what the palette shows", async () => {
    const context = contextWith();
    const search = createSearch(context.library, () => Promise.resolve(null));
    const { hits, total } = await searchPapers(context, search, { query: "magnitude direction" });
    assert.equal(total, 1);
    const [hit] = hits;
    assert.ok(hit !== undefined && hit.score > 0);
    assert.deepEqual(
      { ...hit, score: 0 },
      {
        id: "dora",
        title: "DoRA: Weight-Decomposed Low-Rank Adaptation",
        authors: ["Shih-Yang Liu"],
        year: 2024,
        venue: "ICML",
        score: 0,
        snippet: "Learns **magnitude** and **direction** apart.",
        methods: ["dora"],
      },
    );
  });

  it("keeps to topics, years and limit", async () => {
    assert.deepEqual(await idsOf({ query: "rank", years: [2023, 2023] }), ["rslora"]);
    assert.deepEqual(await idsOf({ query: "", topics: ["peft"], years: [2020, 2022] }), ["lora"]);
    assert.equal((await idsOf({ query: "", limit: 2 })).length, 2);
  });
});

describe("with nothing typed", () => {
  it("the newest papers stand first", async () => {
    assert.deepEqual(await idsOf({ query: "" }), ["dora", "rslora", "lora"]);
  });

  it("papers of the symbol under the cursor stand before them", async () => {
    assert.deepEqual(await idsOf({ query: " " }, "from peft import LoraConfig\nLoraCon|fig(r=8)\n"), [
      "lora",
      "rslora",
      "dora",
    ]);
    assert.deepEqual(await idsOf({ query: "" }, "from peft import LoraConfig\nLoraConfig(r=|8)\n"), [
      "lora",
      "rslora",
      "dora",
    ]);
  });

  it("papers whose methods fit the class around the cursor stand before them", async () => {
    const source = `from torch import nn

class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
        |
`;
    assert.deepEqual(await idsOf({ query: "" }, source), ["lora", "dora", "rslora"]);
  });
});
