/** What Ctrl+. shows first, before anybody asks for all adapters: few actions, the narrowest and best known. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import { codeActions } from "../../../server/src/features/codeActions";
import { createLibrary } from "../../../server/src/literature/library";
import { parseCorpus } from "../../../server/src/lsp/assets";
import { contextWith, open } from "../features/corpus";
import { unmark, uri } from "./check";

const library = createLibrary(parseCorpus(readFileSync("dist/corpus.json", "utf8")), {});

function checkLightbulb(marked: string, titles: readonly string[]): void {
  const { text, offset } = unmark(marked);
  const context = contextWith({ library, commandLinks: true });
  const position = TextDocument.create(uri, "python", 1, text).positionAt(offset);
  const actions = codeActions(context, open(text), offset, offset, { diagnostics: [] }, { uri, position });
  assert.deepEqual(
    actions.map(({ title }) => title.replace(/ \([\d,]+ trainable\)$/, "")),
    titles,
  );
}

const block = `import torch.nn as nn

class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.q = nn.Linear(width, width)|1
        self.k = nn.Linear(width, width)
    def forward(self, x):
        return self.q(x) + self.k(x)

class Block(nn.Module):|2
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attn = Attention(width)
    def forward(self, x):
        return x + self.attn(self.norm(x))
`;
const cursorAt = (number: 1 | 2): string =>
  block.replace(/\|(\d)/g, (_, each) => (each === String(number) ? "|" : ""));

describe("the lightbulb", () => {
  it("offers a layer before its class", () =>
    checkLightbulb(cursorAt(1), [
      "Adapt `q` with LoRA",
      "Adapt `q` with DoRA",
      "Adapt `q` with (IA)³",
      "Adapt all 2 linear layers of Attention with LoRA",
      "Adapt all 2 linear layers of Attention with DoRA",
      "More adapters for `q`…",
    ]));

  it("offers well-known methods all over a model before others for the whole of it", () =>
    checkLightbulb(cursorAt(2), [
      "Adapt `q`, `k` across `Block` with LoRA",
      "Adapt `q`, `k` across `Block` with DoRA",
      "Adapt `q`, `k` across `Block` with (IA)³",
      "Train only the norms of `Block` (LayerNorm tuning)",
      "Train only arbitrary parameters of `Block` (APET)",
      "More adapters for `Block`…",
    ]));
});
