import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { serviceWith, uri, unmark } from "../adapters/check";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parseCorpus } from "../../../server/src/lsp/assets";

/** The hover at the cursor and the text it speaks of. */
function hoverAt(source: string): { markdown: string; token: string } | undefined {
  const { text, offset } = unmark(source);
  const document = TextDocument.create(uri, "python", 1, text);
  const hover = serviceWith(text).hover(uri, document.positionAt(offset));
  if (hover === null || hover.range === undefined) return undefined;
  const markdown =
    typeof hover.contents === "object" && "value" in hover.contents ? hover.contents.value : "";
  return { markdown, token: document.getText(hover.range) };
}

test("a name of another library leads to the method and its paper", () => {
  const hover = hoverAt(
    "from scedit.tuners import SCETuningConfig\n\nconfig = SCETuning|Config(down_ratio=1.0)\n",
  );
  assert.equal(hover?.token, "SCETuningConfig");
  assert.match(hover.markdown, /^\*\*SCETuningConfig\*\* · SCEdit\n/);
  assert.match(hover.markdown, /arXiv:2312\.11392/);
});

test("a class of the user's own by such a name is hovered as well", () => {
  const hover = hoverAt("from torch import nn\n\n\nclass PHM|Linear(nn.Module):\n    pass\n");
  assert.match(hover?.markdown ?? "", /arXiv:2106\.04647/);
});

test("a variable that happens to bear the name of a setting is left alone", () =>
  assert.equal(hoverAt("hidden_|states = 3\n"), undefined));

test("a name that is imported from torch is torch's", () =>
  assert.equal(hoverAt("from torch.nn import Transformer as PHMLinear\n\nx = PHM|Linear()\n"), undefined));

test("every name of every method leads to a hover that names its paper", () => {
  const corpus = parseCorpus(readFileSync("dist/corpus.json", "utf8"));
  const silent = corpus.methods.flatMap(({ id, paper, symbols = [] }) =>
    symbols
      .filter((name) => /^[A-Za-z_]\w*$/.test(name))
      .filter((name) => {
        const markdown = hoverAt(`from library import ${name}|\n`)?.markdown ?? "";
        const { title = "" } = corpus.papers.find((each) => each.id === paper) ?? {};
        const shared = corpus.methods.filter((method) => method.symbols?.includes(name)).length > 1;
        return shared ? markdown === "" : !markdown.replaceAll("\\", "").includes(title);
      })
      .map((name) => `${id}: ${name}`),
  );
  assert.deepEqual(silent, []);
});
