/** A user's own corpus over the bundled server: read at the start and when the setting changes. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { Hover, MarkupContent } from "vscode-languageserver-types";
import type { SearchResult, Status } from "../../server/src/protocol";
import { temporaryFolder, withServer, type TestClient } from "./client";

const pack: Readonly<Record<string, string>> = {
  "papers/quokka.md": `---
id: quokka
title: "Quokka Tuning of Very Small Language Models"
topics: [marsupials]
---
Quokka layers hop over what they know.
`,
  "papers/wombat.md": `---
id: wombat
title: Wombats
year: twenty
topics: [marsupials]
---
Wombats dig.
`,
  "methods/quokka/method.yaml": `id: quokka
name: Quokka
paper: quokka
family: adapter
fidelity: paper
summary: Hops over a layer.
formula: h = x + \\mathrm{hop}(x)
hyperparameters: [{ name: height, type: int, default: 3, meaning: how high it hops }]
properties: { identityAtInit: exact, mergeable: true, keepsCheckpointKeys: true }
sites: [{ kind: linear, symbol: QuokkaLinear, write: [height], trainable: height * in_features }]
`,
  "methods/quokka/quokka.py": `from torch import nn


class QuokkaLinear(nn.Linear):
    """Hops."""

    def __init__(self, in_features, out_features, bias=True, *, height: int = 3) -> None:
        super().__init__(in_features, out_features, bias)
`,
  "symbols/hop.yaml": `library: hop
symbols:
  - { name: Hopper, qualified: [hop.Hopper], kind: class, summary: Makes a layer hop., papers: [quokka] }
`,
};

const uri = "file:///model.py";
const model = `import torch.nn as nn
from hop import Hopper


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(8, 16)

    def forward(self, x):
        return self.proj(x)
`;

const titles = async (client: TestClient, query: string): Promise<readonly string[]> =>
  (await client.request<SearchResult>("litlens/searchPapers", { query })).hits.map(({ title }) => title);

const hoverText = async (client: TestClient, line: number, character: number): Promise<string> => {
  const position = { line, character };
  const found = await client.request<(Hover & { contents: MarkupContent }) | null>("textDocument/hover", {
    textDocument: { uri },
    position,
  });
  return found?.contents.value ?? "";
};

const problems = async (client: TestClient): Promise<readonly string[]> =>
  (await client.request<Status>("litlens/status", {})).problems;

test("a corpus of one's own is hovered, found and inserted, and its bad file is named", async () => {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(pack)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const missing = join(folder, "nowhere");
  let paths: readonly string[] = [missing, folder];
  try {
    await withServer({ settings: () => ({ corpus: { paths } }) }, async (client) => {
      await client.open(uri, model);
      assert.deepEqual(await titles(client, "quokka"), ["Quokka Tuning of Very Small Language Models"]);
      const said = [
        `litlens.corpus.paths: ${missing} does not exist; put the path right, or take it out of the setting.`,
        `${folder}/papers/wombat.md:4: year must be a whole number, found "twenty"`,
      ];
      assert.deepEqual(await problems(client), said);
      assert.equal(await client.shown(/nowhere/), `Litlens: ${said[0] ?? ""} And 1 more: see the log.`);
      await client.logged(/wombat\.md:4: year must be/);
      assert.match(await hoverText(client, 1, 18), /Makes a layer hop\.[^]*Quokka Tuning/);

      const at = { textDocument: { uri }, position: { line: 7, character: 14 } };
      const edit = await client.request("litlens/insertAdapter", { ...at, method: "quokka" });
      assert.match(JSON.stringify(edit), /class QuokkaLinear\(nn\.Linear\)[^]*height=/);
      assert.match(JSON.stringify(await client.request("litlens/paper", { id: "quokka" })), /mathrm\{hop\}/);

      paths = [];
      await client.notify("workspace/didChangeConfiguration", { settings: null });
      await client.progressed(/diagnostic refresh/);
      for (let attempt = 0; (await titles(client, "quokka")).length > 0; attempt++)
        assert.ok(attempt < 50, "the corpus stays after its folder left the setting");
      assert.deepEqual(await problems(client), []);
      assert.match(await hoverText(client, 7, 14), /8 → 16/);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
