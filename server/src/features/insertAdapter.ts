/** The workspace edit of an insertion: the user's file, and where asked the sibling module that holds the Python. */
import type {
  OptionalVersionedTextDocumentIdentifier,
  TextDocumentEdit,
  WorkspaceEdit,
} from "vscode-languageserver-types";
import { TextDocument } from "vscode-languageserver-textdocument";
import { findChoice } from "../adapters/choices";
import type { Sibling, SourceFile } from "../adapters/definitions";
import { type Edit, toTextEdits } from "../adapters/edits";
import { insertAdapter as insert } from "../adapters/insert";
import type { Options } from "../adapters/budget";
import { readPython } from "../python/document";
import type { FeatureContext, OpenDocument } from "./context";

export interface InsertAdapterRequest {
  readonly method: string;
  readonly site?: string;
  readonly options?: Options;
  readonly destination: "inline" | "module";
}

/** Says what the user should do when nothing can be inserted. */
export class CannotInsert extends Error {}

/** Address of a sibling module, `adapters.py` beside the file. */
function siblingModule(uri: string, moduleName: string): string {
  return `${uri.slice(0, uri.lastIndexOf("/") + 1)}${moduleName}.py`;
}

/**
 * @param readText present text of another file, null where there is none
 * @throws CannotInsert with a message for the user
 */
export async function insertAdapter(
  context: FeatureContext,
  document: OpenDocument,
  request: InsertAdapterRequest,
  readText: (uri: string) => Promise<string | null>,
): Promise<WorkspaceEdit> {
  const { facts, text } = document.python;
  const method = context.library.method(request.method);
  if (method === undefined) throw new CannotInsert(`There is no method "${request.method}" in the corpus.`);
  const choice = findChoice(method, facts, text, request.site);
  if (choice === undefined)
    throw new CannotInsert(`This file has no place for ${method.name} any more; ask for actions again.`);
  if (choice.disabled !== undefined) throw new CannotInsert(choice.disabled);

  const siblings = await siblingsOf(document, readText);
  const common = {
    siblings,
    file: { text, facts },
    method,
    site: choice.site,
    place: choice.place,
    shared: context.library.shared(),
    options: request.options ?? {},
  };
  if (request.destination === "inline") {
    return {
      documentChanges: [
        documentEdit(document, insert({ ...common, destination: "inline" }).file, context.snippets),
      ],
    };
  }
  const module = context.settings.insert.moduleName;
  const uri = siblingModule(document.uri, module);
  const present = await readText(uri);
  const content: SourceFile = { text: present ?? "", facts: readPython(present ?? "").facts };
  const { file, module: moduleEdits } = insert({ ...common, destination: { module, content } });
  const ofModule =
    moduleEdits === undefined || moduleEdits.length === 0
      ? []
      : moduleChanges(uri, present, moduleEdits, facts.layout.lineBreak);
  return { documentChanges: [...ofModule, documentEdit(document, file, context.snippets)] };
}

/** The modules beside the file that it imports from by name, as far as they can be read. */
async function siblingsOf(
  { uri, python: { facts, text } }: OpenDocument,
  readText: (uri: string) => Promise<string | null>,
): Promise<Sibling[]> {
  const modules = new Set(
    facts.imports.flatMap(
      ({ statement }) =>
        /^from\s+(\.?[A-Za-z_]\w*)\s+import\b/.exec(text.slice(statement.from, statement.to))?.[1] ?? [],
    ),
  );
  const siblings = await Promise.all(
    [...modules].map(async (module) => ({
      module,
      content: await readText(siblingModule(uri, module.replace(/^\./, ""))),
    })),
  );
  return siblings.flatMap(({ module, content }) =>
    content === null ? [] : [{ module, file: { text: content, facts: readPython(content).facts } }],
  );
}

function moduleChanges(
  uri: string,
  present: string | null,
  edits: readonly Edit[],
  lineBreak: string,
): NonNullable<WorkspaceEdit["documentChanges"]> {
  const file = TextDocument.create(uri, "python", 0, present ?? "");
  const change: TextDocumentEdit = {
    textDocument: { uri, version: null },
    edits: toTextEdits(file, edits, lineBreak, false),
  };
  return present === null ? [{ kind: "create", uri, options: { ignoreIfExists: true } }, change] : [change];
}

export function documentEdit(
  document: OpenDocument,
  edits: readonly Edit[],
  snippets: boolean,
): TextDocumentEdit {
  const textDocument: OptionalVersionedTextDocumentIdentifier = {
    uri: document.uri,
    version: document.text.version,
  };
  return {
    textDocument,
    edits: toTextEdits(document.text, edits, document.python.facts.layout.lineBreak, snippets),
  };
}
