/** Open documents as the features see them: text with positions, facts that follow each edit, notebooks as one module. */
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Position, Range } from "vscode-languageserver-types";
import type { OpenDocument } from "./features/context";
import { type PythonDocument, readPython } from "./python/document";
import { alone, type Neighbourhood } from "./python/names/neighbourhood";
import { type JoinedCells, joinCells } from "./python/text/notebook";

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

/** A place in an open document; in a notebook, the document is the joined module and edits are mapped back to cells. */
export interface Located {
  readonly document: OpenDocument;
  readonly offset: number;
  readonly notebook?: Notebook;
}

export interface Notebook {
  readonly uri: string;
  readonly cells: readonly NotebookCell[];
  readonly joined: JoinedCells;
  readonly document: OpenDocument;
}

export class Documents {
  private readonly files = new Map<string, OpenDocument>();
  private readonly notebooks = new Map<string, Notebook>();
  private readonly notebookOfCell = new Map<string, string>();

  get size(): number {
    return this.files.size + this.notebooks.size;
  }

  open(uri: string, languageId: string, version: number, text: string): void {
    this.files.set(uri, {
      uri,
      text: TextDocument.create(uri, languageId, version, text),
      python: readPython(text, { ...alone, uri }),
    });
  }

  change(uri: string, version: number, changes: readonly DocumentChange[]): void {
    const document = this.files.get(uri);
    if (document === undefined) return;
    const edits = changes.map((change) =>
      change.range === undefined ? { text: change.text } : { range: change.range, text: change.text },
    );
    const text = TextDocument.update(document.text, edits, version);
    this.files.set(uri, { uri, text, python: document.python.become(text.getText()) });
  }

  close(uri: string): void {
    this.files.delete(uri);
  }

  setNotebook(uri: string, cells: readonly NotebookCell[]): void {
    const before = this.notebooks.get(uri)?.document.python;
    this.closeNotebook(uri);
    const python = cells.filter(({ languageId }) => languageId === "python");
    const joined = joinCells(python);
    const document = {
      uri,
      text: TextDocument.create(uri, "python", 0, joined.text),
      python: before?.become(joined.text) ?? readPython(joined.text, { ...alone, uri }),
    };
    this.notebooks.set(uri, { uri, cells: python, joined, document });
    for (const cell of python) this.notebookOfCell.set(cell.uri, uri);
  }

  closeNotebook(uri: string): void {
    for (const { uri: cell } of this.notebooks.get(uri)?.cells ?? []) this.notebookOfCell.delete(cell);
    this.notebooks.delete(uri);
  }

  /** Every open file, and every notebook as one. */
  all(): OpenDocument[] {
    return [...this.files.values(), ...[...this.notebooks.values()].map(({ document }) => document)];
  }

  /** The open file of this address, without notebooks and their cells: what can be imported. */
  file(uri: string): PythonDocument | undefined {
    return this.files.get(uri)?.python;
  }

  /** A file or notebook among other files than before. */
  among(uri: string, neighbourhood: Neighbourhood): void {
    const moved = (document: OpenDocument): OpenDocument => ({
      ...document,
      python: document.python.among(neighbourhood),
    });
    const document = this.files.get(uri);
    if (document !== undefined) this.files.set(uri, moved(document));
    const notebook = this.notebooks.get(uri);
    if (notebook !== undefined) this.notebooks.set(uri, { ...notebook, document: moved(notebook.document) });
  }

  /** The document or notebook that `uri` (a file or a cell) belongs to. */
  get(uri: string): { document: OpenDocument; notebook?: Notebook } | undefined {
    const document = this.files.get(uri);
    if (document !== undefined) return { document };
    const notebook = this.notebooks.get(this.notebookOfCell.get(uri) ?? uri);
    return notebook === undefined ? undefined : { document: notebook.document, notebook };
  }

  locate(uri: string, position: Position): Located | undefined {
    const found = this.get(uri);
    if (found === undefined) return undefined;
    const { document, notebook } = found;
    if (notebook === undefined) return { document, offset: document.text.offsetAt(position) };
    const cell = cellText(notebook, uri);
    if (cell === undefined) return undefined;
    const offset = notebook.joined.toJoined(uri, cell.offsetAt(position));
    return offset === undefined ? undefined : { document, notebook, offset };
  }
}

function cellText(notebook: Notebook, uri: string): TextDocument | undefined {
  const cell = notebook.cells.find((each) => each.uri === uri);
  return cell === undefined ? undefined : TextDocument.create(uri, cell.languageId, cell.version, cell.text);
}

/** A range of the joined module in the cell it lies in. */
export function toCellRange(
  notebook: Notebook,
  range: Range,
): { uri: string; version: number; range: Range } | undefined {
  const start = notebook.joined.toCell(notebook.document.text.offsetAt(range.start));
  const end = notebook.joined.toCell(notebook.document.text.offsetAt(range.end));
  if (start === undefined || end?.uri !== start.uri) return undefined;
  const cell = cellText(notebook, start.uri);
  if (cell === undefined) return undefined;
  return {
    uri: start.uri,
    version: cell.version,
    range: { start: cell.positionAt(start.offset), end: cell.positionAt(end.offset) },
  };
}

/** As `toCellRange` for what is deleted: whole lines at the end of a cell reach to the start of the next. */
export function toDeletedRange(notebook: Notebook, range: Range): ReturnType<typeof toCellRange> {
  const { text } = notebook.document;
  const [from, to] = [text.offsetAt(range.start), text.offsetAt(range.end)];
  const start = notebook.joined.toCell(from);
  const cell = start && cellText(notebook, start.uri);
  if (start === undefined || cell === undefined) return undefined;
  const whole = cell.getText();
  const length = whole.length - start.offset;
  if (from + length + 1 < to || from + length > to) return undefined;
  // the break before the first of these lines would be left as an empty line
  const above =
    start.offset > 0 && to > from + length ? /(?:\r\n|\r|\n)$/.exec(whole.slice(0, start.offset)) : null;
  const at = start.offset - (above?.[0].length ?? 0);
  return {
    uri: start.uri,
    version: cell.version,
    range: { start: cell.positionAt(at), end: cell.positionAt(whole.length) },
  };
}

/** A range of a cell in the joined module. */
export function toJoinedRange(notebook: Notebook, uri: string, range: Range): Range | undefined {
  const cell = cellText(notebook, uri);
  const start = cell && notebook.joined.toJoined(uri, cell.offsetAt(range.start));
  const end = cell && notebook.joined.toJoined(uri, cell.offsetAt(range.end));
  if (start === undefined || end === undefined) return undefined;
  const { text } = notebook.document;
  return { start: text.positionAt(start), end: text.positionAt(end) };
}
