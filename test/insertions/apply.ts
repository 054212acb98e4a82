/**
 * Applies every code action of the real server to model files and writes what comes out, for PyTorch to judge.
 * Usage: node apply.mjs <out folder> <file.py>…; writes <out>/manifest.json and one folder an insertion.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { CodeAction, WorkspaceEdit } from "vscode-languageserver-types";
import { fullCapabilities, type TestClient, withServer } from "../lsp/client";

interface Inserted {
  readonly file: string;
  readonly title: string;
  readonly method: string;
  /** Opaque place, `LoRALinear@linear:Attention:c_attn`. */
  readonly site: string;
  readonly edited: string;
  /** For a script: the model file it was made beside, with the method's own layers in it where it has some. */
  readonly beside?: string;
  /** Root class → the edited file with "Train only the adapters" applied to it. */
  readonly trained: Readonly<Record<string, string>>;
}

const [out = "", ...files] = process.argv.slice(2);
const only = ["refactor.rewrite.adapter"];
let version = 1;

const applied = (text: string, edit: WorkspaceEdit | undefined): string => {
  const change = edit?.documentChanges?.[0];
  if (change === undefined || !("textDocument" in change)) throw new Error("the action brought no text edit");
  const edits = change.edits.flatMap((each) =>
    "newText" in each ? [{ range: each.range, newText: each.newText }] : [],
  );
  return TextDocument.applyEdits(TextDocument.create("", "python", 1, text), edits);
};

/** All actions of the whole text, and what each makes of it. */
async function actionsOn(client: TestClient, uri: string, text: string): Promise<CodeAction[]> {
  await client.notify("textDocument/didChange", {
    textDocument: { uri, version: ++version },
    contentChanges: [{ text }],
  });
  const end = TextDocument.create("", "python", 1, text).positionAt(text.length);
  const range = { start: { line: 0, character: 0 }, end };
  return client.request<CodeAction[]>("textDocument/codeAction", {
    textDocument: { uri },
    range,
    context: { diagnostics: [], only },
  });
}

const resolved = (client: TestClient, action: CodeAction): Promise<CodeAction> =>
  client.request<CodeAction>("codeAction/resolve", action);

/** What stands in gpt.py while a script that imports it is edited: the method's own layers, where it has some. */
function modelFor(method: string, before: readonly Inserted[]): Inserted | undefined {
  const isModule = ({ site }: Inserted): boolean => /@(linear|block-output|block-stack):/.test(site);
  return before.findLast((each) => each.file === "gpt.py" && each.method === method && isModule(each));
}

async function applyAll(client: TestClient, file: string, before: readonly Inserted[]): Promise<Inserted[]> {
  const text = readFileSync(file, "utf8");
  const uri = `file://${resolve(file)}`;
  await client.open(uri, text);
  const inserted: Inserted[] = [];
  for (const action of await actionsOn(client, uri, text)) {
    const data: unknown = action.data;
    if (action.disabled !== undefined || typeof data !== "object" || data === null) continue;
    if (!("method" in data) || !("site" in data)) continue;
    // One blank line stands for all.
    if (/@free::[1-9]/.test(String(data.site))) continue;
    await client.notify("textDocument/didChange", {
      textDocument: { uri, version: ++version },
      contentChanges: [{ text }],
    });
    const model = /@(training-step|loss):/.test(String(data.site))
      ? modelFor(String(data.method), before)
      : undefined;
    if (model !== undefined) {
      const beside = { uri: `file://${resolve(file, "../gpt.py")}`, version: ++version };
      const contentChanges = [{ text: readFileSync(model.edited, "utf8") }];
      await client.notify("textDocument/didChange", { textDocument: beside, contentChanges });
    }
    const edited = applied(text, (await resolved(client, action)).edit);
    const folder = join(out, `${basename(file, ".py")}-${inserted.length}`);
    mkdirSync(folder, { recursive: true });
    const write = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const trained: Record<string, string> = {};
    const follow = await actionsOn(client, uri, edited);
    for (const each of follow.filter(({ kind }) => kind === "refactor.rewrite.adapter.train-only")) {
      const root = /`(.*)`/.exec(each.title)?.[1] ?? "";
      trained[root] = write(`trained_${root}.py`, applied(edited, (await resolved(client, each)).edit));
    }
    inserted.push({
      file: basename(file),
      title: action.title,
      method: String(data.method),
      site: String(data.site),
      edited: write("edited.py", edited),
      trained,
      ...(model === undefined ? {} : { beside: model.edited }),
    });
  }
  return inserted;
}

const capabilities = {
  ...fullCapabilities,
  workspace: { ...fullCapabilities.workspace, workspaceEdit: { documentChanges: true } },
};
await withServer({ capabilities }, async (client) => {
  const inserted: Inserted[] = [];
  for (const file of files) inserted.push(...(await applyAll(client, file, inserted)));
  writeFileSync(join(out, "manifest.json"), JSON.stringify(inserted, undefined, 1));
  console.log(`${inserted.length} insertions into ${files.length} files`);
});
