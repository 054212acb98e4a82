/** Values of literals. */

/** The value of a number as written. */
export function numberOf(text: string): number {
  return Number(text.replaceAll("_", "").replace(/^0+(?=\d)/, ""));
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
