/** Text edits in offsets, with places where the cursor should stop; turned into LSP edits at the very end. */
import type { SnippetTextEdit, TextEdit } from "vscode-languageserver-types";
import type { TextDocument } from "vscode-languageserver-textdocument";

/** Literal text, or a value the user will want to change first. */
export type Piece = string | { readonly stop: string };

export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly insert: readonly Piece[];
}

export const edit = (from: number, to: number, ...insert: Piece[]): Edit => ({ from, to, insert });
export const insertion = (at: number, ...insert: Piece[]): Edit => edit(at, at, ...insert);

/** A piece without its stop. */
export const plain = (piece: Piece): string => (typeof piece === "string" ? piece : piece.stop);

/** The text of an edit without its stops. */
export const plainText = ({ insert }: Edit): string => insert.map(plain).join("");

const escapeSnippet = (text: string): string => text.replace(/[\\$}]/g, "\\$&");

/** Source order; at one place, the order in which they were made. */
export const sourceOrder = (edits: readonly Edit[]): Edit[] =>
  edits
    .map((each, index) => ({ each, index }))
    .sort((a, b) => a.each.from - b.each.from || a.each.to - b.each.to || a.index - b.index)
    .map(({ each }) => each);

/** The document's own line breaks in place of `\n`. */
function withLineBreaks(piece: Piece, lineBreak: string): Piece {
  if (lineBreak === "\n") return piece;
  return typeof piece === "string"
    ? piece.replaceAll("\n", lineBreak)
    : { stop: piece.stop.replaceAll("\n", lineBreak) };
}

/** Applies edits to the text they were made for. */
export function applyEdits(text: string, edits: readonly Edit[], lineBreak: string): string {
  let result = "";
  let at = 0;
  for (const each of sourceOrder(edits)) {
    result +=
      text.slice(at, each.from) +
      each.insert.map((piece) => plain(withLineBreaks(piece, lineBreak))).join("");
    at = each.to;
  }
  return result + text.slice(at);
}

/** LSP edits. With `snippets`, edits that have stops become snippets. */
export function toTextEdits(
  document: TextDocument,
  edits: readonly Edit[],
  lineBreak: string,
  snippets: boolean,
): (TextEdit | SnippetTextEdit)[] {
  return sourceOrder(edits).map((each) => {
    const range = { start: document.positionAt(each.from), end: document.positionAt(each.to) };
    const pieces = each.insert.map((piece) => withLineBreaks(piece, lineBreak));
    if (!snippets || pieces.every((piece) => typeof piece === "string")) {
      return { range, newText: pieces.map(plain).join("") };
    }
    let number = 0;
    const value = pieces
      .map((piece) =>
        typeof piece === "string" ? escapeSnippet(piece) : `\${${++number}:${escapeSnippet(piece.stop)}}`,
      )
      .join("");
    return { range, snippet: { kind: "snippet" as const, value } };
  });
}
