/** What an adapter brought and nothing uses once it is gone: definitions, and imports that they alone needed. */
import type { PythonSource } from "../literature/model";
import { readPython } from "../python/document";
import type { ImportBinding, Range } from "../python/facts";
import { lineEnd, wholeLine } from "./callSites/callSite";
import { type SourceFile, statementFor, trailingBreaks } from "./definitions";
import { applyEdits, type Edit, edit } from "./edits";
import { readFromImport, removeNames } from "./importedNames";
import { addImports, inTyping, isTopLevel } from "./imports";

/** Definitions of a method, and imports, that nothing mentions once `removed` is gone; `used` are mentioned elsewhere. */
export function withoutDefinitions(
  file: SourceFile,
  removed: readonly Edit[],
  names: ReadonlySet<string>,
  sources: readonly PythonSource[],
  used: ReadonlySet<string> = new Set(),
): Edit[] {
  const { text, facts } = file;
  const ours = facts.definitions.filter(({ name }) => names.has(name));
  const silent: Range[] = [
    ...removed,
    ...facts.imports.map(({ statement }) => statement),
    ...facts.prose.filter(({ kind }) => kind !== "string").map(({ range }) => range),
  ];
  /** Whether code outside `unless` mentions the name. */
  const isUsed = (name: string, unless: readonly Range[]): boolean =>
    used.has(name) ||
    [...text.matchAll(new RegExp(`(?<![\\w.])${name}(?!\\w)`, "g"))].some(
      ({ index }) => ![...silent, ...unless].some(({ from, to }) => from <= index && index < to),
    );
  // What the rest of the file uses stays, and what that uses in turn.
  let leaving = ours;
  for (;;) {
    const ranges = leaving.map(({ range }) => range);
    const staying = leaving.filter(({ name }) => isUsed(name, ranges));
    if (staying.length === 0) break;
    leaving = leaving.filter((each) => !staying.includes(each));
  }
  const ranges = leaving.map(({ range }) => range);
  const definitions: Edit[] = [];
  for (const { from, to } of ranges.toSorted((one, other) => one.from - other.from)) {
    const end = to + (/^\s*/.exec(text.slice(to))?.[0].length ?? 0);
    const last = definitions.at(-1);
    if (last?.to === from) definitions[definitions.length - 1] = edit(last.from, end);
    else definitions.push(edit(from, end));
  }
  const imports = withoutImports(file, names, sources, (name) => isUsed(name, ranges));
  // an import that leaves takes the space below it along
  const free = (from: number, to: number): number =>
    Math.max(from, ...imports.filter((each) => each.from < to).map((each) => each.to));
  const spaced = definitions.map((each) => withGapAbove(text, each));
  return [...spaced.map(({ from, to }) => edit(free(from, to), to)), ...imports];
}

/** Where less space stands below a definition than above it, that is what stood there before it came. */
function withGapAbove(text: string, { from, to }: Edit): Edit {
  const above = trailingBreaks(text.slice(0, from));
  const below = trailingBreaks(text.slice(0, to));
  const lineBreak = text.includes("\r\n") ? 2 : 1;
  return edit(below < 3 && below < above ? from - (above - below) * lineBreak : from, to);
}

/** Import statements, and names in them, of which the removed Python was the only user. */
function withoutImports(
  { text, facts }: SourceFile,
  definitions: ReadonlySet<string>,
  sources: readonly PythonSource[],
  isUsed: (name: string) => boolean,
): Edit[] {
  const brought = sources.flatMap(({ imports }) => readPython(`${imports.join("\n")}\n`).facts.imports);
  const isOurs = ({ local, qualified }: ImportBinding): boolean =>
    definitions.has(local) ||
    brought.some(
      (each) => each.local === local && [each.qualified, inTyping(each.qualified)].includes(qualified),
    );
  const statements = new Map<number, ImportBinding[]>();
  for (const binding of facts.imports) {
    const { from } = binding.statement;
    if (isTopLevel(text, from)) statements.set(from, [...(statements.get(from) ?? []), binding]);
  }
  const isLeaving = (binding: ImportBinding): boolean =>
    isOurs(binding) && !isUsed(binding.local) && wasUsed(text, binding);
  /** A name that can be written otherwise as well was none of ours to import: the module stays, too. */
  const isSpare = ({ qualified }: ImportBinding): boolean =>
    [...statements.values()]
      .flat()
      .some((each) => qualified.startsWith(`${each.qualified}.`) && !isLeaving(each));
  const leaving = [...statements.values()].flatMap((bindings) =>
    bindings.every(isLeaving) ? bindings : bindings.filter((each) => isLeaving(each) && !isSpare(each)),
  );
  // Others may have been the user's before: an insertion would have put them elsewhere, or written them otherwise.
  const open = leaving.filter(({ local }) => !definitions.has(local));
  const edits = (some: readonly ImportBinding[]): Edit[] => importEdits(text, statements.values(), some);
  const isBrought = (some: readonly ImportBinding[]): boolean =>
    isAsBrought({ text, facts }, edits(some), some);
  return edits(
    isBrought(open) ? leaving : leaving.filter((each) => !open.includes(each) || isBrought([each])),
  );
}

/** Takes names out of import statements; of statements without other names the lines, and the gap that set them apart. */
function importEdits(
  text: string,
  statements: Iterable<readonly ImportBinding[]>,
  leaving: readonly ImportBinding[],
): Edit[] {
  const all = [...statements];
  const names: Edit[] = [];
  const runs: Edit[] = [];
  for (const bindings of all) {
    const some = bindings.filter((each) => leaving.includes(each));
    const [first] = some;
    if (first === undefined) continue;
    if (some.length < bindings.length) {
      const statement = readFromImport(text, first.statement);
      const ranges = some.map(({ nameRange }) => nameRange);
      if (statement !== undefined) names.push(...removeNames(text, statement, ranges));
      continue;
    }
    const line = wholeLine(text, first.statement.from, first.statement.to);
    const last = runs.at(-1);
    if (last?.to === line.from) runs[runs.length - 1] = edit(last.from, line.to);
    else runs.push(line);
  }
  return [...names, ...runs.map((run) => withGap(text, all.flat(), run))];
}

/** Whether these imports, taken out and added again, stand where they stood. */
function isAsBrought(
  { text, facts }: SourceFile,
  edits: readonly Edit[],
  leaving: readonly ImportBinding[],
): boolean {
  const end = Math.max(facts.layout.importEnd, ...edits.map(({ to }) => to));
  const header = text.slice(0, lineEnd(text, end + (/^\s*/.exec(text.slice(end))?.[0].length ?? 0)));
  const plain = applyEdits(header, edits, "\n");
  const statements = leaving.map(({ qualified, local }) => statementFor(qualified, local));
  const brought = addImports(plain, readPython(plain).facts, statements);
  return applyEdits(plain, brought, facts.layout.lineBreak) === header;
}

/** Whether anything beside the import mentions the name: an import that was never used is the user's. */
const wasUsed = (text: string, { local, statement }: ImportBinding): boolean =>
  new RegExp(`(?<![\\w.])${local}(?!\\w)`).test(text.slice(0, statement.from) + text.slice(statement.to));

/** Import lines, and the blank line below where they were a group of their own. */
function withGap(text: string, all: readonly ImportBinding[], run: Edit): Edit {
  const above = all.some(({ statement }) => wholeLine(text, statement.from, statement.to).to === run.from);
  const blank = /^[ \t]*(?:\r\n|\r|\n)/.exec(text.slice(run.to))?.[0].length ?? 0;
  return above ? run : edit(run.from, run.to + blank);
}
