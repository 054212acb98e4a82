/** Methods that are described and have no Python: told of, never offered. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import { isInsertable } from "../../../server/src/literature/library";
import { parseCorpus } from "../../../server/src/lsp/assets";
import { serviceWith, unmark, uri } from "../adapters/check";

const { methods } = parseCorpus(readFileSync("dist/corpus.json", "utf8"));
const described = methods.filter((method) => !isInsertable(method));

const model = `from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(128, 128)|

    def forward(self, x):
        return self.proj(x)
`;

describe("a method that is only described", () => {
  it("is hovered with what it trains and how it starts", () => {
    const { text, offset } = unmark("from peft import Kasa|Config\n");
    const document = TextDocument.create(uri, "python", 1, text);
    const hover = serviceWith(text).hover(uri, document.positionAt(offset));
    const markdown = JSON.stringify(hover?.contents ?? "");
    assert.match(markdown, /KaSA: Knowledge-Aware Singular-Value Adaptation/);
    assert.match(markdown, /\*Not yet insertable\.\* Changes the output from the start; can be merged\./);
    assert.match(markdown, /Trains `rank \* \(in_features \+ out_features\) \+ rank` parameters a place/);
    assert.doesNotMatch(markdown, /Insert into a model/);
  });

  it("has a page that says so", () => {
    const view = serviceWith("").paper("kasa");
    const [method] = view?.methods ?? [];
    assert.deepEqual([method?.id, method?.insertable, method?.mergeable], ["kasa", false, true]);
    assert.match(view?.markdown ?? "", /Not yet insertable/);
  });

  it("is found by search as a paper without anything to insert", async () => {
    const { hits } = await serviceWith("").search({ query: "knowledge-aware singular-value" });
    const hit = hits.find(({ id }) => id === "kasa");
    assert.deepEqual(hit?.methods, []);
    const lora = (await serviceWith("").search({ query: "low-rank adaptation lora" })).hits;
    assert.deepEqual(lora.find(({ id }) => id === "lora")?.methods, [
      "lora",
      "lora-conv",
      "lora-embedding",
      "lora-mha",
    ]);
  });

  it("is in no menu and no completion", async () => {
    assert.ok(described.length > 30);
    const { text, offset } = unmark(model);
    const document = TextDocument.create(uri, "python", 1, text);
    const at = document.positionAt(offset);
    const asked = { diagnostics: [], only: ["refactor.rewrite.adapter"] };
    const actions = serviceWith(text).codeActions(uri, { start: at, end: at }, asked);
    const offered = JSON.stringify(actions);
    assert.match(offered, /LoRA/);
    for (const { id, name } of described) assert.ok(!offered.includes(`"method":"${id}"`), name);
    const service = serviceWith("");
    const labels: string[] = [];
    for (const [index, id] of [...described.map(({ id }) => id), "lora"].entries()) {
      service.openDocument(uri, "python", index + 2, `litlens-${id}\n`);
      const { items } = await service.complete(uri, { line: 0, character: `litlens-${id}`.length });
      labels.push(...items.map(({ label }) => label).filter((label) => label === `litlens-${id}`));
    }
    assert.deepEqual(labels, ["litlens-lora"]);
  });
});
