/** Open YAML documents. Those that are certainly some library's configuration are read; of all others only the text is kept. */
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Position } from "vscode-languageserver-types";
import type { Tree } from "./configuration/tree";
import type { DocumentChange } from "./documents";
import { type ConfigurationDocument, recognise } from "./features/configuration/document";
import type { Library } from "./literature/library";

export interface LocatedInConfiguration {
  readonly document: ConfigurationDocument;
  readonly offset: number;
}

interface Open {
  readonly text: TextDocument;
  /** What was found in it, and with what library; absent until it is asked for. */
  read?: { readonly revision: number; readonly document: ConfigurationDocument | undefined };
}

export class Configurations {
  private readonly files = new Map<string, Open>();
  private reader: ((text: string) => Tree) | undefined;
  private loading: Promise<void> | undefined;

  constructor(private readonly library: Library) {}

  get size(): number {
    return this.files.size;
  }

  has(uri: string): boolean {
    return this.files.has(uri);
  }

  open(uri: string, version: number, text: string): void {
    this.files.set(uri, { text: TextDocument.create(uri, "yaml", version, text) });
  }

  change(uri: string, version: number, changes: readonly DocumentChange[]): void {
    const open = this.files.get(uri);
    if (open === undefined) return;
    const edits = changes.map(({ range, text }) => (range === undefined ? { text } : { range, text }));
    this.files.set(uri, { text: TextDocument.update(open.text, edits, version) });
  }

  close(uri: string): void {
    this.files.delete(uri);
  }

  /** Resolves when `get` can answer: the YAML reader is loaded for the first file that is recognised. undefined where nobody need wait. */
  ready(uri: string): Promise<void> | undefined {
    const open = this.files.get(uri);
    if (open === undefined || this.reader !== undefined) return undefined;
    if (recognise(this.library, open.text.getText()) === undefined) return undefined;
    this.loading ??= import("./configuration/read").then(({ readConfiguration }) => {
      this.reader = readConfiguration;
    });
    return this.loading;
  }

  /** undefined for YAML that is nothing to us, and until the reader is loaded. */
  get(uri: string): ConfigurationDocument | undefined {
    const open = this.files.get(uri);
    const { reader } = this;
    if (open === undefined || reader === undefined) return undefined;
    const revision = this.library.revision();
    if (open.read?.revision !== revision) {
      const text = open.text.getText();
      const symbol = recognise(this.library, text);
      const document =
        symbol === undefined ? undefined : { uri, text: open.text, symbol, tree: reader(text) };
      open.read = { revision, document };
    }
    return open.read.document;
  }

  locate(uri: string, position: Position): LocatedInConfiguration | undefined {
    const document = this.get(uri);
    return document && { document, offset: document.text.offsetAt(position) };
  }
}
