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
