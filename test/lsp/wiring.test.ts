/** What the wiring owes whatever the service does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CancellationTokenSource, LSPErrorCodes, ResponseError } from "vscode-languageserver-protocol/node";
import type { Settings } from "../../server/src/protocol";
import type { NotebookCell } from "../../server/src/documents";
import { emptyRuntime, fullCapabilities, quietService, withService } from "./client";

const uri = "file:///model.py";
const at = (line: number, character: number) => ({ textDocument: { uri }, position: { line, character } });
const broken = (): never => {
  throw new Error("a hole in the service");
};

test("a handler that throws gives a neutral answer and a log entry, and the server lives on", async () => {
  const service = quietService({
    hover: broken,
    complete: broken,
    codeActions: broken,
    diagnose: broken,
    inlayHints: broken,
    openDocument: broken,
  });
  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
  await withService(service, {}, async (client) => {
    await client.open(uri, "x = 1\n");
    assert.equal(await client.request("textDocument/hover", at(0, 0)), null);
    assert.deepEqual(await client.request("textDocument/completion", at(0, 0)), {
      isIncomplete: false,
      items: [],
    });
    const actions = { textDocument: { uri }, range, context: { diagnostics: [] } };
    assert.deepEqual(await client.request("textDocument/codeAction", actions), []);
    assert.deepEqual(await client.request("textDocument/inlayHint", { textDocument: { uri }, range }), []);
    assert.deepEqual(await client.request("textDocument/diagnostic", { textDocument: { uri } }), {
      kind: "full",
      items: [],
    });
    await client.logged(/^hover: Error: a hole in the service\n/);
    await client.logged(/^didOpen: /);
  });
});

test("what the user asked for answers with the reason", async () => {
  const service = quietService({
    insertAdapter: () => Promise.reject(new Error("`out_proj` is never called.")),
    resolveCodeAction: () => Promise.reject(new Error("`skip` has no channels.")),
  });
  await withService(service, {}, async (client) => {
    const insertion = client.request("litlens/insertAdapter", { ...at(0, 0), method: "lora" });
    await assert.rejects(insertion, {
      code: LSPErrorCodes.RequestFailed,
      message: "`out_proj` is never called.",
    });
    const action = { title: "Adapt", data: {} };
    assert.deepEqual(await client.request("codeAction/resolve", action), action);
    assert.equal(await client.shown(/skip/), "Litlens: `skip` has no channels.");
  });
});

test("requests beyond LSP name the wrong field", async () => {
  await withService(quietService(), {}, async (client) => {
    await assert.rejects(client.request("litlens/searchPapers", { query: 7 }), (error: unknown) => {
      assert.ok(error instanceof ResponseError);
      assert.match(error.message, /^litlens\/searchPapers: query: /);
      return true;
    });
    await assert.rejects(client.request("litlens/importPapers", {}), /give text or uri/);
    await assert.rejects(
      client.request("workspace/executeCommand", { command: "litlens.server.nothing" }),
      /There is no command litlens\.server\.nothing/,
    );
  });
});

test("a request cancelled in the queue is never computed", async () => {
  const computed: number[] = [];
  const service = quietService({
    hover: (uri, { line }) => {
      if (uri.startsWith("litlens-warm-up:")) return null;
      computed.push(line);
      const until = performance.now() + 20;
      while (performance.now() < until);
      return { contents: String(line) };
    },
  });
  await withService(service, {}, async (client) => {
    await client.request("litlens/status", {});
    computed.length = 0;
    const sources = Array.from({ length: 20 }, () => new CancellationTokenSource());
    const answers = sources.map(({ token }, line) =>
      client.request("textDocument/hover", at(line, 0), token).catch((error: unknown) => error),
    );
    for (const source of sources.slice(0, -1)) source.cancel();
    const settled = await Promise.all(answers);
    assert.deepEqual(settled.at(-1), { contents: "19" });
    for (const error of settled.slice(1, -1)) {
      assert.ok(error instanceof ResponseError);
      assert.equal(error.code, LSPErrorCodes.RequestCancelled);
    }
    // The first may be under way before its cancellation arrives.
    assert.deepEqual(
      computed.filter((line) => line !== 0),
      [19],
    );
  });
});

test("a request cancelled while it is computed answers that it was", async () => {
  const waiting: (() => void)[] = [];
  const service = quietService({
    search: () => new Promise((done) => waiting.push(() => done({ hits: [], total: 0 }))),
  });
  await withService(service, {}, async (client) => {
    const source = new CancellationTokenSource();
    const answer = client.request("litlens/searchPapers", { query: "lora" }, source.token);
    await client.request("litlens/status", {});
    source.cancel();
    await client.request("litlens/status", {});
    for (const go of waiting) go();
    await assert.rejects(answer, { code: LSPErrorCodes.RequestCancelled });
  });
});

test("a setting of the wrong type is named, the others count", async () => {
  const configured: Settings[] = [];
  let settings: unknown = { hover: { enable: false }, insert: { destination: "module" } };
  const service = quietService({ configure: (each) => configured.push(each) });
  await withService(service, { settings: () => settings }, async (client) => {
    await client.request("litlens/status", {});
    settings = {
      hover: { enable: "no", layers: false },
      insert: { moduleName: "my adapters" },
      corpus: { paths: "~/corpus" },
      diagnostics: { rules: { "merge-dropped": "loud" } },
    };
    await client.notify("workspace/didChangeConfiguration", { settings: null });
    assert.equal(
      await client.shown(/hover/),
      'Litlens: litlens.hover.enable must be true or false, found "no"; false stays in force.',
    );
    await client.shown(
      /litlens\.insert\.moduleName must be a Python module name, without \.py, found "my adapters"/,
    );
    await client.shown(/litlens\.corpus\.paths must be a list of folders/);
    await client.shown(/litlens\.diagnostics\.rules must be off, hint, .* by the name of a rule/);
    assert.deepEqual(configured.at(-1), {
      hover: { enable: false, layers: false },
      completion: { enable: true },
      inlayHints: { enable: false },
      diagnostics: { enable: true, rules: {} },
      insert: { destination: "inline", moduleName: "adapters" },
      corpus: { paths: [] },
      citation: { style: "comment" },
    });
  });
});

test("settings pushed by a client that answers no questions", async () => {
  const configured: Settings[] = [];
  const service = quietService({ configure: (each) => configured.push(each) });
  await withService(service, { capabilities: {} }, async (client) => {
    await client.notify("workspace/didChangeConfiguration", {
      settings: { litlens: { citation: { style: "bibtex" } } },
    });
    await client.request("litlens/status", {});
    assert.equal(configured.at(-1)?.citation.style, "bibtex");
  });
});

test("diagnostics are pushed after a pause to clients that do not pull, and taken back on close", async () => {
  let computed = 0;
  const diagnostic = {
    range: { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } },
    message: "found",
  };
  const service = quietService({
    diagnose: () => {
      computed += 1;
      return Promise.resolve([diagnostic]);
    },
  });
  await withService(service, { capabilities: {} }, async (client) => {
    await client.open(uri, "x = 1\n");
    for (let version = 2; version < 12; version++)
      await client.change(uri, version, { line: 0, character: 4 }, 1, String(version % 10));
    await client.published(uri, (found) => found.length === 1);
    assert.equal(computed, 1);
    await client.close(uri);
    await client.published(uri, (found) => found.length === 0);
  });
});

test("clients that pull get nothing pushed", async () => {
  const service = quietService({ diagnose: () => Promise.resolve([]) });
  await withService(service, {}, async (client, { capabilities }) => {
    assert.deepEqual(capabilities.diagnosticProvider, {
      identifier: "litlens",
      interFileDependencies: true,
      workspaceDiagnostics: false,
    });
    let pushed = false;
    client.connection.onNotification("textDocument/publishDiagnostics", () => {
      pushed = true;
    });
    await client.open(uri, "x = 1\n");
    await new Promise((done) => setTimeout(done, 500));
    assert.equal(pushed, false);
  });
});

test("the Python cells of a notebook arrive together and in order", async () => {
  const seen: (readonly NotebookCell[])[] = [];
  let closed = "";
  const service = quietService({
    setNotebook: (_, cells) => seen.push(cells),
    closeNotebook: (each) => (closed = each),
  });
  const notebook = "file:///train.ipynb";
  const cell = (name: string) => `vscode-notebook-cell:/train.ipynb#${name}`;
  const document = (name: string, text: string, languageId = "python") => ({
    uri: cell(name),
    languageId,
    version: 1,
    text,
  });
  await withService(service, {}, async (client) => {
    await client.notify("notebookDocument/didOpen", {
      notebookDocument: {
        uri: notebook,
        notebookType: "jupyter-notebook",
        version: 1,
        cells: [
          { kind: 2, document: cell("a") },
          { kind: 2, document: cell("b") },
          { kind: 2, document: cell("c") },
        ],
      },
      cellTextDocuments: [
        document("a", "import torch"),
        document("b", "ls", "shellscript"),
        document("c", "x = 1"),
      ],
    });
    await client.notify("notebookDocument/didChange", {
      notebookDocument: { uri: notebook, version: 2 },
      change: {
        cells: {
          textContent: [
            {
              document: { uri: cell("c"), version: 2 },
              changes: [
                {
                  range: { start: { line: 0, character: 4 }, end: { line: 0, character: 5 } },
                  text: "torch",
                },
              ],
            },
          ],
        },
      },
    });
    await client.progressed(/diagnostic refresh/);
    assert.deepEqual(
      seen.map((cells) => cells.map(({ text }) => text)),
      [
        ["import torch", "x = 1"],
        ["import torch", "x = torch"],
      ],
    );
    await client.notify("notebookDocument/didClose", {
      notebookDocument: { uri: notebook },
      cellTextDocuments: [{ uri: cell("a") }, { uri: cell("b") }, { uri: cell("c") }],
    });
    await client.request("litlens/status", {});
    assert.equal(closed, notebook);
  });
});

test("a client without resolve gets whole actions, and none that are greyed out", async () => {
  const edit = { changes: { [uri]: [] } };
  const service = quietService({
    codeActions: () => [
      { title: "one", data: 1 },
      { title: "grey", disabled: { reason: "fused" } },
      { title: "impossible", data: 2 },
    ],
    resolveCodeAction: (action) =>
      action.data === 1 ? Promise.resolve({ ...action, edit }) : Promise.reject(new Error("no")),
  });
  const capabilities = {
    textDocument: { codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: [] } } } },
  };
  const params = {
    textDocument: { uri },
    range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
    context: { diagnostics: [] },
  };
  await withService(service, { capabilities }, async (client) => {
    assert.deepEqual(await client.request("textDocument/codeAction", params), [
      { title: "one", data: 1, edit },
    ]);
  });
  await withService(service, { capabilities: fullCapabilities }, async (client) => {
    const titles = await client.request<{ title: string }[]>("textDocument/codeAction", params);
    assert.deepEqual(
      titles.map(({ title }) => title),
      ["one", "grey", "impossible"],
    );
  });
});

test("a server command applies the insertion itself", async () => {
  const edit = { changes: { [uri]: [] } };
  const applied: unknown[] = [];
  const service = quietService({ insertAdapter: () => Promise.resolve(edit) });
  await withService(service, {}, async (client, { capabilities }) => {
    client.connection.onRequest("workspace/applyEdit", ({ edit: given }: { edit: unknown }) => {
      applied.push(given);
      return { applied: true };
    });
    const command = "litlens.server.insertAdapter";
    assert.ok(capabilities.executeCommandProvider?.commands.includes(command));
    await client.request("workspace/executeCommand", {
      command,
      arguments: [{ ...at(0, 0), method: "lora" }],
    });
    assert.deepEqual(applied, [edit]);
  });
});

test("a damaged corpus is said at initialize", async () => {
  const runtime = { ...emptyRuntime, readAsset: () => Promise.resolve("{") };
  await assert.rejects(
    withService(quietService(), {}, () => Promise.resolve(), runtime),
    /Litlens cannot start: corpus\.json is damaged; install Litlens anew\./,
  );
});

test("the library is read only once the client is initialised, for the client may be the one that keeps it", async () => {
  const events: string[] = [];
  const storage = {
    read: () => {
      events.push("read");
      return Promise.resolve(null);
    },
    write: () => Promise.resolve(),
  };
  await withService(
    (options) => {
      void options.storage.read("library.json");
      return quietService();
    },
    { beforeInitialized: () => events.push("initialize answered") },
    (client) => client.request("litlens/status", {}).then(() => undefined),
    { ...emptyRuntime, storage: () => storage },
  );
  assert.deepEqual(events, ["initialize answered", "read"]);
});
