/**
 * Puts every method that goes all over a model into examples/train.py, with all that goes with it, and writes what
 * comes out for PyTorch to judge. Usage: node whole-model.mjs <out folder>; writes <out>/<method>-<class>.py.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { WorkspaceEdit } from "vscode-languageserver-types";
import type { AdapterChoice } from "../../server/src/protocol";
import { fullCapabilities, withServer } from "../lsp/client";

const [out = ""] = process.argv.slice(2);
const file = "examples/train.py";
const text = readFileSync(file, "utf8");
const uri = `file://${resolve(file)}`;
const document = TextDocument.create(uri, "python", 1, text);
const capabilities = {
  ...fullCapabilities,
  workspace: { ...fullCapabilities.workspace, workspaceEdit: { documentChanges: true } },
};

await withServer({ capabilities }, async (client) => {
  await client.open(uri, text);
  const place = { textDocument: { uri }, position: document.positionAt(text.indexOf("GPT(config)")) };
  const ask = (): Promise<AdapterChoice[]> => client.request("litlens/adapterChoices", place);
  // Sizes are known once the server has read gpt.py beside the script.
  const isSized = ({ scope, trainable }: AdapterChoice): boolean =>
    scope === "model" && trainable !== undefined;
  let choices = await ask();
  for (let attempt = 0; attempt < 100 && !choices.some(isSized); attempt++) {
    await new Promise((resume) => setTimeout(resume, 100));
    choices = await ask();
  }
  mkdirSync(out, { recursive: true });
  for (const { method, site, scope, disabled, with: extras } of choices) {
    if (scope !== "model" || disabled !== undefined) continue;
    const request = { ...place, method, site, with: extras };
    const { documentChanges } = await client.request<WorkspaceEdit>("litlens/insertAdapter", request);
    const [change] = documentChanges ?? [];
    if (change === undefined || !("textDocument" in change)) throw new Error(`${site}: no text edit`);
    const edits = change.edits.flatMap((each) =>
      "newText" in each ? [{ range: each.range, newText: each.newText }] : [],
    );
    const name = `${method}-${site.slice(0, site.indexOf("@"))}.py`;
    writeFileSync(join(out, name), TextDocument.applyEdits(document, edits));
  }
});
