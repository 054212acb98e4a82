/**
 * Cuts a file into its top-level statements before any grammar sees it, and closes what is left open.
 *
 * A parser swallows everything after an unclosed bracket or triple quote, which is the normal state of a file while
 * someone types `LoraConfig(`. So brackets and strings are counted here, line by line; where a line begins that
 * cannot stand inside the open bracket, the missing closers are noted as insertions for the parser's copy of the
 * text. Because every block is parsed by itself, nothing that is wrong in one can harm another.
 */
import type { Prose } from "../facts";
import { Levels } from "./levels";
import { closeOfLine, closeOfTriple, isFormatString, openFields, stringPrefix } from "./strings";
import { isSuspect, leastHidden, type Open, type TripleQuoted } from "./tripleQuotes";

/** Text to be inserted into the parser's copy; `at` is absolute. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
  /** How many characters it stands for, where it is as long as they are. */
  readonly over?: number;
}

export interface SourceBlock {
  readonly from: number;
  to: number;
  readonly insertions: Insertion[];
  readonly prose: Prose[];
  /** Nested deeper than any program; not handed to the parser. */
  tooDeep: boolean;
}

export interface Scan {
  readonly blocks: readonly SourceBlock[];
  /** Where the scan ended: the end of the text, or the beginning of a block that is known. */
  readonly to: number;
  /** How often the scan went back to an earlier line. */
  readonly returns: number;
  /** Whether any stretch of blocks can be scanned by itself: no triple quote is or may be left open. */
  readonly separable: boolean;
}

const maximumDepth = 150;
/** How often the scan may go back to an earlier line, so that hostile text stays linear. */
export const maximumReturns = 40;

/** Lines that no bracket can hold, whatever their indentation. */
const neverInside = new RegExp(
  [
    String.raw`class\s+\w`,
    String.raw`(?:async\s+)?def\s+\w`,
    String.raw`import\s+\w`,
    String.raw`from\s+[\w.]+\s+import\b`,
    String.raw`(?:return|raise|del|assert|global|nonlocal)\b`,
    String.raw`(?:pass|break|continue)\s*(?:#.*)?$`,
    String.raw`(?:with|while)\s.*:\s*(?:#.*)?$`,
    String.raw`(?:try|else|finally)\s*:`,
    String.raw`(?:if|elif|except|(?:async\s+)?for)\b(?<header>.*):\s*(?:#.*)?$`,
    String.raw`[A-Za-z_]\w*(?:\.\w+|\[[^\]]*\])+\s*(?:[-+*/@%&|^]|//|\*\*|<<|>>)?=(?!=)`,
  ]
    .map((part) => `(?:${part})`)
    .join("|"),
  "my",
);
/** Lines that, at the statement's own indentation or left of it, are statements unless the bracket closes later. */
const seldomInside =
  /(?!(?:for|if|else|in|and|or|not|is|lambda|await|async)\b)(?:@[A-Za-z_][\w.]*|[A-Za-z_])[^\n\r]*/my;
/** Lines that no list of parameters holds. */
const noParameter = /[A-Za-z_]\w*\s*[.([]/y;
const parameterList = /(?:async\s+)?def\s/y;
/** Ends of lines behind which another operand cannot begin. */
const operand =
  /[)\]}"']$|\b(?!(?:and|as|assert|await|elif|else|for|if|in|is|lambda|not|or|return|yield)$)\w+$/;
const prefixedString = /[A-Za-z]{1,2}["']/y;
/** What no line continues, not even behind a backslash. */
const definition = /class\s+\w|(?:async\s+)?def\s+\w/y;
const continuesBlock = /(?:else|elif|except|finally)\b/y;
const nothing: Open = new Map();

interface Candidate {
  readonly lineStart: number;
  readonly lastToken: number;
  readonly closers: string;
  readonly proseLength: number;
}

interface Scanned extends Scan {
  readonly strings: readonly TripleQuoted[];
}

/** Cuts `text` into blocks; linear in its length. */
export function scan(text: string): Scan {
  const plainly = scanOnce(text, nothing);
  return plainly.separable ? plainly : leastHidden(text, plainly, (open) => scanOnce(text, open));
}

/**
 * Cuts the stretch of `text` that begins with the block at `from` and ends before the first block that begins at one
 * of `stops`. The blocks are those of a scan of the whole, unless the result is not separable.
 */
export function scanPart(text: string, from: number, stops: ReadonlySet<number>): Scan {
  return scanOnce(text, nothing, from, stops);
}

function scanOnce(text: string, open: Open, from = 0, stops?: ReadonlySet<number>): Scanned {
  const length = text.length;
  const strings: TripleQuoted[] = [];
  let block: SourceBlock = { from, to: length, insertions: [], prose: [], tooDeep: false };
  const blocks = [block];
  let to = length;
  let closers = ""; // what would close the open brackets, innermost last
  let depth = 0;
  let indentation = 0; // of the statement at hand
  let statementStart = 0;
  let lastToken = 0; // end of the last token that is no comment
  let decorated = false;
  let blockIsEmpty = true;
  let continuedAt = -1; // the backslash that makes the line at hand part of the one before
  let candidate: Candidate | undefined;
  let returns = 0;
  const end = { inTriple: false };
  const levels = new Levels(text);
  let at = from === 0 && text.charCodeAt(0) === 0xfeff ? 1 : from;
  let lineStart = true;

  const closeAll = (where: number, what: string) => {
    block.insertions.push({ at: where, text: reversed(what) });
    closers = "";
    depth = 0;
    candidate = undefined;
  };
  const goBack = (to: Candidate) => {
    returns++;
    block.prose.length = to.proseLength;
    at = to.lineStart;
    lineStart = true;
    lastToken = to.lastToken;
    while ((block.insertions.at(-1)?.at ?? -1) > to.lastToken) block.insertions.pop();
    closeAll(to.lastToken, to.closers);
  };

  /** Reads the string whose opening quote is at `at` and whose prefix begins at `from`. */
  const readString = (from: number) => {
    const leads = from === statementStart && depth === 0;
    const quote = text.charAt(at);
    const isTriple = text.startsWith(quote.repeat(3), at);
    const marks = isTriple ? quote.repeat(3) : quote;
    const opening = at;
    const isFormat = isFormatString(text, from);
    const given = isTriple ? open.get(at) : undefined;
    const close = given ?? (isTriple ? closeOfTriple(text, at) : closeOfLine(text, at, isFormat));
    const isClosed = given === undefined && text.startsWith(marks, close);
    // `print(f"{x`: the grammar reads on behind an open replacement field, line after line
    const fields = isFormat ? openFields(text.slice(from, close)) : "";
    const apart = /["'\\]$/.test(text.slice(from, close)) ? " " : "";
    if (isClosed) {
      if (fields !== "") block.insertions.push({ at: close, text: fields });
    } else if (given !== undefined || (isFormat && !isTriple))
      block.insertions.push({ at: close, text: apart + fields + marks });
    at = isClosed ? close + marks.length : close;
    if (isTriple && given === undefined) {
      strings.push({ from: opening, to: at, indentation, leads });
      end.inTriple = !isClosed;
    }
    block.prose.push({ range: { from, to: at }, kind: leads ? "docstring" : "string" });
    lastToken = at;
  };

  /** Whether the line at hand is a statement whatever is open; `for x in y):` is the end of one. */
  const isStatement = () => {
    neverInside.lastIndex = at;
    const found = neverInside.exec(text);
    return found !== null && !closesMore(found.groups?.["header"] ?? "");
  };

  /** Whether the line at hand cannot be in the list of parameters that is open. */
  const endsParameters = () => {
    parameterList.lastIndex = statementStart;
    noParameter.lastIndex = at;
    const complete = /[\w(,]/.test(text.charAt(lastToken - 1));
    return closers === ")" && complete && noParameter.test(text) && parameterList.test(text);
  };

  /** Whether the name that the line at hand begins with follows another operand. */
  const followsOperand = () => {
    prefixedString.lastIndex = at;
    return !prefixedString.test(text) && operand.test(text.slice(Math.max(0, lastToken - 20), lastToken));
  };

  for (;;) {
    if (at >= length) {
      if (candidate && depth > 0 && !end.inTriple && returns < maximumReturns) {
        goBack(candidate);
        continue;
      }
      break;
    }
    if (lineStart) {
      lineStart = false;
      let begin = at;
      let column = 0;
      let code = text.charCodeAt(at);
      while (code === 32 || code === 9 || code === 12) {
        column = code === 9 ? column + 8 - (column % 8) : column + 1;
        if (code === 12 && depth === 0 && continuedAt < 0) {
          // A form feed begins the line anew, which the grammar does not know.
          block.insertions.push({ at, text: "\n", over: 1 });
          column = 0;
          begin = at + 1;
        }
        code = text.charCodeAt(++at);
      }
      if (at >= length) continue;
      const blank = code === 10 || code === 13 || code === 35;
      definition.lastIndex = at;
      // A backslash above nothing, or above what no line continues, is one not written behind yet.
      if (continuedAt >= 0 && (blank || definition.test(text))) {
        block.insertions.push({ at: continuedAt, text: " ", over: 1 });
        continuedAt = -1;
      }
      if (!blank && continuedAt < 0) {
        if (depth > 0) {
          seldomInside.lastIndex = at;
          if (isStatement() || endsParameters()) {
            if (candidate && returns < maximumReturns) {
              goBack(candidate);
              continue;
            }
            closeAll(lastToken, closers);
          } else if (!candidate) {
            const line = seldomInside.exec(text);
            const leaves = column <= indentation && line && !/,\s*(?:#.*)?$/.test(line[0]);
            if (leaves || (line && followsOperand())) {
              if (returns < maximumReturns) {
                candidate = { lineStart: begin, lastToken, closers, proseLength: block.prose.length };
              } else closeAll(lastToken, closers);
            }
          }
        }
        if (depth === 0) {
          const seen = column > 0 && blocks.length > 1 ? levels.strayed(column, lastToken) : undefined;
          if (seen !== undefined) block = rejoined(blocks, statementStart, seen) ?? block;
          indentation = column;
          statementStart = at;
          continuesBlock.lastIndex = at;
          const isClosing = code === 41 || code === 93 || code === 125;
          const joins = column > 0 || decorated || isClosing || continuesBlock.test(text);
          const starts = !joins && !blockIsEmpty;
          const mended = levels.begin(at, column, lastToken, begin, starts || blockIsEmpty);
          block.insertions.push(...mended);
          if (column === 0) {
            if (starts) {
              block.to = begin;
              if (stops?.has(begin) && !levels.isLoose) {
                to = begin;
                break;
              }
              block = { from: begin, to: length, insertions: [], prose: [], tooDeep: false };
              blocks.push(block);
            }
            blockIsEmpty = false;
            decorated = code === 64;
          } else decorated = false;
        }
      }
      continuedAt = -1;
      continue;
    }
    const code = text.charCodeAt(at);
    if (code === 10 || code === 13) {
      if (code === 13 && text.charCodeAt(at + 1) === 10) at++;
      at++;
      lineStart = true;
    } else if (code === 35) {
      const from = at;
      at = endOfLine(text, at);
      block.prose.push({ range: { from, to: at }, kind: "comment" });
    } else if (isWord(code)) {
      const from = at;
      while (isWord(text.charCodeAt(at))) at++;
      const next = text.charCodeAt(at);
      if ((next === 34 || next === 39) && at - from <= 2 && stringPrefix.test(text.slice(from, at))) {
        readString(from);
      } else lastToken = at;
    } else if (code === 34 || code === 39) {
      readString(at);
    } else if (code === 40 || code === 91 || code === 123) {
      if (depth++ < maximumDepth) closers += code === 40 ? ")" : code === 91 ? "]" : "}";
      else block.tooDeep = true;
      lastToken = ++at;
    } else if (code === 41 || code === 93 || code === 125) {
      if (depth === 0) block.insertions.push({ at, text: " ", over: 1 });
      else if (--depth < maximumDepth) closers = closers.slice(0, depth);
      if (depth === 0) candidate = undefined;
      lastToken = ++at;
    } else if (code === 92) {
      const next = text.charCodeAt(at + 1);
      if (next === 10 || next === 13) {
        continuedAt = at;
        at += next === 13 && text.charCodeAt(at + 2) === 10 ? 3 : 2;
        lineStart = true;
      } else at++;
    } else {
      if (code === 58 && depth === 0 && text.charCodeAt(at + 1) !== 61) levels.colon(at);
      if (code !== 32 && code !== 9 && code !== 12) lastToken = at + 1;
      at++;
    }
  }
  if (depth > 0 && !end.inTriple) closeAll(lastToken, closers);
  if (to === length && !end.inTriple) block.insertions.push(...levels.end(lastToken, 0));
  // What was typed behind a header's colon was read before it was known that the body is below.
  for (const { insertions } of blocks) insertions.sort((one, other) => one.at - other.at);
  const separable = open.size === 0 && !end.inTriple && !strings.some((string) => isSuspect(text, string));
  return { blocks, to, returns, separable, strings };
}

/** The last two blocks as one, in which the second is seen `indented` so far. */
function rejoined(blocks: SourceBlock[], at: number, indented: number): SourceBlock | undefined {
  const stray = blocks.pop();
  const block = blocks.at(-1);
  if (!stray || !block) return stray;
  block.to = stray.to;
  block.insertions.push({ at, text: " ".repeat(indented) }, ...stray.insertions);
  block.prose.push(...stray.prose);
  block.tooDeep ||= stray.tooDeep;
  return block;
}

/** Whether a stretch of code closes a bracket that it does not open. */
function closesMore(code: string): boolean {
  let depth = 0;
  for (const each of code) {
    if (/[([{]/.test(each)) depth++;
    else if (/[)\]}]/.test(each) && --depth < 0) return true;
  }
  return false;
}

function reversed(text: string): string {
  let result = "";
  for (let at = text.length - 1; at >= 0; at--) result += text.charAt(at);
  return result;
}

function isWord(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    code === 95 ||
    (code >= 48 && code <= 57) ||
    code >= 128
  );
}

function endOfLine(text: string, at: number): number {
  while (at < text.length && text.charCodeAt(at) !== 10 && text.charCodeAt(at) !== 13) at++;
  return at;
}
