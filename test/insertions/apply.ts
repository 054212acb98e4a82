/**
 * Applies the code actions of the real server to model files and writes what comes out, for PyTorch to judge.
 * Usage: node apply.mjs <out folder> <file.py>… --wide <file.py>…; writes <out>/manifest.json, one folder an insertion,
 * and <out>/completions.json, one accepted snippet a method and position. Helpers go to the first file alone; files
 * after `--wide` have the layers of a class adapted together, not one by one.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { CodeAction, CompletionList, TextEdit, WorkspaceEdit } from "vscode-languageserver-types";
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

const [out = "", ...listed] = process.argv.slice(2);
const wideFrom = listed.includes("--wide") ? listed.indexOf("--wide") : listed.length;
const [closely, widely] = [listed.slice(0, wideFrom), listed.slice(wideFrom + 1)];
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

/** What stands in gpt.py while a script that imports it is edited: the method's own layers, else those of LoRA. */
function modelFor(method: string, site: string, before: readonly Inserted[]): Inserted | undefined {
  const isModule = (each: Inserted): boolean => /@(linear|block-output|block-stack):/.test(each.site);
  const modules = before.filter((each) => each.file === "gpt.py" && isModule(each));
  const own = /^LoRA/.test(site) ? undefined : modules.findLast((each) => each.method === method);
  return own ?? modules.findLast((each) => each.method === "lora");
}

/** A loss may need what the method first does to the model of the same script. */
const preparedBy = (method: string, site: string, file: string, here: readonly Inserted[]): string =>
  readFileSync(
    (/@loss:/.test(site)
      ? here.find((each) => each.method === method && /@model:/.test(each.site))?.edited
      : undefined) ?? file,
    "utf8",
  );

/** Whether an action is applied to a file that is read widely: `sites` are all that it has. */
function isWide(site: string, sites: ReadonlySet<string>): boolean {
  const [, symbol = "", owner = ""] = /^(\w+)@(linear:\w+:)/.exec(site) ?? [];
  return owner === "" || site.endsWith(":*") || !sites.has(`${symbol}@${owner}*`);
}

interface Reading {
  /** Whether layers of one class are adapted together where that is offered. */
  readonly wide: boolean;
  readonly helpers: boolean;
}

const siteOf = (data: unknown): string =>
  typeof data === "object" && data !== null && "site" in data ? String(data.site) : "";

async function applyAll(
  client: TestClient,
  file: string,
  { wide, helpers }: Reading,
  before: readonly Inserted[],
): Promise<Inserted[]> {
  const original = readFileSync(file, "utf8");
  const isScript = !/^class /m.test(original);
  const uri = `file://${resolve(file)}`;
  await client.open(uri, original);
  const inserted: Inserted[] = [];
  const actions = (await actionsOn(client, uri, original)).toSorted(
    (a, b) => Number(/@loss:/.test(siteOf(a.data))) - Number(/@loss:/.test(siteOf(b.data))),
  );
  const sites = new Set(actions.map((action) => siteOf(action.data)));
  for (const action of actions) {
    const data: unknown = action.data;
    if (action.disabled !== undefined || typeof data !== "object" || data === null) continue;
    if (!("method" in data) || !("site" in data)) continue;
    // One blank line of one file stands for all.
    if (/@free:/.test(String(data.site)) && !(helpers && String(data.site).endsWith("@free::0"))) continue;
    if (wide && !isWide(String(data.site), sites)) continue;
    const isStep = /@(training-step|loss):/.test(String(data.site));
    if (isStep && !isScript) continue;
    const text = preparedBy(String(data.method), String(data.site), file, inserted);
    await client.notify("textDocument/didChange", {
      textDocument: { uri, version: ++version },
      contentChanges: [{ text }],
    });
    const model = isStep ? modelFor(String(data.method), String(data.site), before) : undefined;
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

interface Accepted {
  readonly method: string;
  readonly label: string;
  readonly at: "module" | "init";
  /** The whole document, with the snippet's source between U+0001 and U+0002. */
  readonly text: string;
}

/** Above a class, and below a line of an `__init__`. */
const positions = { module: /^(?=class Block\()/m, init: /(?<=MLP\(config\)\n {8})/ } as const;

const methods = readdirSync("corpus/methods");

/** Types `litlens-<id>` into gpt.py and accepts each item whose label begins so. */
async function acceptAll(client: TestClient, file: string, method: string): Promise<Accepted[]> {
  const uri = `file://${resolve(file)}`;
  const accepted: Accepted[] = [];
  for (const at of ["module", "init"] as const) {
    const typed = `litlens-${method}`;
    const text = readFileSync(file, "utf8")
      .replace("MLP(config)\n", "MLP(config)\n        \n")
      .replace(positions[at], at === "module" ? `${typed}\n\n\n` : typed);
    const document = TextDocument.create(uri, "python", ++version, text);
    await client.notify("textDocument/didChange", {
      textDocument: { uri, version },
      contentChanges: [{ text }],
    });
    const position = document.positionAt(text.indexOf(typed) + typed.length);
    const params = { textDocument: { uri }, position };
    const { items } = await client.request<CompletionList>("textDocument/completion", params);
    for (const { label, textEdit, additionalTextEdits = [] } of items) {
      // lora-mha, and lora-conv-LoRAConv1d, when lora was typed
      const isAnother = methods.some(
        (each) => each.startsWith(`${method}-`) && `${label}-`.startsWith(`litlens-${each}-`),
      );
      if (label !== typed && (isAnother || !label.startsWith(`${typed}-`) || at !== "init")) continue;
      if (textEdit === undefined || !("range" in textEdit)) throw new Error(`${label} brought no text edit`);
      const marked: TextEdit = { range: textEdit.range, newText: `\u0001${textEdit.newText}\u0002` };
      const edited = TextDocument.applyEdits(document, [marked, ...additionalTextEdits]);
      accepted.push({ method, label, at, text: edited });
    }
  }
  return accepted;
}

await withServer({ capabilities }, async (client) => {
  const inserted: Inserted[] = [];
  for (const file of closely) {
    const reading = { wide: false, helpers: file === closely[0] };
    inserted.push(...(await applyAll(client, file, reading, inserted)));
  }
  for (const file of widely)
    inserted.push(...(await applyAll(client, file, { wide: true, helpers: false }, inserted)));
  writeFileSync(join(out, "manifest.json"), JSON.stringify(inserted, undefined, 1));
  const [first] = closely;
  const folders = readdirSync("corpus/methods").filter((name) => name !== "shared");
  const accepted: Accepted[] = [];
  if (first !== undefined)
    for (const method of folders) accepted.push(...(await acceptAll(client, first, method)));
  writeFileSync(join(out, "completions.json"), JSON.stringify(accepted, undefined, 1));
  console.log(
    `${inserted.length} insertions into ${closely.length + widely.length} files, ${accepted.length} completions`,
  );
});
