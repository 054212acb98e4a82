/** Hovers of the bundled server that speak of files on disk: read when opened, while edited, when changed outside. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import type { ClientCapabilities } from "vscode-languageserver-protocol/node";
import type { CodeAction, Hover } from "vscode-languageserver-types";
import { fullCapabilities, temporaryFolder, withServer, type TestClient } from "./client";

const model = `import torch.nn as nn
from parts.config import WIDTH


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(WIDTH, 2)
`;
const watching: ClientCapabilities = {
  ...fullCapabilities,
  workspace: { ...fullCapabilities.workspace, didChangeWatchedFiles: { dynamicRegistration: true } },
};

const inAWorkspace: ClientCapabilities = {
  ...watching,
  workspace: { ...watching.workspace, workspaceFolders: true },
};

/** A folder with a model and the package that it imports from. */
async function inFolder(
  use: (
    client: TestClient,
    addresses: { model: string; config: string },
    write: (text: string) => void,
  ) => Promise<void>,
  capabilities = watching,
): Promise<void> {
  const folder = temporaryFolder();
  const config = join(folder, "parts", "config.py");
  const write = (text: string): void => writeFileSync(config, text);
  mkdirSync(join(folder, "parts"));
  write("WIDTH = 8\n");
  const address = (path: string): string => pathToFileURL(path).href;
  try {
    await withServer({ capabilities }, (client) =>
      use(client, { model: address(join(folder, "model.py")), config: address(config) }, write),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until the hover over the layer says so. */
async function hovers(client: TestClient, uri: string, expected: RegExp): Promise<void> {
  let said = "";
  for (let attempt = 0; attempt < 100; attempt++) {
    const hover = await client.request<Hover | null>("textDocument/hover", {
      textDocument: { uri },
      position: { line: 7, character: 16 },
    });
    said = JSON.stringify(hover?.contents ?? null);
    if (expected.test(said)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.match(said, expected);
}

test("a layer's size follows the file it is imported from: on disk, open, closed, changed outside", async () => {
  await inFolder(async (client, { model: uri, config }, write) => {
    await client.open(uri, model);
    await hovers(client, uri, /8 → 2/);
    await client.progressed(/diagnostic refresh/);
    await client.open(config, "WIDTH = 8\n");
    await client.change(config, 2, { line: 0, character: 8 }, 1, "16");
    await hovers(client, uri, /16 → 2/);
    await client.close(config);
    await hovers(client, uri, /\b8 → 2/);
    write("WIDTH = 32\n");
    await client.notify("workspace/didChangeWatchedFiles", { changes: [{ uri: config, type: 2 }] });
    await hovers(client, uri, /32 → 2/);
  });
});

test("where the client watches no files, they are read again when a document is opened", async () => {
  await inFolder(async (client, { model: uri }, write) => {
    await client.open(uri, model);
    await hovers(client, uri, /8 → 2/);
    write("WIDTH = 64\n");
    await client.open(uri.replace("model.py", "other.py"), "x = 1\n");
    await hovers(client, uri, /64 → 2/);
  }, fullCapabilities);
});

test("a rule speaks of a configuration that a file of the workspace passes on", async () => {
  await inFolder(async (client, addresses, write) => {
    write("from peft import LoraConfig\n");
    const text = 'from parts.config import LoraConfig\n\nconfig = LoraConfig(task_type="causal_lm")\n';
    await client.open(addresses.model, text);
    let codes: unknown[] = [];
    for (let attempt = 0; attempt < 100 && codes.length === 0; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const report = await client.request<{ readonly items: readonly { readonly code?: unknown }[] }>(
        "textDocument/diagnostic",
        { textDocument: { uri: addresses.model } },
      );
      codes = report.items.map(({ code }) => code);
    }
    assert.deepEqual(codes, ["task-type-spelling"]);
  });
});

test("an initialiser in a file on disk that imports the edited one goes past the adapter", async () => {
  await inFolder(async (client, { model: uri, config }, write) => {
    write(`from torch import nn
from model import Net


def build():
    net = Net()
    for p in net.parameters():
        nn.init.normal_(p)
    return net
`);
    const folder = { uri: uri.replace("/model.py", ""), name: "project" };
    await client.notify("workspace/didChangeWorkspaceFolders", { event: { added: [folder], removed: [] } });
    await client.open(uri, model.replace("(WIDTH, 2)", "(16, 16)"));
    const position = { line: 7, character: 16 };
    const actions = await client.request<CodeAction[]>("textDocument/codeAction", {
      textDocument: { uri },
      range: { start: position, end: position },
      context: { diagnostics: [], only: ["refactor.rewrite.adapter.lora"] },
    });
    const action = actions.find(({ title }) => title.startsWith("Adapt `proj` with LoRA"));
    const { edit } = await client.request<CodeAction>("codeAction/resolve", action);
    const texts = edit?.documentChanges?.flatMap((change) =>
      "textDocument" in change && change.textDocument.uri === config
        ? change.edits.map((each) => ("newText" in each ? each.newText : ""))
        : [],
    );
    assert.deepEqual(texts, [
      "LoRALinear, ",
      ", base_parameters",
      "base_parameters(net, LoRALinear).values()",
    ]);
  }, inAWorkspace);
});
