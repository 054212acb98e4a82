/** Where in an argument list the cursor stands, read from the text alone: the list is seldom complete while one types. */
import type { Range } from "../../python/facts";

export interface ArgumentPosition {
  /** Set behind `keyword=`. */
  readonly keyword?: string;
  /** The word under the cursor, from its first to its last character; empty between words. */
  readonly word: Range;
  /** Brackets opened within this argument: "" directly in the list, "[" in a list of values. */
  readonly brackets: string;
  /** Inside a string literal: its content up to the closing quote, or up to the cursor while there is none. */
  readonly string?: Range;
  /** Whether what stands before the word leaves room for one: nothing, or an opening bracket or comma. */
  readonly fresh: boolean;
}

interface Scan {
  argumentStart: number;
  brackets: string;
  quote: string;
  stringStart: number;
  comment: boolean;
}

/**
 * @param open offset just behind the opening bracket
 * @returns undefined in a comment and outside the list
 */
export function argumentPosition(text: string, open: number, offset: number): ArgumentPosition | undefined {
  if (offset < open) return undefined;
  const scan = scanTo(text, open, offset);
  if (scan === undefined || scan.comment) return undefined;
  const { argumentStart, brackets, quote, stringStart } = scan;
  const keyword = /^\s*([A-Za-z_]\w*)\s*=(?!=)/.exec(text.slice(argumentStart, offset))?.[1];
  const inString = quote !== "";
  const before = /\w*$/.exec(text.slice(argumentStart, offset))?.[0] ?? "";
  const after = /^\w*/.exec(text.slice(offset))?.[0] ?? "";
  const word = { from: offset - before.length, to: offset + after.length };
  const lead = text
    .slice(argumentStart, word.from)
    .replace(/#[^\n]*/g, "")
    .trimEnd();
  return {
    word,
    brackets,
    fresh: lead === "" || /[=,[({]$/.test(lead),
    ...(keyword === undefined ? {} : { keyword }),
    ...(inString ? { string: { from: stringStart, to: closingQuote(text, offset, quote) } } : {}),
  };
}

/** State at `offset`; undefined where the list was closed before it. */
function scanTo(text: string, open: number, offset: number): Scan | undefined {
  const scan: Scan = { argumentStart: open, brackets: "", quote: "", stringStart: 0, comment: false };
  for (let at = open; at < offset; at++) {
    const character = text.charAt(at);
    if (scan.comment) {
      scan.comment = character !== "\n";
    } else if (scan.quote !== "") {
      if (character === "\\") at++;
      else if (text.startsWith(scan.quote, at)) {
        at += scan.quote.length - 1;
        scan.quote = "";
      } else if (character === "\n" && scan.quote.length === 1) scan.quote = "";
    } else if (character === '"' || character === "'") {
      const triple = character.repeat(3);
      scan.quote = text.startsWith(triple, at) ? triple : character;
      at += scan.quote.length - 1;
      scan.stringStart = at + 1;
    } else if (character === "#") scan.comment = true;
    else if ("([{".includes(character)) scan.brackets += character;
    else if (")]}".includes(character)) {
      if (scan.brackets === "") return undefined;
      scan.brackets = scan.brackets.slice(0, -1);
    } else if (character === "," && scan.brackets === "") scan.argumentStart = at + 1;
  }
  return scan;
}

/** Where the string ends that is open at `offset`; the cursor itself while it is still unclosed on its line. */
function closingQuote(text: string, offset: number, quote: string): number {
  const line = /^[^\n\r]*/.exec(text.slice(offset))?.[0] ?? "";
  const rest = new RegExp(`^(?:\\\\.|(?!${quote}).)*?(?=${quote})`).exec(line)?.[0];
  // a quote further on belongs to another string when a comma or bracket stands between
  return rest === undefined || /[,)\]}=]/.test(rest) ? offset : offset + rest.length;
}
