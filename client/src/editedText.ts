/** What edits of LSP make of a text, snippets as they stand before anyone types into them. */

interface Place {
  readonly line: number;
  readonly character: number;
}

export interface Change {
  readonly range: { readonly start: Place; readonly end: Place };
  readonly newText?: string;
  readonly snippet?: { readonly value: string };
}

/** The text afterwards, and the line in it where the user has something to decide: the first stop of a snippet. */
export function textAfter(
  text: string,
  changes: readonly Change[],
): { readonly text: string; readonly line?: number } {
  const starts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map(({ index, 0: { length } }) => index + length)];
  const offset = ({ line, character }: Place): number =>
    Math.min((starts[line] ?? text.length) + (line < starts.length ? character : 0), text.length);
  const sorted = changes
    .map(({ range, newText, snippet }) => ({
      from: offset(range.start),
      to: offset(range.end),
      text: snippet === undefined ? (newText ?? "") : plainSnippet(snippet.value),
      /** In the text of the change, where it has one. */
      stop: snippet && firstStop(snippet.value),
    }))
    .toSorted((a, b) => a.from - b.from || a.to - b.to);
  let after = "";
  let at = 0;
  let line: number | undefined;
  for (const { from, to, text: inserted, stop } of sorted) {
    after += text.slice(at, from);
    if (stop !== undefined) line ??= lineBreaks(after) + lineBreaks(inserted.slice(0, stop));
    after += inserted;
    at = to;
  }
  return { text: after + text.slice(at), ...(line !== undefined && { line }) };
}

const lineBreaks = (text: string): number => text.match(/\r\n|\r|\n/g)?.length ?? 0;

/** Where in the plain text the first stop stands. */
function firstStop(snippet: string): number | undefined {
  const at = snippet.search(/(?<!\\)\$\{1:/);
  return at < 0 ? undefined : plainSnippet(snippet.slice(0, at)).length;
}

/** `rank=${1:8}` → `rank=8`. */
export function plainSnippet(snippet: string): string {
  return snippet.replace(/(?<!\\)\$\{\d+:((?:\\.|[^\\}])*)\}/g, "$1").replace(/\\([\\$}])/g, "$1");
}
