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

export function textAfter(text: string, changes: readonly Change[]): string {
  const starts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map(({ index, 0: { length } }) => index + length)];
  const offset = ({ line, character }: Place): number =>
    Math.min((starts[line] ?? text.length) + (line < starts.length ? character : 0), text.length);
  const sorted = changes
    .map(({ range, newText, snippet }) => ({
      from: offset(range.start),
      to: offset(range.end),
      text: snippet === undefined ? (newText ?? "") : plainSnippet(snippet.value),
    }))
    .toSorted((a, b) => a.from - b.from || a.to - b.to);
  let after = "";
  let at = 0;
  for (const { from, to, text: inserted } of sorted) {
    after += text.slice(at, from) + inserted;
    at = to;
  }
  return after + text.slice(at);
}

/** `rank=${1:8}` → `rank=8`. */
export function plainSnippet(snippet: string): string {
  return snippet.replace(/(?<!\\)\$\{\d+:((?:\\.|[^\\}])*)\}/g, "$1").replace(/\\([\\$}])/g, "$1");
}
