/**
 * Annotations that stand in quotes because older Pythons cannot evaluate them: `bias: "Tensor | None"`. They are code
 * all the same.
 */
import type { Range } from "../python/facts";
import { closingBracket } from "./brackets";

const header = /^[ \t]*(?:async[ \t]+)?def[ \t]+\w+[ \t]*(\()/gm;

/** Where they stand in functions' headers, quotes included, in source order. */
export function quotedAnnotations(source: string): Range[] {
  return [...source.matchAll(header)].flatMap(({ 0: text, index }) => {
    const open = index + text.length - 1;
    const close = closingBracket(source, open);
    if (close === undefined) return [];
    const returned = /^\)[ \t]*->[ \t]*"[^"\r\n]*"/.exec(source.slice(close))?.[0].length ?? 0;
    return [
      ...source.slice(open, close + returned).matchAll(/(?<=[\w)][ \t]*(?::|->)[ \t]*)"[^"\r\n]*"/g),
    ].map((match) => ({ from: open + match.index, to: open + match.index + match[0].length }));
  });
}

/**
 * The same without quotes, for files whose annotations nobody evaluates, or a Python that knows `|`. That one still
 * needs them around classes that do not stand there yet.
 */
export function withoutQuotes(source: string, evaluated: boolean): string {
  const classes = [...source.matchAll(/^class[ \t]+(\w+)/gm)].map(([, name = ""]) => name);
  return quotedAnnotations(source).reduceRight((text, { from, to }) => {
    const annotation = text.slice(from + 1, to - 1);
    const isForward =
      !/[|[]/.test(annotation) || classes.some((name) => new RegExp(`\\b${name}\\b`).test(annotation));
    return evaluated && isForward ? text : text.slice(0, from) + annotation + text.slice(to);
  }, source);
}
