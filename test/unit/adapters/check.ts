/** Insertions on marked source text: cursor `|`, and the whole document after the edit. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { CodeAction, SnippetTextEdit, TextEdit, WorkspaceEdit } from "vscode-languageserver-types";
import { defaultSettings } from "../../../server/src/defaultSettings";
import { parseCorpus, parseFormulas } from "../../../server/src/lsp/assets";
import { createService, type Service } from "../../../server/src/service";
import { lazily } from "../../../server/src/lazily";
import { unquoted } from "../../annotations";

const read = (name: string): string => readFileSync(`dist/${name}`, "utf8");

// read once: a test asks many services
const corpus = lazily(() => parseCorpus(read("corpus.json")));
const formulas = lazily(() => parseFormulas(read("formulas.json")));

export const uri = "file:///project/model.py";

export interface Surroundings {
  /** Files of the project that are not open, by address. */
  readonly files?: Readonly<Record<string, string>>;
  readonly destination?: "inline" | "module";
  readonly snippets?: boolean;
}

export function serviceWith(
  text: string,
  { files = {}, destination = "inline", snippets = false }: Surroundings = {},
): Service {
  const service = createService({
    corpus: corpus(),
    formulas: formulas(),
    loadIndex: () => Promise.resolve(read("index.json")),
    storage: { read: () => Promise.resolve(null), write: () => Promise.resolve() },
    initialization: {
      client: {
        snippetCompletions: snippets,
        snippetEdits: snippets,
        documentChanges: true,
        createFile: true,
      },
    },
    readFile: (wanted) => {
      const content = files[wanted];
      return content === undefined
        ? Promise.reject(new Error(`no file ${wanted}`))
        : Promise.resolve(content);
    },
    listFolder: (folder) => Promise.resolve(namesIn(folder, Object.keys(files))),
    log: () => undefined,
  });
  service.configure({ ...defaultSettings, insert: { ...defaultSettings.insert, destination } });
  service.openDocument(uri, "python", 1, text);
  return service;
}

/** What a folder holds of files by their addresses. */
const namesIn = (folder: string, addresses: readonly string[]): string[] => [
  ...new Set(
    addresses
      .filter((each) => each.startsWith(folder))
      .map((each) => /^[^/]*\/?/.exec(each.slice(folder.length))?.[0] ?? ""),
  ),
];

/** The text without its cursor, and where the cursor stood. */
export function unmark(marked: string): { text: string; offset: number } {
  const offset = marked.search(/(?<! )\|(?! )/); // not the | of a type
  assert.ok(offset >= 0, "the source has no cursor |");
  return { text: marked.slice(0, offset) + marked.slice(offset + 1), offset };
}

export function actionsAt(
  marked: string,
  surroundings: Surroundings = {},
): { service: Service; text: string; actions: CodeAction[] } {
  const { text, offset } = unmark(marked);
  const service = serviceWith(text, surroundings);
  const position = TextDocument.create(uri, "python", 1, text).positionAt(offset);
  const actions = service.codeActions(
    uri,
    { start: position, end: position },
    { diagnostics: [], only: ["refactor.rewrite.adapter"] },
  );
  return { service, text, actions };
}

const newText = (each: TextEdit | SnippetTextEdit): string =>
  "newText" in each ? each.newText : each.snippet.value;

/** The texts of all files that a workspace edit touches, after it. */
export function applied(
  edit: WorkspaceEdit | undefined,
  texts: Readonly<Record<string, string>>,
): Record<string, string> {
  const after: Record<string, string> = {};
  for (const change of edit?.documentChanges ?? []) {
    if (!("textDocument" in change)) continue;
    const { uri: target } = change.textDocument;
    const document = TextDocument.create(target, "python", 1, texts[target] ?? "");
    after[target] = TextDocument.applyEdits(
      document,
      change.edits.map((each) => ({ range: each.range, newText: newText(each) })),
    );
  }
  return after;
}

/**
 * A definition of corpus/methods as it is inserted, for expectations: `${source("lora/lora.py", "LoRALinear")}`.
 * Annotations in quotes, which the corpus has for older Pythons, stand without them but in files for those.
 */
export function source(file: string, name: string, forOldPython = false): string {
  const text = readFileSync(`corpus/methods/${file}`, "utf8");
  const found = new RegExp(`^(?:class|def) ${name}\\b[\\s\\S]*?(?=\\n\\n\\n|\\n*$(?![\\s\\S]))`, "m").exec(
    text,
  );
  assert.ok(found, `${name} is not in corpus/methods/${file}`);
  return forOldPython ? found[0] : unquoted(found[0]);
}

/** Applies the action of this title at the cursor and compares the whole document. */
export async function checkInsertion(
  marked: string,
  title: string,
  expected: string,
  surroundings: Surroundings = {},
): Promise<void> {
  const { service, text, actions } = actionsAt(marked, surroundings);
  const action = actions.find((each) => each.title === title);
  assert.ok(action, `no action "${title}" among:\n${actions.map((each) => each.title).join("\n")}`);
  assert.equal(action.disabled, undefined, action.disabled?.reason);
  const { edit } = await service.resolveCodeAction(action);
  assert.equal(applied(edit, { [uri]: text })[uri], expected);
}
