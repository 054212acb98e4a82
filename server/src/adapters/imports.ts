/** Imports in the file's own manner: what it already binds is used as it is, what is missing is added where it belongs. */
import { group } from "../group";
import type { ImportBinding, PythonFacts } from "../python/facts";
import { type Edit, insertion } from "./edits";
import { addNames, inOrder, readFromImport } from "./importedNames";
import { standardLibrary } from "./standardLibrary";

const root = (qualified: string): string => qualified.split(".")[0] ?? qualified;

/** How the file can already write `qualified`: `tnn.Linear` under `import torch.nn as tnn`; undefined where it cannot. */
export function spelling(facts: PythonFacts, text: string, qualified: string): string | undefined {
  const parts = qualified.split(".");
  for (let length = parts.length; length > 0; length--) {
    const prefix = parts.slice(0, length).join(".");
    const binding = facts.imports.find(
      (each) => each.qualified === prefix && isOfModule(facts, text, each.statement.from),
    );
    if (binding !== undefined) return [binding.local, ...parts.slice(length)].join(".");
  }
  return undefined;
}

export const isTopLevel = (text: string, offset: number): boolean =>
  offset === 0 || text[offset - 1] === "\n" || text[offset - 1] === "\r" || text[offset - 1] === "\ufeff";

/** Whether what a statement binds is there for the whole module, as it also is below a `try:` or an `if`. */
function isOfModule(facts: PythonFacts, text: string, offset: number): boolean {
  if (isTopLevel(text, offset)) return true;
  if (facts.definitions.some(({ range }) => range.from <= offset && offset < range.to)) return false;
  const headers = [...text.slice(0, offset).matchAll(/(?:^|[\r\n])([A-Za-z_][^\r\n]*)/g)];
  const header = headers.at(-1)?.[1] ?? "";
  return /^(?:try|if|with)\b/.test(header) && !/TYPE_CHECKING|__name__/.test(header);
}

/** What `collections.abc` and `typing` both have is the same to an annotation: the name in `typing`. */
export const inTyping = (qualified: string): string =>
  qualified.replace(
    /^collections\.abc\.(?=(?:Callable|Collection|Iterable|Iterator|Mapping|Sequence)$)/,
    "typing.",
  );

/** One import statement. */
export interface ImportStatement {
  readonly module: string;
  /** Absent: `import module`. */
  readonly name?: string;
  readonly alias?: string;
  /** A module of the project. */
  readonly isLocal?: boolean;
}

const renamed = (name: string, alias: string | undefined): string =>
  alias === undefined || alias === name ? name : `${name} as ${alias}`;

/** A statement as one line, and what its place depends on. */
interface Line {
  readonly text: string;
  readonly module: string;
  readonly isFrom: boolean;
  readonly section: Section;
}

/** The groups that imports stand in: of Python, of others, of the project. */
type Section = 0 | 1 | 2;

const sectionOf = ({ module, isLocal }: { module: string; isLocal?: boolean }): Section =>
  isLocal === true || module.startsWith(".") ? 2 : standardLibrary.has(root(module)) ? 0 : 1;

/** Statements as written, those of one module together. */
function linesOf(statements: readonly ImportStatement[]): Line[] {
  const whole = statements.flatMap((each): Line[] =>
    each.name === undefined
      ? [
          {
            text: `import ${renamed(each.module, each.alias)}`,
            module: each.module,
            isFrom: false,
            section: sectionOf(each),
          },
        ]
      : [],
  );
  const parts = group(
    statements.filter(({ name }) => name !== undefined),
    ({ module }) => module,
  );
  const froms = [...parts].map(([module, given]): Line => {
    const names = inOrder(given.map(({ name = "", alias }) => renamed(name, alias)));
    const isLocal = given.some((each) => each.isLocal === true);
    return {
      text: `from ${module} import ${names.join(", ")}`,
      module,
      isFrom: true,
      section: sectionOf({ module, isLocal }),
    };
  });
  return [...whole, ...froms];
}

/** Import statements of a new file: standard library first. */
export function importHeader(statements: readonly ImportStatement[]): string {
  const lines = linesOf(statements);
  const sections: readonly Section[] = [0, 1, 2];
  return sections
    .map((section) => blockOf(lines, section))
    .filter(Boolean)
    .join("\n\n");
}

const blockOf = (lines: readonly Line[], section: Section): string =>
  lines
    .filter((line) => line.section === section)
    .toSorted(byKind)
    .map(({ text }) => text)
    .join("\n");

type Keyed = Pick<Line, "module" | "isFrom">;
const key = ({ module }: Keyed): string => module.toLowerCase();
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
/** `import` lines above `from` lines, each by module. */
const byKind = (a: Keyed, b: Keyed): number => Number(a.isFrom) - Number(b.isFrom) || compare(key(a), key(b));
const byModule = (a: Keyed, b: Keyed): number => compare(key(a), key(b));

/** A statement that the file has at its top level. */
interface Existing extends Keyed {
  readonly section: Section;
  readonly range: ImportBinding["statement"];
}

function existingImports(text: string, facts: PythonFacts, localRoots: ReadonlySet<string>): Existing[] {
  const statements = new Map(facts.imports.map(({ statement }) => [statement.from, statement]));
  return [...statements.values()]
    .filter(({ from }) => from < facts.layout.importEnd && isTopLevel(text, from))
    .toSorted((a, b) => a.from - b.from)
    .flatMap((range): Existing[] => {
      const source = text.slice(range.from, range.to);
      const [, word, module = ""] = /^(import|from)\s+([\w.]+)/.exec(source) ?? [];
      if (module === "" || module === "__future__") return [];
      const isLocal = localRoots.has(root(module));
      return [{ module, isFrom: word === "from", section: sectionOf({ module, isLocal }), range }];
    });
}

/** Longest line that a name is added to where nothing says how long lines may be. */
const longestLine = 100;

/**
 * Edits that add import statements: names join the statement that imports from their module already, others go to
 * their group, in its order where it has one.
 */
export function addImports(text: string, facts: PythonFacts, statements: readonly ImportStatement[]): Edit[] {
  const localRoots = new Set(
    statements.filter(({ isLocal }) => isLocal === true).map(({ module }) => root(module)),
  );
  const existing = existingImports(text, facts, localRoots);
  const merged = mergedNames(text, existing, statements);
  const edits = [...merged.edits];
  const lines = linesOf(statements.filter((each) => !merged.done.has(each)));
  const rest: Line[] = [];
  for (const line of lines) {
    const at = placeAmong(existing, line);
    if (at === undefined) rest.push(line);
    else if (at.above) edits.push(insertion(at.range.from, `${line.text}\n`));
    else edits.push(insertion(lineEnd(text, at.range.to), `\n${line.text}`));
  }
  const groups = newGroups(text, facts, existing, rest);
  // at one place the standard library comes first
  return [...groups.above, ...edits, ...groups.below];
}

/** Names that join a statement of the file. */
function mergedNames(
  text: string,
  existing: readonly Existing[],
  statements: readonly ImportStatement[],
): { edits: Edit[]; done: ReadonlySet<ImportStatement> } {
  const done = new Set<ImportStatement>();
  const modules = new Set(statements.flatMap(({ module, name }) => (name === undefined ? [] : module)));
  const edits = [...modules].flatMap((module) => {
    const own = existing.find((each) => each.isFrom && each.module === module);
    const statement = own && readFromImport(text, own.range);
    if (own === undefined || statement === undefined) return [];
    const added = statements.filter((each) => each.module === module && each.name !== undefined);
    const names = added.map(({ name = "", alias }) => renamed(name, alias));
    const length = own.range.to - own.range.from + names.join(", ").length + 2;
    if (!statement.bracketed && length > longestLine) return [];
    added.forEach((each) => done.add(each));
    return addNames(text, statement, names);
  });
  return { edits, done };
}

/** The statement above or below which a line goes, in its group; undefined where the file has no such group. */
function placeAmong(
  existing: readonly Existing[],
  line: Line,
): { readonly above: boolean; readonly range: Existing["range"] } | undefined {
  const peers = existing.filter(({ section }) => section === line.section);
  const last = peers.at(-1);
  if (last === undefined) return undefined;
  const order = [byKind, byModule].find((by) =>
    peers.every((each, index) => index === 0 || by(peers[index - 1] ?? each, each) <= 0),
  );
  if (order !== undefined) {
    const next = peers.find((each) => order(line, each) < 0);
    return { above: next !== undefined, range: (next ?? last).range };
  }
  const kin = peers.filter(({ module }) => root(module) === root(line.module));
  const [first] = kin;
  if (!line.isFrom && first !== undefined && line.module === root(line.module))
    return { above: true, range: first.range };
  return { above: false, range: (kin.at(-1) ?? last).range };
}

/** End of the line, its comment included. */
const lineEnd = (text: string, offset: number): number =>
  offset + (/^[^\r\n]*/.exec(text.slice(offset))?.[0].length ?? 0);

/** Lines for which the file has no group: the standard library above all, the project's own below. */
function newGroups(
  text: string,
  facts: PythonFacts,
  existing: readonly Existing[],
  lines: readonly Line[],
): { above: Edit[]; below: Edit[] } {
  const above: Edit[] = [];
  const below: Edit[] = [];
  if (lines.length === 0) return { above, below };
  const block = (section: Section): string => blockOf(lines, section);
  if (existing.length === 0) {
    const sections: readonly Section[] = [0, 1, 2];
    const written = sections.map(block).filter(Boolean).join("\n\n");
    return { above, below: [atImportEnd(text, facts, written)] };
  }
  const separate = existing.some(
    ({ range }, index) =>
      index > 0 &&
      /(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)$/.test(text.slice(existing[index - 1]?.range.to, range.from)),
  );
  const [standard, others, own] = [block(0), block(1), block(2)];
  const [first] = existing;
  if (standard !== "" && first !== undefined) above.push(insertion(first.range.from, `${standard}\n\n`));
  for (const [section, written] of [
    [1, others],
    [2, own],
  ] as const) {
    if (written === "") continue;
    const previous = existing.findLast((each) => each.section < section);
    // the blank line that separates groups, where the file has any
    const gap = section === 1 || separate ? "\n\n" : "\n";
    if (previous !== undefined) below.push(insertion(lineEnd(text, previous.range.to), `${gap}${written}`));
    else if (first !== undefined) above.push(insertion(first.range.from, `${written}\n\n`));
  }
  return { above, below };
}

function atImportEnd(text: string, facts: PythonFacts, block: string): Edit {
  const at = facts.layout.importEnd;
  const above = text.slice(0, at);
  const lineStarts = above === "" || above === "\ufeff" || /[\r\n]$/.test(above);
  const lead = lineStarts ? "" : "\n";
  const gap =
    /\S/.test(above.replace("\ufeff", "")) && !/(?:\r\n|\r|\n)\s*(?:\r\n|\r|\n)$/.test(above) ? "\n" : "";
  const tail = lineStarts ? "\n\n" : "";
  return insertion(at, `${lead}${gap}${block}${tail}`);
}
