/** Where in a YAML file the cursor stands, read from its lines alone: the file is seldom complete while one types. */
import type { Range } from "../../python/facts";

export interface Place {
  /** A key of a mapping, the value behind a key, or an entry of a list, in brackets or behind a dash. */
  readonly kind: "key" | "value" | "entry";
  /** Keys of the mappings around, outermost first; for a value or an entry, its own key is the last. */
  readonly path: readonly string[];
  /** What stands there: a word, or the whole value. */
  readonly word: Range;
  /** For a key, and for an entry that may begin a mapping: the keys beside it. */
  readonly given: ReadonlySet<string>;
  /** For a key: a colon follows already. */
  readonly written: boolean;
}

interface Line {
  /** Columns before the key or the text, dashes included. */
  readonly column: number;
  /** Column of the first dash before it, or -1. */
  readonly dash: number;
  readonly key: string | undefined;
  /** What follows, without a comment. */
  readonly rest: string;
}

/** `  - key: value # comment`, as far as the line has of it; undefined where it has nothing. */
function lineOf(text: string): Line | undefined {
  const [, lead = "", , key, rest = ""] =
    /^([ \t]*(?:-[ \t]+)*)(?:(["']?)([\w.-]+)\2[ \t]*:(?:[ \t]+|$))?(.*)$/.exec(text) ?? [];
  const bare = rest.replace(/(?:^|\s)#.*$/, "");
  return key === undefined && bare === "" && !lead.includes("-")
    ? undefined
    : { column: lead.length, dash: lead.indexOf("-"), key, rest: bare };
}

/** undefined in comments, in texts of several lines, and where neither a key nor a value can stand. */
export function placeAt(text: string, offset: number): Place | undefined {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const before = text.slice(start, offset);
  const [after = ""] = /^[^\r\n]*/.exec(text.slice(offset)) ?? [];
  if (/(?:^|\s)#/.test(before)) return undefined;
  const line = lineOf(before) ?? { column: before.length, dash: -1, key: undefined, rest: "" };
  const above = text.slice(0, start).split(/\r?\n/).slice(0, -1).toReversed();
  const around = aroundLine(above, line);
  if (around === undefined) return undefined;
  if (line.key !== undefined) return valueAt([...around.path, line.key], line.rest, after, offset);

  const follows = /^[\w.-]*/.exec(after)?.[0].length ?? 0;
  const word = { from: offset - line.rest.length, to: offset + follows };
  const tail = after.slice(follows);
  if (!/^[\w.-]*$/.test(line.rest) || !/^[ \t]*(?:[:#].*)?$/.test(tail)) return undefined;
  const below = text
    .slice(offset + after.length)
    .split(/\r?\n/)
    .slice(1);
  return {
    kind: line.dash >= 0 ? "entry" : "key",
    path: around.path,
    word,
    given: new Set([...around.beside, ...keysBelow(below, line.column)]),
    written: /^[ \t]*:/.test(tail),
  };
}

/** Behind `key:`, the whole value or an entry of a list in brackets. */
function valueAt(path: readonly string[], rest: string, after: string, offset: number): Place | undefined {
  const isList = rest.startsWith("[");
  if (isList ? rest.includes("]") : /^[|>&*!{]/.test(rest)) return undefined;
  const typed = isList ? (/[^[,\s]*$/.exec(rest)?.[0] ?? "") : rest;
  const following = (isList ? /^[^\],\s]*/ : /^(?:[^#\s]|\S#|\s+(?=[^#\s]))*/).exec(after)?.[0] ?? "";
  const word = { from: offset - typed.length, to: offset + following.length };
  return { kind: isList ? "entry" : "value", path, word, given: new Set(), written: false };
}

/** Keys of the mappings around a line, and those above in its own mapping; undefined within a text of several lines. */
function aroundLine(
  above: readonly string[],
  { column, dash }: Line,
): { path: readonly string[]; beside: readonly string[] } | undefined {
  const path: string[] = [];
  const beside: string[] = [];
  // a list may begin in the column of the key that it belongs to
  let limit = dash < 0 ? column : dash + 1;
  let isOwn = dash < 0;
  let inEntry = dash >= 0;
  for (const text of above) {
    const line = lineOf(text);
    if (line === undefined) continue;
    if (isOwn && line.column === column && line.key !== undefined) beside.push(line.key);
    if (line.dash >= 0) {
      if (line.dash >= (inEntry ? limit - 1 : limit)) continue;
      if (line.key !== undefined && line.column < limit) path.unshift(line.key);
      [limit, inEntry, isOwn] = [line.dash + 1, true, false];
    } else if (line.column < limit) {
      if (line.key === undefined || line.rest.trim() !== "") return undefined;
      path.unshift(line.key);
      [limit, inEntry, isOwn] = [line.column, false, false];
    }
  }
  return { path, beside };
}

/** Keys of the same column, down to where the mapping ends. */
function keysBelow(below: readonly string[], column: number): string[] {
  const found: string[] = [];
  for (const text of below) {
    const line = lineOf(text);
    if (line === undefined) continue;
    if (line.column < column || (line.dash >= 0 && line.dash < column)) break;
    if (line.column === column && line.key !== undefined) found.push(line.key);
  }
  return found;
}
