/** Imports in the file's own manner: what it already binds is used as it is, what is missing is added where it belongs. */
import type { ImportBinding, PythonFacts } from "../python/facts";
import { type Edit, insertion } from "./edits";

/** Standard-library modules, so that `import math` lands in their group. */
const standardLibrary = new Set(
  (
    "abc argparse asyncio collections contextlib copy csv dataclasses datetime enum functools glob inspect io itertools " +
    "json logging math operator os pathlib pickle random re shutil string subprocess sys tempfile time types typing " +
    "unittest urllib uuid warnings weakref zipfile"
  ).split(" "),
);

const root = (qualified: string): string => qualified.split(".")[0] ?? qualified;

/** How the file can already write `qualified`: `tnn.Linear` under `import torch.nn as tnn`; undefined where it cannot. */
export function spelling(facts: PythonFacts, text: string, qualified: string): string | undefined {
  const parts = qualified.split(".");
  for (let length = parts.length; length > 0; length--) {
    const prefix = parts.slice(0, length).join(".");
    const binding = facts.imports.find(
      (each) => each.qualified === prefix && isTopLevel(text, each.statement.from),
    );
    if (binding !== undefined) return [binding.local, ...parts.slice(length)].join(".");
  }
  return undefined;
}

export const isTopLevel = (text: string, offset: number): boolean =>
  offset === 0 || text[offset - 1] === "\n" || text[offset - 1] === "\r" || text[offset - 1] === "\ufeff";

/** Names that the file's top level gives a meaning to. */
export const takenNames = (facts: PythonFacts): Set<string> =>
  new Set([...facts.imports.map(({ local }) => local), ...facts.definitions.map(({ name }) => name)]);

/** One import statement. */
export interface ImportStatement {
  readonly module: string;
  /** Absent: `import module`. */
  readonly name?: string;
  readonly alias?: string;
}

/** Statements as written, those of one module together. */
function write(statements: readonly ImportStatement[]): string[] {
  const renamed = (name: string, alias: string | undefined): string =>
    alias === undefined || alias === name ? name : `${name} as ${alias}`;
  const whole = statements.flatMap(({ module, name, alias }) =>
    name === undefined ? [`import ${renamed(module, alias)}`] : [],
  );
  const parts = new Map<string, string[]>();
  for (const { module, name, alias } of statements) {
    if (name !== undefined) parts.set(module, [...(parts.get(module) ?? []), renamed(name, alias)]);
  }
  return [...whole, ...[...parts].map(([module, names]) => `from ${module} import ${names.join(", ")}`)];
}

/** Import statements of a new file: standard library first. */
export function importHeader(statements: readonly ImportStatement[]): string {
  return grouped(statements)
    .filter((group) => group.length > 0)
    .map((group) => group.join("\n"))
    .join("\n\n");
}

/** Lines of the standard library, and of everything else. */
function grouped(statements: readonly ImportStatement[]): [string[], string[]] {
  const isStandard = ({ module }: ImportStatement): boolean => standardLibrary.has(root(module));
  return [write(statements.filter(isStandard)), write(statements.filter((each) => !isStandard(each)))];
}

/** Edits that add import statements: standard library above the first other import, the rest after the last import. */
export function addImports(text: string, facts: PythonFacts, statements: readonly ImportStatement[]): Edit[] {
  const existing = facts.imports
    .filter((each) => isTopLevel(text, each.statement.from) && !each.qualified.startsWith("__future__"))
    .toSorted((a, b) => a.statement.from - b.statement.from);
  const edits: Edit[] = [];
  /** The first import of the same package: `import torch` goes above `import torch.nn as nn`. */
  const relative = ({ module, name }: ImportStatement): ImportBinding | undefined =>
    name === undefined ? existing.find((each) => root(each.qualified) === module) : undefined;
  const [standard, others] = grouped(statements.filter((each) => relative(each) === undefined));
  if (standard.length > 0) edits.push(standardEdit(text, facts, existing, standard));
  for (const statement of statements) {
    const below = relative(statement)?.statement;
    if (below !== undefined) edits.push(insertion(below.from, `${write([statement]).join("")}\n`));
  }
  if (others.length > 0) {
    edits.push(atImportEnd(text, facts, others, existing.length > 0 || standard.length > 0));
  }
  return edits;
}

/** End of the line, its comment included. */
const lineEnd = (text: string, offset: number): number =>
  offset + (/^[^\r\n]*/.exec(text.slice(offset))?.[0].length ?? 0);

const isSorted = (imports: readonly ImportBinding[]): boolean =>
  imports.every(({ qualified }, index) => index === 0 || (imports[index - 1]?.qualified ?? "") <= qualified);

function standardEdit(
  text: string,
  facts: PythonFacts,
  existing: readonly ImportBinding[],
  statements: readonly string[],
): Edit {
  const block = statements.join("\n");
  const ofLibrary = existing.filter((each) => standardLibrary.has(root(each.qualified)));
  const last = ofLibrary.at(-1);
  if (last !== undefined) {
    // where the file has an order: `import` lines by name, above the `from` lines
    const plain = ofLibrary.filter(({ statement }) => /^import\b/.test(text.slice(statement.from)));
    const name = /^import (\S+)/.exec(block)?.[1] ?? "";
    const sorted = statements.length === 1 && name !== "" && isSorted(plain);
    const next = sorted ? plain.find(({ qualified }) => qualified > name) : undefined;
    const start = (next ?? (sorted && plain.length === 0 ? ofLibrary[0] : undefined))?.statement.from;
    if (start !== undefined) return insertion(start, `${block}\n`);
    const above = (sorted ? plain.at(-1) : undefined) ?? last;
    return insertion(lineEnd(text, above.statement.to), `\n${block}`);
  }
  const first = existing[0];
  if (first !== undefined) return insertion(first.statement.from, `${block}\n\n`);
  return atImportEnd(text, facts, statements, false);
}

function atImportEnd(
  text: string,
  facts: PythonFacts,
  statements: readonly string[],
  follows: boolean,
): Edit {
  const at = facts.layout.importEnd;
  const before = text.slice(0, at);
  const lineStarts = before === "" || before === "\ufeff" || /[\r\n]$/.test(before);
  const lead = lineStarts ? "" : "\n";
  const gap = !follows && /\S/.test(before) && !/\n\s*\n$/.test(before) ? "\n" : "";
  const tail = lineStarts ? (follows ? "\n" : "\n\n") : "";
  return insertion(at, `${lead}${gap}${statements.join("\n")}${tail}`);
}
