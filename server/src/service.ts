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
import type {
  AdapterChoice,
  AdapterChoicesParams,
  BibliographyParams,
  ImportParams,
  ImportResult,
  InsertAdapterParams,
  PaperView,
  SearchParams,
  SearchResult,
  Settings,
  Status,
  Theme,
} from "./protocol";

/** One change of an open document: a range and its new text, or the whole text. */
export interface DocumentChange {
  readonly range?: Range;
  readonly text: string;
}

export interface NotebookCell {
  readonly uri: string;
  readonly languageId: string;
  readonly version: number;
  readonly text: string;
}

export interface Service {
  configure(settings: Settings): void;
  setTheme(theme: Theme): void;

  openDocument(uri: string, languageId: string, version: number, text: string): void;
  changeDocument(uri: string, version: number, changes: readonly DocumentChange[]): void;
  closeDocument(uri: string): void;
  /** The Python cells of a notebook in order; together they form one module. Replaces what was known of that notebook. */
  setNotebook(uri: string, cells: readonly NotebookCell[]): void;
  closeNotebook(uri: string): void;

  hover(uri: string, position: Position): Hover | null;
  complete(uri: string, position: Position): CompletionList;
  resolveCompletion(item: CompletionItem): CompletionItem;
  codeActions(uri: string, range: Range, context: CodeActionContext): CodeAction[];
  resolveCodeAction(action: CodeAction): CodeAction;
  diagnose(uri: string): Diagnostic[];
  inlayHints(uri: string, range: Range): InlayHint[];

  search(params: SearchParams): Promise<SearchResult>;
  paper(id: string): PaperView | null;
  adapterChoices(params: AdapterChoicesParams): AdapterChoice[];
  insertAdapter(params: InsertAdapterParams): WorkspaceEdit;
  bibliography(params: BibliographyParams): string;
  /** `text` is what stands at `uri`, read by the caller. Throws with the reason where nothing could be taken. */
  importPapers(params: ImportParams & { readonly text: string }): Promise<ImportResult>;
  /** All but what only the process knows. */
  status(): Omit<Status, "version" | "memory">;
}
