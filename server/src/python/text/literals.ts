/** Values of literals. */

/** The value of a number as written; `0777` was octal once and is nothing now. */
export function numberOf(text: string): number {
  const digits = text.replaceAll("_", "");
  return /^0\d*[1-9]\d*$/.test(digits) ? NaN : Number(digits);
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\n": "" };

/** The value of a string literal as written, with prefix and quotes. */
export function stringOf(literal: string): string {
  const match = /^([a-zA-Z]*)("""|'''|"|')/.exec(literal);
  if (!match) return literal;
  const [opening, prefix = "", quote = '"'] = match;
  const end = literal.length > opening.length && literal.endsWith(quote) ? -quote.length : undefined;
  const content = literal.slice(opening.length, end);
  if (/r/i.test(prefix) || !content.includes("\\")) return content;
  return content.replace(
    /\\([\s\S])/g,
    (all, next: string) => escapes[next] ?? (/\w/.test(next) ? all : next),
  );
}
