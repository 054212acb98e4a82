/** The snippet grammar of LSP: literal text, stops with a value, choices. */

/** Literal text. */
export const literally = (text: string): string => text.replace(/[\\$}]/g, "\\$&");

/** `${1:value}`, or `$1` without a value. */
export const stop = (number: number, value: string): string =>
  value === "" ? `$${number}` : `\${${number}:${literally(value)}}`;

/** `${1|8,16,32|}` */
export const choice = (number: number, values: readonly string[]): string =>
  `\${${number}|${values.map((value) => value.replace(/[\\,|]/g, "\\$&")).join(",")}|}`;

/** Snippet source → what a client without snippets gets: each stop's value, or the first choice. */
export const withoutStops = (snippet: string): string =>
  snippet
    .replace(/\$\{\d+\|((?:\\.|[^\\,|])*)(?:\\.|[^\\|])*\|\}/g, "$1")
    .replace(/\$\{\d+:((?:\\.|[^\\}])*)\}/g, "$1")
    .replace(/(?<!\\)\$\d+/g, "")
    .replace(/\\([\\$},|])/g, "$1");

/** A part of a snippet: literal text, or a stop as it is written with the text that it shows. */
export interface Part {
  readonly text: string;
  readonly stop?: string;
}

const stops = /\$\{\d+\|(?:\\.|[^\\|])*\|\}|\$\{\d+:(?:\\.|[^\\}])*\}|(?<!\\)\$\d+/g;

/** Joined, their texts are what `withoutStops` gives. */
export function partsOf(snippet: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const { 0: written, index } of snippet.matchAll(stops)) {
    parts.push({ text: withoutStops(snippet.slice(at, index)) });
    parts.push({ text: withoutStops(written), stop: written });
    at = index + written.length;
  }
  return [...parts, { text: withoutStops(snippet.slice(at)) }];
}
