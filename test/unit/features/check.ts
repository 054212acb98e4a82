/** Marked source text: `|` is the cursor, a line of `^^^` marks ranges in the line above it. */

export interface Marked {
  /** The source without its marks. */
  readonly text: string;
  /** Offset of the cursor; throws where the source has none. */
  readonly offset: number;
  /** The marked ranges in order, as offsets into `text`. */
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
}

/** The one `|` that is no operator: not between spaces. */
const cursorMark = /(?<! )\||\|(?! )/;

/** Takes the marks out of a source. Carets count columns of the line above as it is written, cursor included. */
export function marked(source: string): Marked {
  const kept: string[] = [];
  let length = 0;
  let cursor = -1;
  let lineAt = 0;
  let cursorColumn = Infinity;
  const ranges: { from: number; to: number }[] = [];
  for (const line of source.split("\n")) {
    if (/^\s*\^[\s^]*$/.test(line)) {
      for (const { index, 0: carets } of line.matchAll(/\^+/g)) {
        const shift = (column: number): number => lineAt + column - (column > cursorColumn ? 1 : 0);
        ranges.push({ from: shift(index), to: shift(index + carets.length) });
      }
      continue;
    }
    const column = cursor < 0 ? line.search(cursorMark) : -1;
    cursorColumn = column < 0 ? Infinity : column;
    lineAt = length;
    kept.push(column < 0 ? line : line.slice(0, column) + line.slice(column + 1));
    length += line.length + (column < 0 ? 1 : 0);
    if (column >= 0) cursor = lineAt + column;
  }
  return {
    text: kept.join("\n"),
    ranges,
    get offset() {
      if (cursor < 0) throw new Error("the marked source has no cursor");
      return cursor;
    },
  };
}
