/** The bundled corpus as hovers show it: nothing is too long, half said, or without its paper. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MarkupContent } from "vscode-languageserver-types";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import { hover } from "../../../server/src/features/hover";
import { createLibrary } from "../../../server/src/literature/library";
import { marked } from "./check";
import { contextWith, open } from "./corpus";

const { corpus } = compileCorpus("corpus");
const context = contextWith({ library: createLibrary(corpus, {}), formulas: "latex", commandLinks: true });

function at(source: string): string {
  const { text, offset } = marked(source);
  const { contents } = hover(context, open(text), offset) ?? {};
  assert.ok(MarkupContent.is(contents), `no hover in ${source}`);
  const { value } = contents;
  assert.doesNotMatch(value, /undefined|\[object|NaN|\n\n\n| · (?:\n|$)/);
  assert.ok(value.length < 8000 && value.split("\n").filter((line) => line !== "").length <= 20, value);
  return value.replace(/\\(?=\W|_)/g, ""); // as it reads
}

const importOf = (qualified: string): string => {
  const dot = qualified.lastIndexOf(".");
  return `from ${qualified.slice(0, dot)} import ${qualified.slice(dot + 1)}\n`;
};

describe("the bundled corpus in hovers", () => {
  it("has a hover for every symbol and each of its arguments", () => {
    for (const { name, qualified, fields, kind } of corpus.symbols) {
      if (kind === "parameter" || kind === "value" || kind === "file") continue;
      const path = qualified[0] ?? "";
      if (kind === "method") {
        const member = name.slice(name.indexOf(".") + 1);
        const owner = path.slice(0, -member.length - 1);
        const call = `${importOf(owner)}${owner.slice(owner.lastIndexOf(".") + 1)}.`;
        assert.ok(at(`${call}|${member}()\n`).startsWith(`**${name}**`), name);
        for (const field of fields)
          assert.ok(
            at(`${call}${member}(|${field.name}=None)\n`).startsWith(`**${field.name}**`),
            field.name,
          );
        continue;
      }
      const bound = path.slice(path.lastIndexOf(".") + 1); // a command is known by another name than its function
      assert.ok(at(`${importOf(path)}|${bound}()\n`).startsWith(`**${name}**`), name);
      for (const field of fields) {
        if (!/^[a-z_]\w*$/i.test(field.name)) continue;
        assert.ok(
          at(`${importOf(path)}${bound}(|${field.name}=None)\n`).startsWith(`**${field.name}**`),
          field.name,
        );
      }
    }
  });

  it("has a hover with its paper for the Python of every method", () => {
    for (const { sites } of corpus.methods) {
      for (const { symbol } of sites) {
        const value = at(`from adapters import ${symbol}\n|${symbol}()\n`);
        // a definition that methods share is told of one of them
        const owners = corpus.methods.filter((method) => method.sites.some((site) => site.symbol === symbol));
        const titles = corpus.papers.filter(({ id }) => owners.some(({ paper }) => paper === id));
        assert.ok(value.startsWith(`**${symbol}**`), symbol);
        assert.ok(
          titles.some(({ title }) => value.includes(title)),
          symbol,
        );
      }
    }
  });

  it("has a hover for the arXiv id and the title of every paper", () => {
    for (const { arxiv, title } of corpus.papers) {
      if (arxiv !== undefined) assert.ok(at(`# see arXiv:|${arxiv} there\n`).includes(title), arxiv);
      if (title.split(/[\s:-]+/).length >= 4)
        assert.ok(at(`# ${title[0]}|${title.slice(1)}\n`).includes(title), title);
    }
  });

  it("says what LoRA and DoRA would train in GPT-2's attention", () => {
    const value = at(`from torch import nn
class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_|attn = nn.Linear(768, 3 * 768)
`);
    assert.match(value, /^\*\*c_attn\*\* · 768 → 2304 · 1,771,776 parameters\n/);
    assert.match(value, /\nLoRA `rank=8` would train 24,576 \(1\.4 %\) · DoRA `rank=8` 26,880 \(1\.5 %\)/);
  });
});
