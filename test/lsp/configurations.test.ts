/** Configuration files over the real stream: answered from the first request on, and all other YAML left alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CodeAction, CompletionList, Hover } from "vscode-languageserver-types";
import { type TestClient, withServer } from "./client";

const uri = "file:///project/lora.yaml";
const axolotl =
  "base_model: meta-llama/Llama-3.1-8B\nsequence_len: 2048\nadapter: qlora\nlora_r: 64\nlora_alpha: 8\n";
const compose = "services:\n  web:\n    image: nginx\n    environment:\n      adapter: lora\n";

async function hoverText(client: TestClient, line: number, document = uri): Promise<string | null> {
  const hover = await client.request<Hover | null>("textDocument/hover", {
    textDocument: { uri: document },
    position: { line, character: 3 },
  });
  if (hover === null) return null;
  const { contents } = hover;
  assert.ok(typeof contents === "object" && "kind" in contents);
  return contents.value;
}

test("the first hover of a configuration file is answered, and follows edits", async () => {
  await withServer({}, async (client) => {
    await client.open(uri, axolotl, "yaml");
    assert.match((await hoverText(client, 3)) ?? "", /\*\*lora_r\*\*[^]*scale 0\.125/);
    await client.change(uri, 2, { line: 4, character: 12 }, 1, "128");
    assert.match((await hoverText(client, 3)) ?? "", /→ scale 2\./);
    await client.change(uri, 3, { line: 1, character: 14 }, 4, "[");
    assert.match((await hoverText(client, 3)) ?? "", /\*\*lora_r\*\*/);
    await client.close(uri);
    assert.equal(await hoverText(client, 3), null);
  });
});

test("keys and values are completed", async () => {
  await withServer({}, async (client) => {
    await client.open(uri, `${axolotl}load_in_4bit: \n`, "yaml");
    const complete = (line: number, character: number) =>
      client.request<CompletionList>("textDocument/completion", {
        textDocument: { uri },
        position: { line, character },
      });
    assert.deepEqual(
      (await complete(5, 14)).items.map(({ label }) => label),
      ["true", "false"],
    );
    const keys = (await complete(6, 0)).items.map(({ label }) => label);
    assert.ok(keys.includes("lora_dropout") && !keys.includes("lora_r"));
  });
});

test("a mistake is published and its fix offered", async () => {
  await withServer(
    {
      capabilities: {
        textDocument: { codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: [] } } } },
      },
    },
    async (client) => {
      await client.open(uri, axolotl, "yaml");
      const diagnostics = await client.published(uri, (found) => found.length > 0);
      assert.deepEqual(
        diagnostics.map(({ code, range }) => [code, range.start.line]),
        [["axolotl-qlora-without-4bit", 2]],
      );
      const actions = await client.request<CodeAction[]>("textDocument/codeAction", {
        textDocument: { uri },
        range: diagnostics[0]?.range,
        context: { diagnostics },
      });
      assert.deepEqual(
        actions.map(({ title }) => title),
        ["Set `load_in_4bit: true`"],
      );
    },
  );
});

test("its bibliography has the papers of the methods that it uses", async () => {
  await withServer({}, async (client) => {
    await client.open(uri, `# as in arXiv:2402.09353\n${axolotl}peft_use_rslora: false\n`, "yaml");
    await hoverText(client, 3);
    const { text } = await client.request<{ text: string }>("litlens/bibliography", {
      textDocument: { uri },
      style: "bibtex",
    });
    assert.deepEqual(
      [...text.matchAll(/eprint = \{(.*)\}/g)].map(([, id]) => id),
      ["2402.09353", "2106.09685", "2305.14314"],
    );
  });
});

test("other YAML gets no answer and no error", async () => {
  await withServer({}, async (client) => {
    await client.open("file:///project/compose.yaml", compose, "yaml");
    assert.equal(await hoverText(client, 4, "file:///project/compose.yaml"), null);
    const { items } = await client.request<CompletionList>("textDocument/completion", {
      textDocument: { uri: "file:///project/compose.yaml" },
      position: { line: 5, character: 0 },
    });
    assert.deepEqual(items, []);
    // once it has become a configuration, it is answered
    await client.change("file:///project/compose.yaml", 2, { line: 0, character: 0 }, 0, axolotl);
    assert.match((await hoverText(client, 3, "file:///project/compose.yaml")) ?? "", /lora_r/);
  });
});
