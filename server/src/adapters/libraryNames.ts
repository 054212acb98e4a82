/** Names of libraries in a user's file: used as the file has them, else imported beside what it imports already. */
import type { Call, ImportBinding, Range } from "../python/facts";
import type { SourceFile } from "./definitions";
import { type Edit, edit } from "./edits";
import { addNames, comesInPlaceOf, readFromImport, removeNames } from "./importedNames";
import { addImports, isTopLevel, spelling } from "./imports";
import { isTaken } from "./manner";
import { wholeLine } from "./callSites/callSite";

export interface Named {
  /** How the file writes it. */
  readonly written: string;
  readonly edits: readonly Edit[];
}

/** A name by any of the paths from which it can be imported; undefined where the file calls something else so. */
export function named(file: SourceFile, paths: readonly string[]): Named | undefined {
  const { facts, text } = file;
  for (const path of paths) {
    const written = spelling(facts, text, path);
    if (written !== undefined) return { written, edits: [] };
  }
  const [first = ""] = paths;
  const [module, name] = parts(first);
  if (module === "torch" && !isTaken(file, module, module))
    return { written: first, edits: addImports(text, facts, [{ module }]) };
  return isTaken(file, name, first)
    ? undefined
    : { written: name, edits: addImports(text, facts, [{ module, name }]) };
}

/** Several names of one module, imported together; undefined where the file calls something else so. */
export function namedTogether(
  file: SourceFile,
  module: string,
  names: readonly string[],
): { readonly written: readonly string[]; readonly edits: readonly Edit[] } | undefined {
  const { facts, text } = file;
  const present = names.map((name) => spelling(facts, text, `${module}.${name}`));
  const lacking = names.filter((_, index) => present[index] === undefined);
  if (lacking.some((name) => isTaken(file, name, `${module}.${name}`))) return undefined;
  return {
    written: names.map((name, index) => present[index] ?? name),
    edits: addImports(
      text,
      facts,
      lacking.map((name) => ({ module, name })),
    ),
  };
}

/** What a call names, in the place of another name of its library; the import of the old name goes with its last use. */
export function renamedCallee(file: SourceFile, call: Call, paths: readonly string[]): Named | undefined {
  const { facts, text } = file;
  const old = text.slice(call.callee.from, call.callee.to);
  const [, name] = parts(paths[0] ?? "");
  const bindings = facts.imports.filter(({ local }) => local === old);
  const [binding] = bindings;
  const statement = binding && readFromImport(text, binding.statement);
  const isThere = paths.some((path) => spelling(facts, text, path) !== undefined);
  const unused = bindings.length === 1 ? withoutUnused(file, [old], [call.callee]) : [];
  if (isThere || binding === undefined || statement === undefined || bindings.length > 1) {
    const found = named(file, paths);
    return found && { written: found.written, edits: [...found.edits, ...unused] };
  }
  if (isTaken(file, name, paths[0])) return undefined;
  if (!paths.includes(`${statement.module}.${name}`)) {
    const found = named(file, paths);
    return found && { written: found.written, edits: [...found.edits, ...unused] };
  }
  const isReplaced =
    !isUsed(file, old, [call.callee]) &&
    (statement.names.length === 1 || comesInPlaceOf(statement, name, binding.nameRange));
  const edits = isReplaced
    ? [edit(binding.nameRange.from, (binding.aliasRange ?? binding.nameRange).to, name)]
    : [...addNames(text, statement, [name]), ...unused];
  return { written: name, edits };
}

/** Imports of names that nothing mentions outside `gone` leave; those in blocks of their own stay. */
export function withoutUnused(
  file: SourceFile,
  locals: readonly string[],
  gone: readonly Range[],
): readonly Edit[] {
  const { facts, text } = file;
  const leaving = facts.imports.filter(({ local }) => locals.includes(local) && !isUsed(file, local, gone));
  const statements = new Map<number, ImportBinding[]>();
  for (const binding of facts.imports)
    statements.set(binding.statement.from, [...(statements.get(binding.statement.from) ?? []), binding]);
  return [...statements.values()].flatMap((bindings) => {
    const out = bindings.filter((each) => leaving.includes(each));
    const [first] = out;
    if (first === undefined) return [];
    const { from, to } = first.statement;
    if (out.length === bindings.length) return isTopLevel(text, from) ? [wholeLine(text, from, to)] : [];
    const statement = readFromImport(text, first.statement);
    return statement === undefined
      ? []
      : removeNames(
          text,
          statement,
          out.map(({ nameRange }) => nameRange),
        );
  });
}

const parts = (path: string): readonly [string, string] => {
  const dot = path.lastIndexOf(".");
  return [path.slice(0, dot), path.slice(dot + 1)];
};

/** Whether code mentions a name besides imports, prose and `except`. */
function isUsed({ facts, text }: SourceFile, name: string, except: readonly Range[]): boolean {
  const silent: Range[] = [
    ...except,
    ...facts.imports.map(({ statement }) => statement),
    ...facts.prose.filter(({ kind }) => kind !== "string").map(({ range }) => range),
  ];
  return [...text.matchAll(new RegExp(`(?<![\\w.])${name.replaceAll(".", "\\.")}(?!\\w)`, "g"))].some(
    ({ index }) => !silent.some(({ from, to }) => from <= index && index < to),
  );
}
