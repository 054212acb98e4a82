/** The bundled server as editors run it: a process that talks over its standard streams. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, statSync } from "node:fs";
import { test } from "node:test";
import type { CompletionList, Hover } from "vscode-languageserver-types";
import type { ImportResult, SearchResult, Status } from "../../server/src/protocol";
import { serverPath, temporaryFolder, withServer, type TestClient } from "./client";

const uri = "file:///project/model.py";
const model = `import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(8, 16)

    def forward(self, x):
        return self.proj(x)
`;
/** On `Linear` of `model`. */
const linear = { line: 6, character: 25 };

async function hoverText(client: TestClient, position = linear, document = uri): Promise<string | null> {
  const hover = await client.request<Hover | null>("textDocument/hover", {
    textDocument: { uri: document },
    position,
  });
  if (hover === null) return null;
  const { contents } = hover;
  assert.ok(typeof contents === "object" && "kind" in contents);
  return contents.value;
}

const run = (...options: string[]) =>
  spawnSync(process.execPath, [serverPath, ...options], { encoding: "utf8" });

test("--version, --help and unknown options", () => {
  const manifest = readFileSync("package.json", "utf8");
  const version = run("--version");
  assert.equal(version.status, 0);
  assert.match(manifest, new RegExp(`"version": "${version.stdout.trim()}"`));
  const help = run("--help");
  assert.equal(help.status, 0);
  assert.match(help.stdout, /--stdio .*\n.*--node-ipc/);
  const unknown = run("--stdoi");
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /^litlens-language-server: unknown option --stdoi\n/);
  const none = run();
  assert.equal(none.status, 2);
  assert.match(none.stderr, /--stdio or --node-ipc is missing/);
  assert.ok(statSync(serverPath).mode & 0o100, "the bin must be executable");
});

test("the end of its input ends the server, with 1 where nobody said goodbye", () => {
  assert.equal(spawnSync(process.execPath, [serverPath, "--stdio"], { input: "" }).status, 1);
});

test("initialize, capabilities and a clean exit", async () => {
  await withServer({}, async (client, { capabilities, serverInfo }) => {
    assert.equal(serverInfo?.name, "litlens");
    assert.deepEqual(capabilities.textDocumentSync, { openClose: true, change: 2 });
    assert.equal(capabilities.hoverProvider, true);
    assert.equal(capabilities.completionProvider?.resolveProvider, true);
    assert.deepEqual(capabilities.codeActionProvider, {
      codeActionKinds: ["refactor.rewrite.adapter", "refactor.rewrite.config", "quickfix"],
      resolveProvider: true,
    });
    assert.equal(await hoverText(client), null);
  });
});

test("a hover follows incremental edits", async () => {
  await withServer({}, async (client) => {
    await client.open(uri, model);
    assert.match((await hoverText(client)) ?? "", /8 → 16 · 144 parameters/);
    await client.change(uri, 2, { line: 6, character: 30 }, 1, "4");
    await client.change(uri, 3, { line: 6, character: 33 }, 2, "2");
    assert.match((await hoverText(client)) ?? "", /4 → 2 · 10 parameters/);
    await client.change(uri, 4, { line: 0, character: 0 }, 0, "# first\n");
    assert.match((await hoverText(client, { line: 7, character: 25 })) ?? "", /4 → 2/);
  });
});

test("an unclosed bracket above takes nothing below with it", async () => {
  await withServer({}, async (client) => {
    await client.open(uri, model);
    await client.change(uri, 2, { line: 1, character: 0 }, 0, "config = dict(r=");
    assert.match((await hoverText(client)) ?? "", /8 → 16/);
  });
});

test("the cells of a notebook are one module", async () => {
  const notebook = "file:///project/model.ipynb";
  const [first, second] = ["vscode-notebook-cell:/model.ipynb#1", "vscode-notebook-cell:/model.ipynb#2"];
  const [imports, ...rest] = model.split("\n");
  const cell = (name: string, text: string) => ({ uri: name, languageId: "python", version: 1, text });
  await withServer({}, async (client) => {
    await client.notify("notebookDocument/didOpen", {
      notebookDocument: {
        uri: notebook,
        notebookType: "jupyter-notebook",
        version: 1,
        cells: [
          { kind: 2, document: first },
          { kind: 2, document: second },
        ],
      },
      cellTextDocuments: [cell(first, imports ?? ""), cell(second, rest.join("\n"))],
    });
    const inSecond = { line: linear.line - 1, character: linear.character };
    assert.match((await hoverText(client, inSecond, second)) ?? "", /8 → 16/);
    await client.notify("notebookDocument/didChange", {
      notebookDocument: { uri: notebook, version: 2 },
      change: {
        cells: {
          textContent: [
            {
              document: { uri: first, version: 2 },
              changes: [
                {
                  range: { start: { line: 0, character: 0 }, end: { line: 0, character: 21 } },
                  text: "import json as nn",
                },
              ],
            },
          ],
        },
      },
    });
    assert.equal(await hoverText(client, inSecond, second), null);
  });
});

test("unknown, closed and foreign documents give neutral answers", async () => {
  await withServer({}, async (client) => {
    const position = linear;
    const nowhere = { textDocument: { uri: "file:///nowhere.py" }, position };
    assert.equal(await client.request("textDocument/hover", nowhere), null);
    const completions = await client.request<CompletionList>("textDocument/completion", nowhere);
    assert.deepEqual(completions.items, []);
    assert.deepEqual(await client.request("litlens/adapterChoices", nowhere), []);
    assert.equal(await client.request("litlens/paper", { id: "no-such-paper" }), null);
    await client.open(uri, model);
    const asked = [hoverText(client), client.close(uri), hoverText(client)] as const;
    const [before, , after] = await Promise.all(asked);
    assert.match(before ?? "", /8 → 16/);
    assert.equal(after, null);
    const { documents } = await client.request<Status>("litlens/status", {});
    assert.equal(documents, 0);
  });
});

test("positions outside the document, and what is no Python at all", async () => {
  await withServer({}, async (client) => {
    await client.open(uri, model);
    assert.equal(await hoverText(client, { line: 900, character: 900 }), null);
    const binary = Array.from({ length: 20_000 }, (_, index) =>
      String.fromCharCode((index * 7919) % 65_536),
    ).join("");
    await client.open("file:///binary.py", binary);
    assert.equal(await hoverText(client, { line: 0, character: 3 }, "file:///binary.py"), null);
    assert.match((await hoverText(client)) ?? "", /8 → 16/);
  });
});

test("a line of 5 MB", async () => {
  const long = "file:///long.py";
  await withServer({}, async (client) => {
    await client.open(uri, model);
    await client.open(long, `x = [${"1, ".repeat(5_000_000 / 3)}]`);
    assert.equal(await hoverText(client, { line: 0, character: 2_500_000 }, long), null);
    await client.change(long, 2, { line: 0, character: 5 }, 1, "2");
    assert.equal(await hoverText(client, { line: 0, character: 5 }, long), null);
    assert.match((await hoverText(client)) ?? "", /8 → 16/);
  });
});

test("an import is found at once and after a restart", async () => {
  const storage = temporaryFolder();
  const text = `@article{quokka2031,
  title = {Quokka Tuning of Very Small Language Models},
  author = {Sample, Ada and Example, Bo},
  year = {2031}
}
`;
  const search = async (client: TestClient) => {
    const { hits } = await client.request<SearchResult>("litlens/searchPapers", { query: "quokka" });
    return hits.map(({ title }) => title);
  };
  const found = ["Quokka Tuning of Very Small Language Models"];
  try {
    await withServer({ storage }, async (client) => {
      assert.deepEqual(await search(client), []);
      const { added } = await client.request<ImportResult>("litlens/importPapers", { text });
      assert.equal(added, 1);
      await client.progressed(/importing papers/);
      await client.progressed(/end/);
      assert.deepEqual(await search(client), found);
      const again = await client.request<ImportResult>("litlens/importPapers", { text });
      assert.deepEqual(again, { added: 0, updated: 0, unchanged: 1, skipped: [] });
    });
    await withServer({ storage }, async (client) => {
      assert.deepEqual(await search(client), found);
      const { userPapers } = await client.request<Status>("litlens/status", {});
      assert.equal(userPapers, 1);
    });
  } finally {
    rmSync(storage, { recursive: true, force: true });
  }
});

test("a file that cannot be imported is named, with the remedy", async () => {
  await withServer({}, async (client) => {
    await assert.rejects(
      client.request("litlens/importPapers", { uri: "file:///no/such/page.txt" }),
      /^Error: \/no\/such\/page\.txt cannot be read \(ENOENT\); check/,
    );
    await assert.rejects(
      client.request("litlens/importPapers", { uri: "https://example.org/page" }),
      /send its content as text instead/,
    );
  });
});

test("status counts what the server has", async () => {
  await withServer({}, async (client) => {
    const before = await client.request<Status>("litlens/status", {});
    assert.match(before.version, /^\d+\.\d+\.\d+$/);
    assert.ok(before.papers > 0 && before.methods > 0);
    assert.equal(before.index, "not loaded");
    assert.ok((before.memory ?? 0) > 10_000_000);
    assert.deepEqual(before.problems, []);
    await client.request("litlens/searchPapers", { query: "low-rank" });
    await client.open(uri, model);
    const after = await client.request<Status>("litlens/status", {});
    assert.deepEqual([after.index, after.documents], ["ready", 1]);
  });
});
