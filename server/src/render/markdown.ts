/** Markdown whose every foreign word is text: a title, an abstract or a user's identifier can neither format nor link. */

/** One line, without control characters and without the marks that reorder text for the eye alone. */
const oneLine = (text: string): string =>
  text
    .replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g, "")
    .replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .trim();

/** Plain text as Markdown on one line: what has a meaning in Markdown or HTML is escaped, the rest stays readable. */
export function escape(text: string): string {
  return (
    oneLine(text)
      .replace(/[\\`*[\]<>~]/g, "\\$&")
      // within a word an underscore is only an underscore: lora_alpha
      .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
      .replace(/&(?=#?\w+;)/g, "\\&")
      // headings, lists and rules begin a line; -1 and 16.0 do not
      .replace(/^([#+=-])(?=\1|\s|$)/, "\\$1")
      .replace(/^(\d+)([.)])(?=\s|$)/, "$1\\$2")
  );
}

/** Sentences of the corpus: what stands between backticks is code, the rest plain text. */
export const prose = (text: string): string =>
  oneLine(text)
    .split(/`([^`]+)`/)
    .map((part, index) => (index % 2 === 1 ? code(part) : escapeWithin(part, index === 0)))
    .join("");

/** Escapes a stretch of a line, its spaces kept; only at the start of a line can it begin a block. */
function escapeWithin(text: string, starts: boolean): string {
  if (text.trim() === "") return text;
  const [, before = "", after = ""] = /^(\s*)[\s\S]*?(\s*)$/.exec(text) ?? [];
  const escaped = escape(starts ? text : `x${text.trim()}`);
  return `${before}${starts ? escaped : escaped.slice(1)}${after}`;
}

/** A code span of one line; its fence is longer than any run of backticks inside. */
export function code(text: string): string {
  const line = oneLine(text);
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return line === "" ? "" : `${fence}${pad}${line}${pad}${fence}`;
}

/** A fenced block; its fence is longer than any run of backticks inside. */
export function codeBlock(language: string, text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** Characters that end a link's destination or that URL encoding leaves alone. */
const encodeDestination = (url: string): string =>
  url.replace(
    /[\s()<>\\`"'|[\]{}*]/g,
    (character) => `%${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, "0")}`,
  );

/** A link to the web; anything but an http(s) address stays text. */
export function link(label: string, url: string): string {
  return /^https?:\/\/[^\s/]/i.test(url) && url.length < 2000
    ? `[${escape(label)}](${encodeDestination(url)})`
    : escape(label);
}

/** A link that runs one of our commands, for clients that allow those. */
export function commandLink(label: string, command: `litlens.${string}`, args: readonly unknown[]): string {
  return `[${escape(label)}](command:${command}?${encodeDestination(encodeURIComponent(JSON.stringify(args)))})`;
}

/** Paragraphs one under the other, the empty ones left out. */
export const paragraphs = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== "").join("\n\n");

/** Lines of one paragraph, the empty ones left out. */
export const lines = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== "").join("  \n");

/** What stands on one line, with the separator of titles. */
export const dotted = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== "").join(" · ");

/** Sentences that there are, one after another. */
export const sentences = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined).join(". ");
