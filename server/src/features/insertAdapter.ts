/** The workspace edit of an insertion: the user's file, and where asked the sibling module that holds the Python. */
import type {
  OptionalVersionedTextDocumentIdentifier,
  TextDocumentEdit,
  WorkspaceEdit,
} from "vscode-languageserver-types";
import { TextDocument } from "vscode-languageserver-textdocument";
import { findChoice } from "../adapters/choices";
import { type Extra, extrasAt, homeOf } from "../adapters/extras";
import { knownTargets } from "../adapters/knownTargets";
import { withNames } from "../adapters/scopes";
import { definingModules, type Sibling, type SourceFile } from "../adapters/definitions";
import { type Edit, toTextEdits } from "../adapters/edits";
import {
  type Importer,
  type ImporterEdits,
  initialisingFiles,
  type Surroundings,
} from "../adapters/importers";
import { insertAdapter as insert, setUpWith } from "../adapters/insert";
import { inProjectManner, type ProjectManner, withProjectManner } from "../adapters/projectManner";
import type { Options } from "../adapters/budget";
import { readPython } from "../python/document";
import type { Method } from "../literature/model";
import type { Place } from "../adapters/place";
import { headOf } from "../python/names/neighbourhood";
import { knownLibraries } from "../python/names/scope";
import type { FeatureContext, OpenDocument } from "./context";
import { adapterClasses } from "./inserted";

export interface InsertAdapterRequest {
  readonly method: string;
  readonly site?: string;
  readonly options?: Options;
  /** Names of layers, in place of those of the site. */
  readonly targets?: readonly string[];
  readonly with?: readonly Extra[];
  readonly destination: "inline" | "module";
}

/** Says what the user should do when nothing can be inserted. */
export class CannotInsert extends Error {}

/** Address of a sibling module, `adapters.py` beside the file. */
function siblingModule(uri: string, moduleName: string): string {
  return `${uri.slice(0, uri.lastIndexOf("/") + 1)}${moduleName}.py`;
}

/** What an insertion reads besides the document: present texts, null where there is none. */
export interface OtherFiles {
  readonly readText: (uri: string) => Promise<string | null>;
  /** The module that a document calls by this name. */
  readonly readModule: (document: OpenDocument, module: string) => Promise<string | null>;
  /** What the configuration around a document says of its manner. */
  readonly readManner: (document: OpenDocument) => Promise<ProjectManner>;
  /** The Python files around a document, of which some may import it. */
  readonly readAround: (document: OpenDocument) => Promise<Surroundings>;
}

/**
 * @throws CannotInsert with a message for the user
 */
export async function insertAdapter(
  context: FeatureContext,
  document: OpenDocument,
  request: InsertAdapterRequest,
  { readText, readModule, readManner, readAround }: OtherFiles,
): Promise<WorkspaceEdit> {
  const method = context.library.method(request.method);
  if (method === undefined) throw new CannotInsert(`There is no method "${request.method}" in the corpus.`);
  const python = [...context.library.shared(), ...method.python];
  const names = new Set(python.flatMap(({ definitions }) => definitions.map(({ name }) => name)));
  const siblings = await siblingsOf(document, readModule, names);
  const project = await readManner(document);
  const file = withProjectManner(document.python, project);
  const sources = { file, siblings, known: knownTargets(context.library) };
  const wanted =
    request.targets === undefined ? request.site : withNames(request.site ?? "", request.targets);
  const choice = findChoice(method, sources, wanted);
  if (choice === undefined)
    throw new CannotInsert(`This file has no place for ${method.name} any more; ask for actions again.`);
  if (choice.disabled !== undefined) throw new CannotInsert(choice.disabled);

  const grown = setUpWith(choice.place);
  const importers = grown === undefined ? [] : initialisingFiles(file, grown, await readAround(document));
  refuseUnmet(importers, grown?.name ?? "");
  const common = {
    importers,
    siblings,
    file,
    method,
    cited: cited(context, method),
    ...extrasOf(context, document, choice.place, request.with ?? []),
    site: choice.site,
    place: choice.place,
    shared: context.library.shared(),
    options: request.options ?? {},
  };
  if (request.destination === "inline") {
    const { file: edits, others } = insert({ ...common, destination: "inline" });
    const own = documentEdit(document, edits, context.snippets, project);
    return { documentChanges: [own, ...others.map(changesElsewhere)] };
  }
  const module = context.settings.insert.moduleName;
  const uri = siblingModule(document.uri, module);
  const present = await readText(uri);
  const content = moduleContent(present ?? "", file);
  const {
    file: edits,
    module: moduleEdits,
    others,
  } = insert({ ...common, destination: { module, content } });
  const ofModule =
    moduleEdits === undefined || moduleEdits.length === 0
      ? []
      : moduleChanges(uri, present, inProjectManner(content, moduleEdits), file.facts.layout.lineBreak);
  const own = documentEdit(document, edits, context.snippets, project);
  return { documentChanges: [...ofModule, own, ...others.map(changesElsewhere)] };
}

/** @throws CannotInsert where an initialiser cannot learn of the adapter */
function refuseUnmet(importers: readonly Importer[], name: string): void {
  const unmet = importers.find(({ module }) => module === undefined);
  if (unmet === undefined) return;
  const from = unmet.initialisers[0]?.range.from ?? 0;
  const line = unmet.file.text.slice(0, from).split(/\r\n|\r|\n/).length;
  throw new CannotInsert(
    `${decodeURIComponent(unmet.uri.slice(unmet.uri.lastIndexOf("/") + 1))}, line ${line}, sets up all parameters of a model with \`${name}\`, the adapter's too, and how it would import the adapter is not clear. Adapt the model where it is built.`,
  );
}

/** Edits of a file that may not be open. */
export function changesElsewhere({ uri, file: { text, facts }, edits }: ImporterEdits): TextDocumentEdit {
  const file = TextDocument.create(uri, "python", 0, text);
  return {
    textDocument: { uri, version: null },
    edits: toTextEdits(file, edits, facts.layout.lineBreak, false),
  };
}

/** The module beside the file; a new one takes after it. */
function moduleContent(text: string, { facts: { layout }, project = {} }: SourceFile): SourceFile {
  const { indent, quote } = layout;
  return withProjectManner({ text, facts: readPython(text).facts }, { ...project, indent, quote });
}

/** "LoRA (arXiv:2106.09685)" */
function cited({ library }: FeatureContext, { name, paper }: Method): string {
  const arxiv = library.paper(paper)?.arxiv;
  return arxiv === undefined ? name : `${name} (arXiv:${arxiv})`;
}

/** @throws CannotInsert where the file has no place for one of them */
function extrasOf(
  context: FeatureContext,
  document: OpenDocument,
  place: Place,
  chosen: readonly Extra[],
): { extras?: { chosen: readonly Extra[]; adapters: readonly string[] } } {
  if (chosen.length === 0) return {};
  const file = document.python;
  const possible = extrasAt(file, homeOf(file, place));
  const refused = chosen.find((each) => !possible.includes(each));
  if (refused !== undefined) throw new CannotInsert(reasons[refused]);
  return { extras: { chosen, adapters: adapterClasses(context, document) } };
}

const reasons: Readonly<Record<Extra, string>> = {
  freeze: "No model class with an __init__ is found in which all else could be frozen.",
  optimizer:
    "The optimiser is not built from model.parameters() below the model in this file; pass it [p for p in model.parameters() if p.requires_grad].",
  save: "Saving goes below the training loop or in the place of torch.save(model.state_dict(), …), and this file has neither below the model.",
  load: "Loading goes below the line that builds the model, and this file has none.",
};

/**
 * The modules of the workspace that the file imports from by name, as far as they can be read, and those from which
 * these import what is called as one of `definitions`.
 */
export async function siblingsOf(
  document: OpenDocument,
  readModule: OtherFiles["readModule"],
  definitions: ReadonlySet<string> = new Set(),
): Promise<Sibling[]> {
  const { facts, text } = document.python;
  const modules = new Set(
    facts.imports.flatMap(
      ({ statement }) =>
        /^from\s+(\.*[A-Za-z_][\w.]*)\s+import\b/.exec(text.slice(statement.from, statement.to))?.[1] ?? [],
    ),
  );
  const read = async (names: Iterable<string>): Promise<Sibling[]> => {
    const own = [...names].filter((module) => !knownLibraries.has(headOf(module)));
    const contents = await Promise.all(own.map((module) => readModule(document, module)));
    return own.flatMap((module, index) => {
      const content = contents[index] ?? null;
      return content === null ? [] : [{ module, file: { text: content, facts: readPython(content).facts } }];
    });
  };
  const siblings = await read(modules);
  // a package may hand on what its modules define
  const behind = siblings.flatMap(({ module, file }) =>
    file.facts.imports
      .filter(({ local }) => definitions.has(local))
      .flatMap((binding) => definingModules(module, binding)),
  );
  return [...siblings, ...(await read(new Set(behind.filter((module) => !modules.has(module)))))];
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
  project: ProjectManner,
): TextDocumentEdit {
  const file = withProjectManner(document.python, project);
  const textDocument: OptionalVersionedTextDocumentIdentifier = {
    uri: document.uri,
    version: document.text.version,
  };
  return {
    textDocument,
    edits: toTextEdits(document.text, inProjectManner(file, edits), file.facts.layout.lineBreak, snippets),
  };
}
