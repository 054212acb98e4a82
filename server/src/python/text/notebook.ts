/**
 * A notebook's Python cells as one program: imports of one cell hold in the next. Line magics and shell escapes are
 * blanked to the same length, so every offset stays where it was.
 */
export interface Cell {
  readonly uri: string;
  readonly text: string;
}

export interface JoinedCells {
  readonly text: string;
  /** Offset in the joined text of an offset in a cell; undefined for a cell that is not part of it. */
  toJoined(uri: string, offset: number): number | undefined;
  /** The cell and its offset for an offset in the joined text; undefined beyond the last cell. */
  toCell(offset: number): { uri: string; offset: number } | undefined;
}

/** Joins cells with one line break between them. */
export function joinCells(cells: readonly Cell[]): JoinedCells {
  const starts: number[] = [];
  let text = "";
  for (const cell of cells) {
    starts.push(text.length);
    text += `${withoutMagics(cell.text)}\n`;
  }
  return {
    text,
    toJoined(uri, offset) {
      const index = cells.findIndex((cell) => cell.uri === uri);
      const start = starts[index];
      return start === undefined ? undefined : start + offset;
    },
    toCell(offset) {
      for (let index = cells.length - 1; index >= 0; index--) {
        const start = starts[index] ?? 0;
        const cell = cells[index];
        if (cell && start <= offset)
          return offset - start <= cell.text.length ? { uri: cell.uri, offset: offset - start } : undefined;
      }
      return undefined;
    },
  };
}

/** Cell magics whose cell is still Python of this program. */
const pythonMagics = /^%%(?:time|timeit|capture|prun|memit|mprun|lprun)\b/;

function blank(text: string): string {
  return text.replace(/[^\r\n]/g, " ");
}

function withoutMagics(text: string): string {
  const cellMagic = /^(?:[ \t]*(?:\r\n?|\n))*(%%[^\r\n]*)/.exec(text);
  if (cellMagic && !pythonMagics.test(cellMagic[1] ?? "")) return blank(text);
  // `%magic`, `!shell`, `?help`, `name = !shell`, `name?`; a continued line belongs to its magic.
  return text
    .replace(
      /^([ \t]*)((?:%{1,2}[A-Za-z]|!|\?)(?:[^\r\n\\]|\\(?:\r\n?|[^\r]))*|[\w.]+\?{1,2}[ \t]*$)/gm,
      (_all, indentation: string, magic: string, at: number) =>
        // the only line of a body must stay a statement
        indentation +
        (/:[ \t]*(?:\r\n?|\n)$/.test(text.slice(0, at)) ? `0${blank(magic).slice(1)}` : blank(magic)),
    )
    .replace(
      /^([ \t]*[\w., ]+=[ \t]*)([!%][^\r\n]*)/gm,
      (_all, target: string, magic: string) => target + "0" + blank(magic).slice(1),
    );
}
