/** Requests beyond LSP. The only file of the server that the client imports. */
import type { Position, Range, TextDocumentIdentifier, WorkspaceEdit } from "vscode-languageserver-types";

export type Theme = "light" | "dark" | "highContrast" | "highContrastLight";

/** `initializationOptions` of the server; all optional. */
export interface InitializationOptions {
  readonly formulas?: "image" | "latex" | "none";
  readonly theme?: Theme;
  /** Folder of the user's own library; the platform's data folder where absent. */
  readonly storage?: string;
  /** The client has registered `litlens.*` commands, so hovers may link to them. */
  readonly commandLinks?: boolean;
  /** What the editor can do with an answer. The server fills it from the client's capabilities; a client need not send it. */
  readonly client?: ClientAbilities;
}

export interface ClientAbilities {
  /** Completions may hold tab stops. */
  readonly snippetCompletions: boolean;
  /** A workspace edit may hold `SnippetTextEdit`s in `documentChanges`. */
  readonly snippetEdits: boolean;
  /** A workspace edit may be a list of `documentChanges`. */
  readonly documentChanges: boolean;
  /** A workspace edit may create a file. */
  readonly createFile: boolean;
}

/** The settings section `litlens`. */
export interface Settings {
  readonly hover: { readonly enable: boolean; readonly layers: boolean };
  readonly completion: { readonly enable: boolean };
  readonly inlayHints: { readonly enable: boolean };
  readonly diagnostics: {
    readonly enable: boolean;
    /** By the id of a rule: how its findings are shown, in place of what the rule says. */
    readonly rules: Readonly<Record<string, "off" | "hint" | "information" | "warning" | "error">>;
  };
  readonly insert: { readonly destination: "inline" | "module"; readonly moduleName: string };
  readonly corpus: { readonly paths: readonly string[] };
  readonly citation: { readonly style: "comment" | "bibtex" };
}

export interface SearchParams {
  readonly query: string;
  readonly limit?: number;
  readonly topics?: readonly string[];
  readonly years?: readonly [number, number];
  /** What the user is looking at: an empty query answers what fits it. */
  readonly context?: { readonly textDocument: TextDocumentIdentifier; readonly position: Position };
}

export interface SearchHit {
  readonly id: string;
  readonly title: string;
  readonly authors: readonly string[];
  readonly year?: number;
  readonly venue?: string;
  readonly score: number;
  /** Why it matched: a piece of text with the matched words between `**`. */
  readonly snippet: string;
  /** Those that can be inserted. */
  readonly methods: readonly string[];
}

export interface SearchResult {
  readonly hits: readonly SearchHit[];
  readonly total: number;
}

export interface PaperView {
  readonly id: string;
  readonly title: string;
  readonly authors: readonly string[];
  readonly authorCount?: number;
  readonly organisation?: string;
  readonly year?: number;
  readonly venue?: string;
  readonly arxiv?: string;
  readonly doi?: string;
  readonly url?: string;
  readonly code?: string;
  readonly topics: readonly string[];
  /** Paragraphs of plain text. */
  readonly summary: readonly string[];
  readonly claims: readonly {
    readonly text: string;
    readonly value?: string;
    readonly dataset?: string;
    readonly baseline?: string;
    readonly source: string;
  }[];
  readonly methods: readonly MethodView[];
  /** Its own relations, then those that other papers say of it: improved-by, extended-by, baseline-of … */
  readonly relations: readonly {
    readonly kind: string;
    readonly paper: string;
    readonly title: string;
    readonly source: string;
  }[];
  readonly bibtex: string;
  readonly markdown: string;
  readonly origin: "bundled" | "user";
}

export interface MethodView {
  readonly id: string;
  readonly name: string;
  readonly family: string;
  readonly fidelity: string;
  readonly fidelityNote?: string;
  readonly summary: string;
  readonly formula: string;
  /** SVG with `@ink@` for the colour. */
  readonly formulaSvg?: string;
  readonly hyperparameters: readonly {
    readonly name: string;
    readonly default: string;
    readonly typical?: string;
    readonly meaning: string;
    readonly source?: string;
  }[];
  readonly identityAtInit: string;
  readonly mergeable: boolean;
  readonly insertable: boolean;
  readonly notes: readonly string[];
}

/** What can go with an insertion, in the same edit. */
export type InsertionExtra =
  /** `train_only(model, LoRALinear)`: all else is frozen. */
  | "freeze"
  /** The optimiser gets what trains: its line is rewritten, or a new one written. */
  | "optimizer"
  /** `torch.save(adapter_state_dict(model, LoRALinear), "adapter.pt")` below the training loop. */
  | "save"
  /** `resume_adapter(model, "adapter.pt", LoRALinear)` below the model: loads it where there is such a file. */
  | "load";

export interface AdapterChoicesParams {
  readonly textDocument: TextDocumentIdentifier;
  readonly position: Position;
}

export interface AdapterChoice {
  readonly method: string;
  /** Opaque place within the class, to be handed back to insertAdapter. */
  readonly site: string;
  readonly title: string;
  readonly paper: string;
  readonly paperTitle: string;
  /** The method's name. */
  readonly name: string;
  /** What it goes to, as Markdown-free text: "c_attn", "all 2 linear layers of MLP", "q_proj, v_proj across model". */
  readonly place: string;
  /** One layer, several of one class, or all over the model by a call where it is built; absent for other places. */
  readonly scope?: "layer" | "class" | "model";
  readonly trainable?: number;
  /** Of the class's known parameters; of the whole model's for the scope "model". */
  readonly share?: number;
  /** Layers among which one may choose: names for `targets` of insertAdapter. */
  readonly targets?: readonly AdapterTarget[];
  /** What can go with it: values for `with` of insertAdapter. */
  readonly with: readonly InsertionExtra[];
  readonly mergeable: boolean;
  readonly identityAtInit: string;
  readonly fidelity: string;
  /** Why it cannot be applied here. */
  readonly disabled?: string;
}

export interface AdapterTarget {
  /** End of the layers' paths: "q_proj", "mlp.0". */
  readonly name: string;
  /** How many layers of the model it names, where known. */
  readonly layers?: number;
  /** Parameters that the method trains in them. */
  readonly trainable?: number;
  /** Whether it is chosen where `targets` is left out. */
  readonly chosen: boolean;
  /** Why it cannot be adapted. */
  readonly disabled?: string;
}

export interface InsertAdapterParams extends AdapterChoicesParams {
  readonly method: string;
  readonly site?: string;
  readonly options?: Readonly<Record<string, number | boolean | string>>;
  /** Of the choice's `targets`, by name; default those chosen there. */
  readonly targets?: readonly string[];
  readonly with?: readonly InsertionExtra[];
  readonly destination?: "inline" | "module";
}

export interface ImportParams {
  readonly text?: string;
  readonly uri?: string;
  readonly format?: "huggingface-papers" | "bibtex" | "auto";
}

export interface ImportResult {
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: readonly { readonly line: number; readonly reason: string }[];
}

export interface BibliographyParams {
  readonly papers?: readonly string[];
  readonly textDocument?: TextDocumentIdentifier;
  readonly style: "bibtex" | "csl-json" | "ris";
}

export interface Status {
  readonly version: string;
  readonly corpusVersion: string;
  readonly papers: number;
  readonly userPapers: number;
  readonly methods: number;
  readonly symbols: number;
  readonly index: "not loaded" | "loading" | "ready" | "failed";
  readonly documents: number;
  /** Bytes, where the platform tells. */
  readonly memory?: number;
  readonly problems: readonly string[];
}

/** Method names; results are the types above, `null` where a paper or place is unknown. */
export const requests = {
  searchPapers: "litlens/searchPapers",
  paper: "litlens/paper",
  adapterChoices: "litlens/adapterChoices",
  insertAdapter: "litlens/insertAdapter",
  importPapers: "litlens/importPapers",
  bibliography: "litlens/bibliography",
  status: "litlens/status",
  /** Server to client, for platforms without a file system: {name} → {text: string | null}. */
  readStorage: "litlens/readStorage",
  /** Server to client: {name, text}. */
  writeStorage: "litlens/writeStorage",
  /** Server to client, for platforms without a file system: {uri} → {text: string | null}. */
  readFile: "litlens/readFile",
  /** Server to client, for platforms without a file system: {uri} → {names: string[]}, folders with a `/` at the end. */
  listFolder: "litlens/listFolder",
  /** Client to server, notification: {theme}. */
  theme: "litlens/theme",
} as const;

export type { Position, Range, WorkspaceEdit };
