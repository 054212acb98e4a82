/** Taking out a list of adapters, one for each turn of a loop: the loops run as they did before. */
import type { ModuleClass, Range } from "../python/facts";
import { wholeLine } from "./callSites/callSite";
import { unzipped } from "./callSites/zippedLoop";
import type { SourceFile } from "./definitions";
import { type Edit, edit } from "./edits";
import { unwrap, usesOf } from "./remove";

/** @returns undefined where no loop takes from the list */
export function withoutList(file: SourceFile, module: ModuleClass, list: string): Edit[] | undefined {
  const { text } = file;
  const zipped = loopsOver(text, module, list);
  const taken = iteratorsOf(text, module, list);
  if (zipped.length === 0 && taken.length === 0) return undefined;
  const isHeader = (from: number): boolean =>
    zipped.some(({ header }) => header.from <= from && from < header.to);
  const lines = usesOf(text, module, list.slice("self.".length))
    .filter((from) => !isHeader(from))
    .map((from) => {
      const built = module.layers.find(({ call }) => call.statement.from <= from && from < call.statement.to);
      return wholeLine(text, from, built?.call.statement.to);
    });
  return [
    ...lines,
    ...zipped.flatMap(({ header, plain, to }) => [
      edit(header.from, header.to, plain.header),
      ...callsOf(file, plain.variable, header.to, to),
    ]),
    ...taken.flatMap((name) => callsOf(file, `next(${name})`, module.range.from, module.range.to)),
  ];
}

interface LoopOver {
  readonly header: Range;
  readonly plain: { readonly header: string; readonly variable: string };
  /** Where its body ends. */
  readonly to: number;
}

/** Loops of a class that run over a list beside something else, by their text: what they join need not be understood. */
function loopsOver(text: string, { range }: ModuleClass, list: string): LoopOver[] {
  const found = text
    .slice(range.from, range.to)
    .matchAll(/^([ \t]*)(for\b.+ in zip\((?:(?!\bfor\b)[^])*?\):)[ \t]*(?:#.*)?$/gm);
  return [...found].flatMap(({ index, 1: indentation = "", 2: header = "" }): LoopOver[] => {
    const plain = unzipped(header, list);
    if (plain === undefined) return [];
    const from = range.from + index + indentation.length;
    const to = from + header.length;
    // up to the first line that stands no deeper
    const end = new RegExp(`^(?!${indentation}[ \\t])[ \\t]*\\S`, "m").exec(text.slice(to, range.to));
    return [{ header: { from, to }, plain, to: end === null ? range.to : to + end.index }];
  });
}

/** Names under which a class takes one of a list after another: `sc_tuners = iter(self.sc_tuners)`. */
const iteratorsOf = (text: string, { range }: ModuleClass, list: string): string[] => [
  ...new Set(
    [...text.slice(range.from, range.to).matchAll(/^[ \t]*(\w+) = iter\((self\.\w+)\)[ \t]*$/gm)].flatMap(
      ([, name, of]) => (of === list && name !== undefined ? [name] : []),
    ),
  ),
];

/** What is left of `adapter(x)` in a stretch of the text. */
const callsOf = (file: SourceFile, adapter: string, from: number, to: number): Edit[] =>
  [
    ...file.text
      .slice(from, to)
      .matchAll(new RegExp(`(?<![\\w.])${adapter.replace(/[()]/g, "\\$&")}(?=\\()`, "g")),
  ].flatMap(({ index }) => unwrap(file, from + index, adapter));
