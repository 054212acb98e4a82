/** The language service: pure, no connection, no IO. Everything an editor asks, answered from open documents and the library. */
import type {
  CodeAction,
  CodeActionContext,
  CompletionItem,
  CompletionList,
  Diagnostic,
  Hover,
  InlayHint,
  Position,
  Range,
  WorkspaceEdit,
} from "vscode-languageserver-types";
import {
  type DocumentChange,
  Documents,
  type Located,
  type Notebook,
  type NotebookCell,
  toCellRange,
} from "./documents";
import { Configurations, type LocatedInConfiguration } from "./configurations";
import type { Surroundings } from "./adapters/importers";
import type { ProjectManner } from "./adapters/projectManner";
import { defaultSettings } from "./defaultSettings";
import { adapterChoices } from "./features/adapterChoices";
import { codeActions, isAdapterActionData } from "./features/codeActions";
import { configEdit, isConfigActionData } from "./features/configs/actions";
import { complete, holdsMethods, resolveCompletion } from "./features/completion";
import { completeConfiguration } from "./features/configuration/completion";
import { diagnoseConfiguration } from "./features/configuration/diagnostics";
import { configurationHover } from "./features/configuration/hover";
import type { FeatureContext, OpenDocument } from "./features/context";
import { diagnosing } from "./features/diagnostics";
import { hover } from "./features/hover";
import { inlayHints } from "./features/inlayHints";
import { CannotInsert, insertAdapter, type OtherFiles } from "./features/insertAdapter";
import { papersIn, papersInConfiguration } from "./features/cited";
import { paperView } from "./features/paperView";
import { quickFixesFor } from "./features/quickFixes";
import { isRemovalData, removalEdit } from "./features/removeAdapter";
import { searchPapers } from "./features/searchPapers";
import { isTrainOnlyData, trainOnlyEdit } from "./features/trainOnly";
import { bibliography } from "./literature/cite";
import { importPapers } from "./literature/import";
import { actionInCell, completionsInCell, contextInModule, editInCells } from "./notebookAnswers";
import type { CorpusFolder } from "./literature/corpora";
import type { FormulaSource } from "./literature/formulas";
import { createLibrary } from "./literature/library";
import type { Corpus } from "./literature/model";
import { createSearch } from "./literature/search";
import { inSlices } from "./slices";
import { createStore, type Storage } from "./literature/store";
import { UserCorpora } from "./userCorpora";
import { filesAround } from "./workspace/around";
import { candidates } from "./workspace/modules";
import { projectManner } from "./workspace/manner";
import { Neighbours } from "./workspace/neighbours";
import type {
  AdapterChoice,
  AdapterChoicesParams,
  BibliographyParams,
  ImportParams,
  ImportResult,
  InitializationOptions,
  InsertAdapterParams,
  PaperView,
  SearchParams,
  SearchResult,
  Settings,
  Status,
  Theme,
} from "./protocol";

export interface ServiceOptions {
  readonly corpus: Corpus;
  readonly formulas: FormulaSource;
  /** The prebuilt search index, asked for at the first search. */
  readonly loadIndex: () => Promise<string>;
  readonly storage: Storage;
  readonly initialization: InitializationOptions;
  /** Text of a file that is not open; rejects where there is none, or one longer than `maximumBytes`. */
  readonly readFile: (uri: string, maximumBytes?: number) => Promise<string>;
  /** Names of what a folder holds, those of folders with a `/` at their end; empty where there is no such folder. */
  readonly listFolder: (uri: string) => Promise<readonly string[]>;
  /** The files of a corpus of the user's own; absent where the platform has no folders. */
  readonly readCorpus?: (folder: string) => Promise<CorpusFolder>;
  readonly log: (message: string) => void;
  /** Shows the user one message. */
  readonly warn?: (message: string) => void;
  /** Called when papers, methods or symbols came or went by themselves: what was answered before may be out of date. */
  readonly onLibraryChange?: () => void;
  /** Called when files that open documents import from were read or have changed: what was answered before may be out of date. */
  readonly onNeighboursChange?: () => void;
}

export interface Service {
  /** The user's own corpora are read in the background. */
  configure(settings: Settings): void;
  setTheme(theme: Theme): void;

  /** Addresses of the folders in which modules are looked for, beside the file that imports them. */
  setWorkspaceFolders(uris: readonly string[]): void;
  /** Files came, went or changed on disk: these, or nobody knows which. */
  filesChanged(uris: readonly string[] | "any"): void;

  openDocument(uri: string, languageId: string, version: number, text: string): void;
  changeDocument(uri: string, version: number, changes: readonly DocumentChange[]): void;
  closeDocument(uri: string): void;
  /** The Python cells of a notebook in order; together they form one module. Replaces what was known of that notebook. */
  setNotebook(uri: string, cells: readonly NotebookCell[]): void;
  closeNotebook(uri: string): void;
  /** Resolves when a configuration file can be asked about; undefined for all other documents, which can at once. */
  ready(uri: string): Promise<void> | undefined;

  hover(uri: string, position: Position): Hover | null;
  complete(uri: string, position: Position): CompletionList | Promise<CompletionList>;
  resolveCompletion(item: CompletionItem): CompletionItem;
  codeActions(uri: string, range: Range, context: CodeActionContext): CodeAction[];
  /** @throws CannotInsert with a message for the user */
  resolveCodeAction(action: CodeAction): Promise<CodeAction>;
  /** Worked out in slices, so that hovers get their turn; undefined where nobody waits any more. */
  diagnose(uri: string, cancelled?: () => boolean): Promise<Diagnostic[] | undefined>;
  inlayHints(uri: string, range: Range): InlayHint[];

  search(params: SearchParams): Promise<SearchResult>;
  paper(id: string): PaperView | null;
  adapterChoices(params: AdapterChoicesParams): Promise<AdapterChoice[]>;
  /** @throws CannotInsert with a message for the user */
  insertAdapter(params: InsertAdapterParams): Promise<WorkspaceEdit>;
  bibliography(params: BibliographyParams): string;
  /** `text` is what stands at `uri`, read by the caller. Throws with the reason where nothing could be taken. */
  importPapers(params: ImportParams & { readonly text: string }): Promise<ImportResult>;
  /** All but what only the process knows. */
  status(): Omit<Status, "version" | "memory">;
}

export function createService(options: ServiceOptions): Service {
  const { corpus, formulas, initialization, log } = options;
  const library = createLibrary(corpus, formulas);
  const search = createSearch(library, options.loadIndex);
  const store = createStore(options.storage);
  const documents = new Documents();
  const configurations = new Configurations(library);
  const neighbours = new Neighbours({
    documents,
    readFile: options.readFile,
    onChange: () => options.onNeighboursChange?.(),
    log,
  });
  const problems: string[] = [];
  let settings = defaultSettings;
  let theme = initialization.theme ?? "dark";

  /** The user's own library, read once in the background; what needs it waits for it. */
  const userLibrary = store
    .load()
    .then(({ papers, problem }) => {
      library.setUserPapers(papers);
      if (problem !== undefined) report(problem);
    })
    .catch((error: unknown) => report(error instanceof Error ? error.message : String(error)));

  const userCorpora = new UserCorpora({
    bundled: corpus,
    read: options.readCorpus,
    onChange(changed) {
      library.setCorpus(changed);
      options.onLibraryChange?.();
    },
    warn: (message) => options.warn?.(message),
    log,
  });

  function report(problem: string): void {
    problems.push(problem);
    log(problem);
  }

  const context = (): FeatureContext => ({
    library,
    settings,
    formulas: initialization.formulas ?? "latex",
    theme,
    commandLinks: initialization.commandLinks ?? false,
    snippets: initialization.client?.snippetCompletions ?? false,
  });
  const editContext = (): FeatureContext => ({
    ...context(),
    snippets: initialization.client?.snippetEdits ?? false,
  });

  const opened = (uri: string): { document: OpenDocument; notebook?: Notebook } => {
    const found = documents.get(uri);
    if (found === undefined) throw new CannotInsert("The document is not open any more.");
    return found;
  };

  const readText = async (uri: string, maximumBytes?: number): Promise<string | null> => {
    const open = documents.get(uri);
    if (open !== undefined) return open.document.python.text;
    return options.readFile(uri, maximumBytes).catch(() => null);
  };

  /** Present text of the module that a document calls by this name. */
  const readModule = async ({ uri }: OpenDocument, module: string): Promise<string | null> => {
    for (const place of candidates(module, uri, neighbours.folders)) {
      const text = await readText(place);
      if (text !== null) return text;
    }
    return null;
  };

  const readManner = ({ uri }: OpenDocument): Promise<ProjectManner> =>
    projectManner(uri, neighbours.folders, options.readFile);

  const readAround = async ({ uri }: OpenDocument): Promise<Surroundings> => ({
    uri,
    files: await filesAround(uri, neighbours.folders, { listFolder: options.listFolder, readText }),
    addresses: (module, importer) => candidates(module, importer, neighbours.folders),
  });

  const files = { readText, readModule, readManner, readAround };

  /** An action with the edit of its own document that it stands for. */
  const edited = async <Data extends { readonly uri: string }>(
    action: CodeAction,
    data: Data,
    editOf: (
      context: FeatureContext,
      document: OpenDocument,
      data: Data,
      manner: ProjectManner,
      others: OtherFiles,
    ) => WorkspaceEdit | Promise<WorkspaceEdit>,
  ): Promise<CodeAction> => {
    const { document, notebook } = opened(data.uri);
    const edit = await editOf(editContext(), document, data, await readManner(document), files);
    return { ...action, edit: editInCells(edit, notebook) };
  };

  /** An answer's range, in the cell it belongs to where the document is a notebook. */
  const inCell = (range: Range, located: { readonly notebook?: Notebook }): Range | undefined =>
    located.notebook === undefined ? range : toCellRange(located.notebook, range)?.range;

  const at = <Answer>(
    uri: string,
    position: Position,
    none: Answer,
    answer: (located: Located) => Answer,
  ): Answer => {
    const located = documents.locate(uri, position);
    return located === undefined ? none : answer(located);
  };

  /** The same in a YAML document that is a configuration file; undefined in any other document. */
  const inConfiguration = <Answer>(
    uri: string,
    position: Position,
    answer: (located: LocatedInConfiguration) => Answer,
  ): Answer | undefined => {
    const located = configurations.locate(uri, position);
    return located && answer(located);
  };

  return {
    configure(changed) {
      settings = changed;
      userCorpora.setPaths(changed.corpus.paths);
    },
    setTheme: (changed) => void (theme = changed),
    setWorkspaceFolders: (uris) => neighbours.setFolders(uris),
    filesChanged: (uris) => neighbours.changedOnDisk(uris),
    openDocument(uri, languageId, version, text) {
      if (languageId === "yaml") {
        configurations.open(uri, version, text);
        return;
      }
      documents.open(uri, languageId, version, text);
      neighbours.opened(uri);
    },
    changeDocument(uri, version, changes) {
      if (configurations.has(uri)) {
        configurations.change(uri, version, changes);
        return;
      }
      documents.change(uri, version, changes);
      neighbours.changed();
    },
    closeDocument(uri) {
      if (configurations.has(uri)) {
        configurations.close(uri);
        return;
      }
      documents.close(uri);
      neighbours.opened(uri);
    },
    setNotebook(uri, cells) {
      const isNew = documents.get(uri) === undefined;
      documents.setNotebook(uri, cells);
      if (isNew) neighbours.opened(uri);
      else neighbours.changed();
    },
    closeNotebook(uri) {
      documents.closeNotebook(uri);
      neighbours.opened(uri);
    },

    ready: (uri) => configurations.ready(uri),

    hover: (uri, position) =>
      inConfiguration(uri, position, ({ document, offset }) =>
        configurationHover(context(), document, offset),
      ) ??
      at(uri, position, null, (located) => {
        if (!settings.hover.enable) return null;
        const found = hover(context(), located.document, located.offset);
        if (found?.range === undefined) return found;
        const range = inCell(found.range, located);
        return range === undefined ? null : { ...found, range };
      }),

    complete: (uri, position) =>
      inConfiguration(uri, position, ({ document, offset }) =>
        completeConfiguration(context(), document, offset),
      ) ??
      at<CompletionList | Promise<CompletionList>>(
        uri,
        position,
        { isIncomplete: false, items: [] },
        (located) => {
          const { document, offset } = located;
          const found = complete(context(), document, offset);
          if (!holdsMethods(found)) return completionsInCell(found, located);
          return readManner(document).then((manner) =>
            completionsInCell(
              manner.width === undefined ? found : complete(context(), document, offset, manner),
              located,
            ),
          );
        },
      ),
    resolveCompletion: (item) => resolveCompletion(context(), item),

    codeActions: (uri, range, actionContext) =>
      inConfiguration(uri, range.start, ({ document }) => quickFixesFor(document, actionContext)) ??
      at(uri, range.start, [], (located) => {
        const end = documents.locate(uri, range.end)?.offset ?? located.offset;
        const { notebook } = located;
        const said = notebook === undefined ? actionContext : contextInModule(actionContext, uri, notebook);
        const asked = { uri, position: range.start };
        const actions = codeActions(editContext(), located.document, located.offset, end, said, asked);
        return notebook === undefined ? actions : actions.map((action) => actionInCell(action, notebook));
      }),
    async resolveCodeAction(action) {
      const data: unknown = action.data;
      if (isTrainOnlyData(data)) return edited(action, data, trainOnlyEdit);
      if (isConfigActionData(data)) return edited(action, data, configEdit);
      if (isRemovalData(data)) return edited(action, data, removalEdit);
      if (!isAdapterActionData(data)) return action;
      const { document, notebook } = opened(data.uri);
      const destination = notebook === undefined ? settings.insert.destination : "inline";
      const edit = await insertAdapter(editContext(), document, { ...data, destination }, files);
      return { ...action, edit: editInCells(edit, notebook) };
    },

    async diagnose(uri, cancelled = () => false) {
      await configurations.ready(uri);
      const configuration = configurations.get(uri);
      if (configuration !== undefined) return diagnoseConfiguration(context(), configuration);
      for (;;) {
        const found = documents.get(uri);
        if (found === undefined || !settings.diagnostics.enable) return [];
        // What is typed in between makes another document of it.
        const outdated = (): boolean => documents.get(uri)?.document !== found.document;
        const diagnosed = diagnosing(context(), found.document);
        const diagnostics = await inSlices(diagnosed, () => outdated() || cancelled());
        if (cancelled()) return undefined;
        if (diagnostics === undefined) continue;
        return diagnostics.flatMap((diagnostic) => {
          if (found.notebook === undefined) return [diagnostic];
          const cell = toCellRange(found.notebook, diagnostic.range);
          return cell?.uri === uri ? [{ ...diagnostic, range: cell.range }] : [];
        });
      }
    },

    inlayHints(uri, range) {
      if (!settings.inlayHints.enable) return [];
      const from = documents.locate(uri, range.start);
      const to = documents.locate(uri, range.end);
      if (from === undefined || to === undefined) return [];
      const hints = inlayHints(context(), from.document, from.offset, to.offset);
      return hints.flatMap((hint) => {
        if (from.notebook === undefined) return [hint];
        const cell = toCellRange(from.notebook, { start: hint.position, end: hint.position });
        return cell?.uri === uri ? [{ ...hint, position: cell.range.start }] : [];
      });
    },

    async search(params) {
      await Promise.all([userLibrary, userCorpora.ready]);
      const place = params.context;
      const located =
        place === undefined ? undefined : documents.locate(place.textDocument.uri, place.position);
      return searchPapers(context(), search, params, located);
    },
    paper: (id) => paperView(context(), id),

    adapterChoices: ({ textDocument, position }) =>
      at(textDocument.uri, position, Promise.resolve<AdapterChoice[]>([]), ({ document, offset }) =>
        adapterChoices(context(), document, offset, readModule),
      ),
    async insertAdapter(params) {
      const { textDocument, position, method, site, options: chosen, destination } = params;
      const { document, notebook } = opened(textDocument.uri);
      const offset = documents.locate(textDocument.uri, position)?.offset ?? 0;
      const place =
        site ??
        (await adapterChoices(context(), document, offset, readModule)).find((each) => each.method === method)
          ?.site;
      const where = notebook === undefined ? (destination ?? settings.insert.destination) : "inline";
      const request = {
        method,
        destination: where,
        ...(place === undefined ? {} : { site: place }),
        ...(chosen === undefined ? {} : { options: chosen }),
        ...(params.targets === undefined ? {} : { targets: params.targets }),
        ...(params.with === undefined ? {} : { with: params.with }),
      };
      return editInCells(await insertAdapter(editContext(), document, request, files), notebook);
    },

    bibliography(params) {
      const { uri } = params.textDocument ?? { uri: "" };
      const configuration = configurations.get(uri);
      const cited =
        params.papers?.flatMap((id) => library.paper(id) ?? []) ??
        (configuration === undefined
          ? papersIn(library, documents.get(uri)?.document)
          : papersInConfiguration(library, configuration));
      return bibliography(cited, params.style);
    },

    async importPapers(params) {
      await userLibrary;
      const { papers, skipped } = importPapers(params.text, params.format ?? "auto");
      const { all, added, updated, unchanged } = store.merged(papers);
      if (added + updated > 0) await store.save(all);
      library.setUserPapers(all);
      return { added, updated, unchanged, skipped };
    },

    status: () => ({
      corpusVersion: corpus.version,
      papers: userCorpora.corpus.papers.length,
      userPapers: library.userPapers().length,
      methods: userCorpora.corpus.methods.length,
      symbols: userCorpora.corpus.symbols.length,
      index: search.state(),
      documents: documents.size + configurations.size,
      problems: [...problems, ...userCorpora.problems],
    }),
  };
}
