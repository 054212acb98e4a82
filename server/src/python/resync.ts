/**
 * Cuts a file into its top-level statements before any grammar sees it, and closes what is left open.
 *
 * A parser swallows everything after an unclosed bracket or triple quote, which is the normal state of a file while
 * someone types `LoraConfig(`. So brackets and strings are counted here, line by line; where a line begins that
 * cannot stand inside the open bracket, the missing closers are noted as insertions for the parser's copy of the
 * text. Because every block is parsed by itself, nothing that is wrong in one can harm another.
 */
import type { Prose } from "./facts";
import { isSuspect, leastHidden, type Open, type TripleQuoted } from "./tripleQuotes";

/** Text to be inserted into the parser's copy; `at` is absolute. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
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
    String.raw`(?:if|elif|except|(?:async\s+)?for)\b.*:\s*(?:#.*)?$`,
    String.raw`[A-Za-z_]\w*(?:\.\w+|\[[^\]]*\])+\s*(?:[-+*/@%&|^]|//|\*\*|<<|>>)?=(?!=)`,
  ]
    .map((part) => `(?:${part})`)
    .join("|"),
  "my",
);
/** Lines that, at the statement's own indentation or left of it, are statements unless the bracket closes later. */
const seldomInside =
  /(?!(?:for|if|else|in|and|or|not|is|lambda|await|async)\b)(?:@[A-Za-z_][\w.]*|[A-Za-z_])[^\n\r]*/my;
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
  let continued = false;
  let candidate: Candidate | undefined;
  let returns = 0;
  const end = { inTriple: false };
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
    const quote = text.charCodeAt(at);
    const isTriple = text.charCodeAt(at + 1) === quote && text.charCodeAt(at + 2) === quote;
    const atStatementStart = from === statementStart && depth === 0;
    const closed = isTriple ? open.get(at) : undefined;
    if (closed !== undefined) {
      at = closed;
      const written = text.slice(from, at);
      const fields = isFormat(text, from) ? openFields(written) : "";
      const apart = /["'\\]$/.test(written) ? " " : "";
      block.insertions.push({ at, text: apart + fields + quotes(quote) });
    } else if (isTriple) {
      const opening = at;
      const marks = quotes(quote);
      let close = text.indexOf(marks, at + 3);
      while (close > 0 && isEscaped(text, close)) close = text.indexOf(marks, close + 1);
      at = close < 0 ? length : close + 3;
      strings.push({ from: opening, to: at, indentation, leads: atStatementStart });
      end.inTriple = close < 0;
    } else {
      at++;
      for (let code = text.charCodeAt(at); at < length && code !== quote; code = text.charCodeAt(++at)) {
        if (code === 10 || code === 13) break;
        if (code === 92 && at + 1 < length) {
          at++;
          if (text.charCodeAt(at) === 13 && text.charCodeAt(at + 1) === 10) at++;
        }
      }
      if (text.charCodeAt(at) === quote) at++;
      else if (isFormat(text, from)) {
        // `print(f"{x`: the grammar reads on behind an open replacement field, line after line
        block.insertions.push({ at, text: openFields(text.slice(from, at)) + String.fromCharCode(quote) });
      }
    }
    block.prose.push({ range: { from, to: at }, kind: atStatementStart ? "docstring" : "string" });
    lastToken = at;
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
      const begin = at;
      let column = 0;
      let code = text.charCodeAt(at);
      while (code === 32 || code === 9 || code === 12) {
        column = code === 9 ? column + 8 - (column % 8) : column + 1;
        code = text.charCodeAt(++at);
      }
      if (at >= length) continue;
      const blank = code === 10 || code === 13 || code === 35;
      definition.lastIndex = at;
      if (!blank && (!continued || definition.test(text))) {
        if (depth > 0) {
          neverInside.lastIndex = at;
          seldomInside.lastIndex = at;
          if (neverInside.test(text)) {
            if (candidate && returns < maximumReturns) {
              goBack(candidate);
              continue;
            }
            closeAll(lastToken, closers);
          } else if (!candidate && column <= indentation) {
            const line = seldomInside.exec(text);
            if (line && !/,\s*(?:#.*)?$/.test(line[0])) {
              if (returns < maximumReturns) {
                candidate = { lineStart: begin, lastToken, closers, proseLength: block.prose.length };
              } else closeAll(lastToken, closers);
            }
          }
        }
        if (depth === 0) {
          indentation = column;
          statementStart = at;
          if (column === 0) {
            continuesBlock.lastIndex = at;
            const starts = !decorated && !blockIsEmpty && !continuesBlock.test(text);
            if (starts && code !== 41 && code !== 93 && code !== 125) {
              block.to = begin;
              if (stops?.has(begin)) {
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
      continued = false;
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
      if (depth > 0 && --depth < maximumDepth) closers = closers.slice(0, depth);
      if (depth === 0) candidate = undefined;
      lastToken = ++at;
    } else if (code === 92) {
      const next = text.charCodeAt(at + 1);
      if (next === 10 || next === 13) {
        at += next === 13 && text.charCodeAt(at + 2) === 10 ? 3 : 2;
        lineStart = continued = true;
      } else at++;
    } else {
      if (code !== 32 && code !== 9 && code !== 12) lastToken = at + 1;
      at++;
    }
  }
  if (depth > 0 && !end.inTriple) closeAll(lastToken, closers);
  const separable = open.size === 0 && !end.inTriple && !strings.some((string) => isSuspect(text, string));
  return { blocks, to, returns, separable, strings };
}

function reversed(text: string): string {
  let result = "";
  for (let at = text.length - 1; at >= 0; at--) result += text.charAt(at);
  return result;
}

/** Whether the string whose prefix begins at `from` is an f-string. */
function isFormat(text: string, from: number): boolean {
  return /^[rR]?[fF]/.test(text.slice(from, from + 2));
}

/** What closes the replacement fields that an f-string leaves open. */
function openFields(written: string): string {
  let open = 0;
  for (const brace of written.replace(/\{\{|\}\}/g, "")) {
    if (brace === "{") open++;
    else if (brace === "}" && open > 0) open--;
  }
  return "}".repeat(open);
}

const stringPrefix = /^(?:[rbuf]|rb|br|rf|fr)$/i;

function quotes(code: number): string {
  return String.fromCharCode(code, code, code);
}

/** Whether an odd number of backslashes stands before `at`. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === 92) before--;
  return (at - before) % 2 === 1;
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
