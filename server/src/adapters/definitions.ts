/** Brings a method's Python into a file: only what it lacks, under names that are free, in the file's manner. */
import type { PythonDefinition, PythonSource } from "../literature/model";
import { readPython } from "../python/document";
import type { ImportBinding, PythonFacts } from "../python/facts";
import { type Edit, insertion } from "./edits";
import { closingBracket, topLevelParts } from "./brackets";
import { addImports, importHeader, type ImportStatement, inTyping, isTopLevel, spelling } from "./imports";
import { inManner, isTaken, renamed } from "./manner";
import { numbered } from "./numbered";
import type { ProjectManner } from "./projectManner";

export interface SourceFile {
  readonly text: string;
  readonly facts: PythonFacts;
  /** What the project's configuration says of its code, where that was read. */
  readonly project?: ProjectManner;
}

export interface Brought {
  readonly edits: readonly Edit[];
  /** Name in the method's Python → name by which the file now has it. */
  readonly names: ReadonlyMap<string, string>;
}

/** A module that the file imports from, with its text: what it has of ours is imported and not written again. */
export interface Sibling {
  /** As the file writes it: `gpt`, `.gpt`. */
  readonly module: string;
  readonly file: SourceFile;
}

/** The wanted definitions and all they need, in the order of their sources; what is `given` needs nothing more. */
function closure(
  sources: readonly PythonSource[],
  wanted: readonly string[],
  given: (definition: PythonDefinition) => boolean,
): PythonDefinition[] {
  const all = sources.flatMap((source) => source.definitions);
  const needed = new Set<string>();
  const visit = (name: string): void => {
    if (needed.has(name)) return;
    needed.add(name);
    const definition = all.find((each) => each.name === name);
    if (definition !== undefined && !given(definition)) definition.needs.forEach(visit);
  };
  wanted.forEach(visit);
  return all.filter(
    (definition, index) =>
      needed.has(definition.name) && all.findIndex(({ name }) => name === definition.name) === index,
  );
}

/** Line breaks of a docstring may have moved. */
const asWords = (text: string): string => text.trim().split(/\s+/).join(" ");

const firstLine = (docstring: string | undefined): string => asWords(docstring?.trim().split("\n")[0] ?? "");

/**
 * Whether the file's own `name` is this very definition, inserted before (the docstring's first line names method and
 * paper), and can still be called as we call it.
 */
function isOurs(file: SourceFile, definition: PythonDefinition): boolean {
  const own = file.facts.definitions.find(({ name }) => name === definition.name);
  if (own === undefined) return false;
  const ours = readPython(definition.source).facts.definitions[0];
  const text = file.text.slice(own.range.from, own.range.to);
  const sign = firstLine(ours?.docstring);
  if (definition.kind === "variable" || sign === "") return asWords(text) === asWords(definition.source);
  return asWords(own.docstring ?? "").startsWith(sign) && takesCallsOf(text, definition);
}

/** Whether a definition that a user may have edited still has the parameters, and asks for no others. */
function takesCallsOf(text: string, { name, kind, source }: PythonDefinition): boolean {
  const callee = kind === "class" ? "__init__" : name;
  const own = parametersOf(text, callee);
  const ours = parametersOf(source, callee);
  if (own === undefined || ours === undefined) return own === ours;
  return (
    [...ours.keys()].every((each) => own.has(each) || own.has("**")) &&
    [...own].every(([each, isOptional]) => isOptional || ours.has(each))
  );
}

/** The names of a function's parameters, and whether a call may leave each out; undefined where there is no function. */
function parametersOf(source: string, name: string): Map<string, boolean> | undefined {
  const head = new RegExp(`^[ \\t]*def[ \\t]+${name}[ \\t]*\\(`, "m").exec(source);
  const open = head === null ? 0 : head.index + head[0].length - 1;
  const close = head === null ? undefined : closingBracket(source, open);
  if (close === undefined) return undefined;
  const list = source.slice(open + 1, close).replace(/#[^\r\n]*/g, "");
  return new Map(
    topLevelParts(list).flatMap((part) => {
      if (/^\*(?!\*)|^\/$/.test(part)) return [];
      const [parameter = ""] = /^(?:\*\*|\w+)/.exec(part) ?? [];
      return [[parameter, parameter === "**" || part.includes("=")] as const];
    }),
  );
}

/**
 * The local name of a class that the file imports: `from adapters import LoRALinear`. Where the modules of the project
 * were read, it must stand in one of them as we wrote it.
 */
function importedOurs(
  { facts }: SourceFile,
  definition: PythonDefinition,
  siblings: readonly Sibling[] | undefined,
): string | undefined {
  const end = `.${definition.name}`;
  return facts.imports.find(({ qualified }) => {
    if (!qualified.endsWith(end) || /^(torch|peft|transformers|loralib)\./.test(qualified)) return false;
    if (siblings === undefined) return true;
    return holdsOurs(qualified.slice(0, -end.length), definition, siblings);
  })?.local;
}

/** Whether a module has the definition, or a package hands on that of one of its modules. */
function holdsOurs(
  module: string,
  definition: PythonDefinition,
  siblings: readonly Sibling[],
  handedOn = false,
): boolean {
  return siblings
    .filter((each) => each.module === module)
    .some(
      ({ file }) =>
        isOurs(file, definition) ||
        (!handedOn &&
          file.facts.imports
            .filter(({ local, qualified }) => local === definition.name && qualified.endsWith(`.${local}`))
            .flatMap((binding) => definingModules(module, binding))
            .some((home) => holdsOurs(home, definition, siblings, true))),
    );
}

/** Where a name that a module imports may be defined, as a file that imports the module would write it: `parts.block`. */
export function definingModules(module: string, { qualified }: Pick<ImportBinding, "qualified">): string[] {
  const home = qualified.slice(0, qualified.lastIndexOf("."));
  if (!home.startsWith(".")) return [home];
  // of a package `.block` is inside it, of a module beside it
  const folder = module.replace(/\.?\w+$/, "");
  return [`${module}${home}`, `${folder}${folder === "" ? home.slice(1) : home}`];
}

/**
 * Edits that make `wanted` available in `file`.
 * @param at start of the top-level statement above which definitions go, or "end" to append them.
 */
export function bringDefinitions(
  file: SourceFile,
  sources: readonly PythonSource[],
  wanted: readonly string[],
  at: number | "end",
  siblings?: readonly Sibling[],
): Brought {
  const given = new Set<string>();
  const taken = (name: string, qualified?: string): boolean =>
    given.has(name) || isTaken(file, name, qualified);
  const free = (name: string, qualified?: string): string => {
    const found = numbered(name, (each) => taken(each, each === name ? qualified : undefined));
    given.add(found);
    return found;
  };
  const names = new Map<string, string>();
  const missing: PythonDefinition[] = [];
  const statements: ImportStatement[] = [];
  const siblingWith = (definition: PythonDefinition): Sibling | undefined =>
    siblings?.find(({ module }) => holdsOurs(module, definition, siblings));
  const present = (definition: PythonDefinition): string | undefined =>
    importedOurs(file, definition, siblings) ?? (isOurs(file, definition) ? definition.name : undefined);
  const isGiven = (definition: PythonDefinition): boolean =>
    present(definition) !== undefined || siblingWith(definition) !== undefined;
  for (const definition of closure(sources, wanted, isGiven)) {
    const own = present(definition);
    if (own !== undefined) {
      names.set(definition.name, own);
      continue;
    }
    const name = free(definition.name);
    names.set(definition.name, name);
    const sibling = siblingWith(definition);
    if (sibling === undefined) missing.push(definition);
    else statements.push({ module: sibling.module, name: definition.name, alias: name, isLocal: true });
  }
  if (missing.length === 0) return { edits: addImports(file.text, file.facts, statements), names };

  const renames = new Map([...names].filter(([from, to]) => from !== to));
  const bodies = missing.map(({ source }) => source).join("\n");
  const imports = sources
    .filter((source) => source.definitions.some((each) => missing.includes(each)))
    .flatMap((source) => source.imports);
  for (const binding of readPython(`${imports.join("\n")}\n`).facts.imports) {
    if (renames.has(binding.local) || !mentions(bodies, binding.local)) continue;
    const known = knownAs(file, binding.qualified);
    const wantedAlready = statements.some(
      (each) => (each.alias ?? each.name ?? each.module) === binding.local,
    );
    if (known !== undefined) {
      if (known !== binding.local) renames.set(binding.local, known);
    } else if (!wantedAlready) {
      const alias = free(binding.local, binding.qualified);
      if (alias !== binding.local) renames.set(binding.local, alias);
      statements.push(statementFor(inTheFilesModule(file, binding.qualified), alias));
    }
  }
  const written = missing.map(({ source }) => inManner(renamed(source.trimEnd(), renames), file));
  if (file.text.trim() === "") {
    const parts = [importHeader(statements), ...written].filter((part) => part !== "");
    return { edits: [insertion(file.text.length, `${parts.join("\n\n\n")}\n`)], names };
  }
  return {
    edits: [...addImports(file.text, file.facts, statements), placeDefinitions(file, written, at)],
    names,
  };
}

const knownAs = ({ facts, text }: SourceFile, qualified: string): string | undefined =>
  spelling(facts, text, qualified) ?? spelling(facts, text, inTyping(qualified));

/** `typing.Mapping` for a file that imports its generic types from there. */
function inTheFilesModule({ facts }: SourceFile, qualified: string): string {
  const has = (pattern: RegExp): boolean => facts.imports.some((each) => pattern.test(each.qualified));
  const usesTyping = has(/^typing\.(?:Optional|Union|List|Dict|Tuple|Set|Type|Callable|Sequence|Iterable)$/);
  return usesTyping && !has(/^collections\.abc\./) ? inTyping(qualified) : qualified;
}

/** The import statement that binds `alias` to what is called `qualified`. */
export function statementFor(qualified: string, alias: string): ImportStatement {
  const dot = qualified.lastIndexOf(".");
  return dot < 0
    ? { module: qualified, alias }
    : { module: qualified.slice(0, dot), name: qualified.slice(dot + 1), alias };
}

const identifier = (name: string): RegExp => new RegExp(`(?<![\\w.])${name}(?!\\w)`, "g");
const mentions = (source: string, name: string): boolean => identifier(name).test(source);

function placeDefinitions(file: SourceFile, written: readonly string[], at: number | "end"): Edit {
  const { text } = file;
  if (at === "end") {
    const lead = file.facts.layout.endsWithLineBreak ? "\n\n" : "\n\n\n";
    return insertion(text.length, `${lead}${written.join("\n\n\n")}\n`);
  }
  const above = text.slice(0, at);
  if (above.trim() === "") return insertion(at, written.map((each) => `${each}\n\n\n`).join(""));
  // One blank line between definitions where the file has one; below stays as much as stood above.
  const breaks = Math.min(3, trailingBreaks(above));
  const next = file.facts.definitions.find(({ kind, range }) => kind !== "variable" && range.from >= at);
  const isDefinition = next !== undefined && /^(?:#.*\s+)*$/.test(text.slice(at, next.range.from));
  const gap = "\n".repeat(isDefinition && breaks === 2 ? 2 : 3);
  return insertion(at, `${gap.slice(breaks)}${written.join(gap)}${"\n".repeat(breaks)}`);
}

/** How many line breaks a text ends with. */
export const trailingBreaks = (text: string): number =>
  /(?:\r\n|\r|\n)*$/.exec(text.slice(-16))?.[0].match(/\r\n|\r|\n/g)?.length ?? 0;

/** Start of the top-level statement around `offset`, its decorators and the comment directly above included. */
export function topLevelStart(file: SourceFile, offset: number): number {
  const { text } = file;
  const around = file.facts.definitions.find(({ range }) => range.from <= offset && offset < range.to);
  let start = lineStart(text, around?.range.from ?? offset);
  while (start > 0 && /^(?:\s|\)|\]|\}|$)/.test(text.slice(start, start + 1)))
    start = lineStart(text, start - 1);
  for (;;) {
    const previous = start === 0 ? -1 : lineStart(text, start - 1);
    if (previous < 0 || text[previous] !== "#" || /^#(?:!|.*coding[:=])/.test(text.slice(previous, start)))
      break;
    start = previous;
  }
  return start;
}

export function lineStart(text: string, offset: number): number {
  let start = offset;
  while (!isTopLevel(text, start)) start--;
  return start;
}

/** What the user's file imports from a sibling module: names there, by names here. */
export function importFrom(file: SourceFile, module: string, names: ReadonlyMap<string, string>): Edit[] {
  const { facts, text } = file;
  const relative = facts.imports.some(({ statement }) =>
    /^from\s+\./.test(text.slice(statement.from, statement.to)),
  );
  const written = relative ? `.${module}` : module;
  const statements = [...names].flatMap(([name, alias]) =>
    facts.imports.some(({ local, qualified }) => local === alias && qualified === `${written}.${name}`)
      ? []
      : [{ module: written, name, alias, isLocal: true }],
  );
  return addImports(text, facts, statements);
}
