/** Statements that a method's templates put around a stack of blocks, found again and taken out. */
import type { MethodSite } from "../literature/model";
import type { BlockStack, ModuleClass, Range } from "../python/facts";
import { lineEnd } from "./callSites/callSite";
import { boundBy } from "./callSites/variables";
import { lineStart, type SourceFile } from "./definitions";
import { edit, type Edit } from "./edits";
import { logicalLines } from "./wrapping/tokens";

/** @param adapter how the class calls the module, `self.unipt` */
export function withoutTemplates(
  { text }: SourceFile,
  module: ModuleClass,
  site: MethodSite,
  adapter: string,
): Edit[] {
  const bound = boundBy(site);
  const written = [site.before, site.insideFirst, site.inside, site.after]
    .flatMap((template) => template?.split("\n") ?? [])
    .map((line) => patternOf(line, adapter, bound));
  if (written.length === 0) return [];
  const lines = linesOf(text, module.range).filter(({ from, to }) =>
    written.some((pattern) => pattern.test(squeezed(text.slice(from, to)))),
  );
  const loops = module.stacks.flatMap((stack) =>
    lines.some((line) => within(line, stack.statement)) ? loopEdits(text, module, site, stack, lines) : [],
  );
  return [
    ...loops,
    ...lines
      .filter((line) => !loops.some((loop) => within(line, loop)))
      .map(({ from, to }) => edit(from, to + (/^(?:\r\n|\r|\n)/.exec(text.slice(to))?.[0].length ?? 0))),
    ...withoutParameters(text, module, site),
  ];
}

const within = (inner: Range, outer: Range): boolean => outer.from <= inner.to && inner.to <= outer.to;

/** The lines of a stretch, those of one statement as one, without their breaks. */
function linesOf(text: string, { from, to }: Range): Range[] {
  const lines: Range[] = [];
  const first = lineStart(text, from);
  const ends = new Map(
    [...logicalLines(text.slice(first, lineEnd(text, to)))].map((each) => [
      lineStart(text, first + each.from),
      lineEnd(text, first + each.to),
    ]),
  );
  for (let at = first; at < to;) {
    const end = ends.get(at) ?? lineEnd(text, at);
    lines.push({ from: at, to: end });
    at = end + (/^(?:\r\n|\r|\n)/.exec(text.slice(end))?.[0].length ?? 1);
  }
  return lines;
}

/** Stands behind a name that may have got a number. */
const mark = "\ue000";

/** A line of a template as what it may have become; variables it binds may have got a number. */
function patternOf(line: string, adapter: string, bound: readonly string[]): RegExp {
  const numbered = new RegExp(`(?<![\\w.])(${bound.join("|")})(?!\\w)`, "g");
  const parts = line.split(/(\{\w+\})/).map((part) => {
    if (part === "{adapter}") return escaped(adapter);
    if (/^\{\w+\}$/.test(part)) return "\\w+";
    const plain = bound.length === 0 ? part : part.replace(numbered, `$1${mark}`);
    return escaped(squeezed(plain)).replaceAll(mark, "\\d*");
  });
  return new RegExp(`^${parts.join("")}$`);
}

/** Without what a formatter adds where it breaks a line: white space, brackets and a comma before them. */
const squeezed = (text: string): string => text.replace(/,?\s*\)|[\s(]/g, "");

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The loop as it was: one call of an nn.Sequential, or one that does not count. */
function loopEdits(
  text: string,
  module: ModuleClass,
  site: MethodSite,
  { statement, loop, layer, variable }: BlockStack,
  written: readonly Range[],
): Edit[] {
  if (loop === undefined) return [];
  const rest = linesOf(text, { from: lineEnd(text, loop.header.to) + 1, to: statement.to }).filter(
    (line) => !written.some(({ from }) => from === line.from),
  );
  const body = rest.map(({ from, to }) => text.slice(from, to).trim());
  const block = loop.index === undefined ? loop.target : loop.target.replace(/^\w+,\s*/, "");
  const isSequence = module.layers.some(
    ({ path, type }) => path === layer && /(?:^|\.)Sequential$/.test(type),
  );
  if (isSequence && body.join() === `${variable} = ${block}(${variable})`)
    return [edit(statement.from, statement.to, `${variable} = self.${layer}(${variable})`)];
  const counted = /^index\d*$/.exec(loop.index ?? "")?.[0];
  const counts = [site.insideFirst, site.inside].some((each) => each?.includes("{index}") === true);
  const inner = /^enumerate\((.*)\)$/s.exec(loop.iterable)?.[1];
  if (!counts || counted === undefined || inner === undefined) return [];
  if (body.some((line) => new RegExp(`\\b${counted}\\b`).test(line))) return [];
  const item = block.replace(/^\((.*)\)$/s, "$1");
  return [edit(loop.header.from, loop.header.to, `for ${item} in ${inner}:`)];
}

/** `, examples=None` at the end of the parameters. */
function withoutParameters(text: string, { methods }: ModuleClass, { parameters }: MethodSite): Edit[] {
  if (parameters === undefined) return [];
  return methods.flatMap((method) => {
    const last = method.parameters.findIndex(({ range }) => text.startsWith(parameters, range.from));
    const found = method.parameters[last];
    const previous = method.parameters[last - 1];
    if (found === undefined) return [];
    return [edit(previous?.range.to ?? found.range.from, found.range.from + parameters.length)];
  });
}
