/**
 * Half-written headers and indentations that fit nowhere, mended in the parser's copy. Python reads a block by its
 * indentation, so one line that is out of place, or an `if x` still without its colon, would end the class around it.
 */
import type { Insertion } from "./resync";

/** Statements that have a body. */
const header = /(?:if|elif|else|for|while|with|try|except|finally|def|class|async)\b/y;

interface Level {
  /** As written, in columns. */
  readonly column: number;
  /** As the parser is to see it. */
  readonly seen: number;
}

/** The logical line at hand. */
interface Line {
  readonly level: Level;
  readonly isHeader: boolean;
}

const top: Level = { column: 0, seen: 0 };

/** Follows the statements of a top-level block from line to line, and says what has to be inserted to make them fit. */
export class Levels {
  private open: Level[] = [top];
  /** The levels of the block above, which the line at hand may belong to after all. */
  private above: readonly Level[] = [];
  private line: Line = { level: top, isHeader: false };
  /** Behind the first colon of the line that no bracket holds. */
  private colonEnd = -1;

  constructor(private readonly text: string) {}

  /** A colon outside of brackets. */
  colon(at: number): void {
    if (this.colonEnd < 0) this.colonEnd = at + 1;
  }

  /**
   * Begins the logical line whose first character at `at` stands in `column` of the line from `lineStart`, after one
   * whose last token ends at `lastToken`.
   */
  begin(at: number, column: number, lastToken: number, lineStart: number, opensBlock: boolean): Insertion[] {
    const mended = this.end(lastToken, column);
    const expected = this.colonEnd === lastToken || (this.line.isHeader && column > this.line.level.column);
    const around = this.line.level;
    this.colonEnd = -1;
    header.lastIndex = at;
    const isHeader = header.test(this.text);
    if (opensBlock) {
      this.above = this.open;
      this.open = [{ column, seen: column }];
      this.line = { level: { column, seen: column }, isHeader };
      return mended;
    }
    this.above = [];
    let left: Level | undefined;
    while (this.open.length > 1 && (this.open.at(-1)?.column ?? 0) > column) left = this.open.pop();
    const outer = this.open.at(-1) ?? top;
    let level = outer;
    if (outer.column !== column) {
      if (left) level = { column, seen: left.seen };
      else if (expected) level = { column, seen: Math.max(column, around.seen + 1) };
      else level = { column, seen: outer.seen };
      this.open.push(level);
    }
    this.line = { level, isHeader };
    if (level.seen > column) mended.push({ at, text: " ".repeat(level.seen - column) });
    else if (level.seen < column) mended.push(...this.outdented(lineStart, at, level.seen));
    return mended;
  }

  /** Whether the line at hand, with which a block began, may prove to be one of the block above. */
  get isLoose(): boolean {
    return this.above.length > 1 && !this.line.isHeader;
  }

  /**
   * Python has nothing indented below a line without a colon: where the next one stands in a `column` of the block
   * above, the line at hand was typed into that block. Gives the column it is to be seen in.
   */
  strayed(column: number, lastToken: number): number | undefined {
    const level = this.above.find((each) => each.column === column);
    if (!level || !this.isLoose || this.colonEnd === lastToken) return undefined;
    this.open = [...this.above];
    this.line = { level, isHeader: false };
    return level.seen;
  }

  /** What the line at hand lacks when the next one begins in `column`. */
  end(lastToken: number, column: number): Insertion[] {
    if (!this.line.isHeader) return [];
    const indented = column > this.line.level.column;
    if (this.colonEnd < 0) return [{ at: lastToken, text: indented ? ":" : ": pass" }];
    if (this.colonEnd === lastToken) return indented ? [] : [{ at: lastToken, text: " pass" }];
    // What is typed behind the colon of a body that begins below is that body's first statement.
    if (!indented) return [];
    const at = this.colonEnd + this.text.slice(this.colonEnd, lastToken).search(/\S/);
    return [{ at, text: `\n${" ".repeat(column)}` }];
  }

  /** Moves the first of a line's white space above its line break, so that `seen` columns are left. */
  private outdented(lineStart: number, at: number, seen: number): Insertion[] {
    const breaks = /\r\n|\r|\n/y;
    const from = lineStart - (this.text.startsWith("\r\n", lineStart - 2) ? 2 : 1);
    breaks.lastIndex = Math.max(0, from);
    const lineBreak = breaks.exec(this.text)?.[0];
    if (lineBreak === undefined || from + lineBreak.length !== lineStart) return [];
    const space = this.text.slice(lineStart, at);
    for (let cut = 0; cut <= space.length; cut++) {
      if (columnsOf(space.slice(cut)) !== seen) continue;
      const text = space.slice(0, cut) + lineBreak + space.slice(cut);
      return [{ at: from, text, over: text.length }];
    }
    return [];
  }
}

function columnsOf(space: string): number {
  let column = 0;
  for (const each of space) column = each === "\t" ? column + 8 - (column % 8) : column + 1;
  return column;
}
