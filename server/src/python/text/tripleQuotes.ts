/**
 * Which triple quotes of a file are left open. The quotes alone do not say: behind one that is typed too much every
 * string is code and all code is string, up to the end of the file or to an apostrophe that hides a quote. So a
 * string is suspected that holds definitions further left than itself and is followed by what follows no string, and
 * is taken for open where fewer definitions stand in such strings then.
 */

/** A string in triple quotes as a scan of the text found it. */
export interface TripleQuoted {
  /** Its opening quotes. */
  readonly from: number;
  readonly to: number;
  /** Of the statement it stands in, in columns. */
  readonly indentation: number;
  /** Whether the statement begins with it. */
  readonly leads: boolean;
}

/** Where strings that are left open are to be closed, by where they begin. */
export type Open = ReadonlyMap<number, number>;

const definition =
  /^([ \t]*)(?:class\s+\w+.*:|(?:async\s+)?def\s+\w+\s*\(|import\s+\w|from\s+\S+\s+import\s)/gm;
/** Lines that are more likely code than prose. */
const code =
  /^([ \t]*)(?:@\w|class\s+\w+.*:|(?:async\s+)?def\s+\w+\s*\(|import\s+\w|from\s+\S+\s+import\s|super\(|return\b|[A-Za-z_][\w.]*(?:\s*:\s*[\w.[\], ]+)?\s*=(?!=)|[A-Za-z_][\w.]*\()/gm;

/** More than one string may be open, and more than one of those that show code may not be. */
const maximumOpen = 3;
const maximumSuspects = 6;

/** What may follow a string on its line. */
const follows =
  /[ \t\f]*(?:\\?[\r\n#]|$|[)\]}.,:;%+*=[!<>\-/|&^@"']|(?:if|else|for|in|not|and|or|is|async|as)\b|(?:[rbuf]|rb|br|rf|fr)["'])/iy;
/** A line of prose, or a heading of a docstring. */
const prose =
  /\s*(?!(?:assert|async|await|class|def|del|elif|except|for|from|global|if|import|nonlocal|print|raise|return|while|with|yield|match|case|type)\b)(?:[A-Za-z]+,? [a-z]+,? [a-z]|[A-Z][a-z]+:\s*[\r\n])/y;

/** Whether a string hides definitions and seems to be code, with what is no code behind it. */
export function isSuspect(text: string, string: TripleQuoted): boolean {
  return hiddenBy(text, string) > 0;
}

/** Of the readings of a text with some strings closed early, the one in which the fewest definitions stand in strings. */
export function leastHidden<S extends { readonly strings: readonly TripleQuoted[] }>(
  text: string,
  plainly: S,
  scan: (open: Open) => S,
): S {
  let best = { open: new Map<number, number>(), scan: plainly, hidden: hiddenIn(text, plainly.strings) };
  for (let round = 0; round < maximumOpen && best.hidden > 0; round++) {
    const before = best;
    const suspects = before.scan.strings.filter((string) => isSuspect(text, string));
    for (const suspect of suspects.slice(0, maximumSuspects)) {
      const open = new Map([...before.open, [suspect.from, closeOf(text, suspect)]]);
      const tried = scan(open);
      const hidden = hiddenIn(text, tried.strings);
      if (hidden < best.hidden) best = { open, scan: tried, hidden };
    }
    if (best === before) break;
  }
  return best.scan;
}

function hiddenIn(text: string, strings: readonly TripleQuoted[]): number {
  return strings.reduce((sum, string) => sum + hiddenBy(text, string), 0);
}

function hiddenBy(text: string, { from, to, indentation }: TripleQuoted): number {
  follows.lastIndex = prose.lastIndex = to;
  if (to < text.length && follows.test(text) && !prose.test(text)) return 0;
  const inside = text.slice(from + 3, to);
  let found = 0;
  for (const { 1: space = "", index } of inside.matchAll(definition))
    if (index > 0 && space.length <= indentation) found++;
  return found;
}

/** An open string ends with its line; a docstring, with the last line before one that looks like code. */
function closeOf(text: string, { from, to, indentation, leads }: TripleQuoted): number {
  const inside = text.slice(from + 3, to);
  if (leads)
    for (const { 1: space = "", index } of inside.matchAll(code))
      if (index > 0 && space.length <= indentation) return from + 3 + inside.slice(0, index).trimEnd().length;
  return from + 3 + inside.search(/[\r\n]|$/);
}
