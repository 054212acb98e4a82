/** Brings a method's Python into a file: only what it lacks, under names that are free, in the file's manner. */
import type { PythonDefinition, PythonSource } from "../literature/model";
import { readPython } from "../python/document";
import type { PythonFacts } from "../python/facts";
import { type Edit, insertion } from "./edits";
import { addImports, importHeader, type ImportStatement, isTopLevel, spelling, takenNames } from "./imports";

export interface SourceFile {
  readonly text: string;
  readonly facts: PythonFacts;
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

const firstLine = (docstring: string | undefined): string => docstring?.trim().split("\n")[0]?.trim() ?? "";

/** Whether the file's own `name` is this very definition, inserted before (the docstring's first line names method and paper). */
function isOurs(file: SourceFile, definition: PythonDefinition): boolean {
  const own = file.facts.definitions.find(({ name }) => name === definition.name);
  if (own === undefined) return false;
  const ours = readPython(definition.source).facts.definitions[0];
  if (definition.kind !== "variable" && firstLine(ours?.docstring) !== "") {
    return firstLine(ours?.docstring) === firstLine(own.docstring);
  }
  return file.text.slice(own.range.from, own.range.to).trim() === definition.source.trim();
}

/** A class that a sibling module exports under this name: `from adapters import LoRALinear`. */
const isImportedFromSibling = (file: SourceFile, name: string): string | undefined =>
  file.facts.imports.find(
    ({ qualified }) =>
      qualified.endsWith(`.${name}`) && !/^(torch|peft|transformers|loralib)\./.test(qualified),
  )?.local;

function freeName(name: string, taken: ReadonlySet<string>): string {
  for (let number = 2; ; number++) if (!taken.has(`${name}${number}`)) return `${name}${number}`;
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
  siblings: readonly Sibling[] = [],
): Brought {
  const taken = takenNames(file.facts);
  const names = new Map<string, string>();
  const missing: PythonDefinition[] = [];
  const statements: ImportStatement[] = [];
  const siblingWith = (definition: PythonDefinition): Sibling | undefined =>
    siblings.find((sibling) => isOurs(sibling.file, definition));
  const present = (definition: PythonDefinition): string | undefined =>
    isImportedFromSibling(file, definition.name) ?? (isOurs(file, definition) ? definition.name : undefined);
  const isGiven = (definition: PythonDefinition): boolean =>
    present(definition) !== undefined || siblingWith(definition) !== undefined;
  for (const definition of closure(sources, wanted, isGiven)) {
    const own = present(definition);
    if (own !== undefined) {
      names.set(definition.name, own);
      continue;
    }
    const name = taken.has(definition.name) ? freeName(definition.name, taken) : definition.name;
    taken.add(name);
    names.set(definition.name, name);
    const sibling = siblingWith(definition);
    if (sibling === undefined) missing.push(definition);
    else statements.push({ module: sibling.module, name: definition.name, alias: name });
  }
  if (missing.length === 0) return { edits: addImports(file.text, file.facts, statements), names };

  const renames = new Map([...names].filter(([from, to]) => from !== to));
  const bodies = missing.map(({ source }) => source).join("\n");
  const imports = sources
    .filter((source) => source.definitions.some((each) => missing.includes(each)))
    .flatMap((source) => source.imports);
  for (const binding of readPython(`${imports.join("\n")}\n`).facts.imports) {
    if (renames.has(binding.local) || !mentions(bodies, binding.local)) continue;
    const known = spelling(file.facts, file.text, binding.qualified);
    const wantedAlready = statements.some(
      (each) => (each.alias ?? each.name ?? each.module) === binding.local,
    );
    if (known !== undefined) {
      if (known !== binding.local) renames.set(binding.local, known);
    } else if (!wantedAlready) {
      const alias = taken.has(binding.local) ? freeName(binding.local, taken) : binding.local;
      if (alias !== binding.local) renames.set(binding.local, alias);
      taken.add(alias);
      statements.push(statementFor(binding.qualified, alias));
    }
  }
  const written = missing.map(({ source }) => inManner(renamed(source.trimEnd(), renames), file.facts));
  if (file.text.trim() === "") {
    const parts = [importHeader(statements), ...written].filter((part) => part !== "");
    return { edits: [insertion(file.text.length, `${parts.join("\n\n\n")}\n`)], names };
  }
  return {
    edits: [...addImports(file.text, file.facts, statements), placeDefinitions(file, written, at)],
    names,
  };
}

function statementFor(qualified: string, alias: string): ImportStatement {
  const dot = qualified.lastIndexOf(".");
  return dot < 0
    ? { module: qualified, alias }
    : { module: qualified.slice(0, dot), name: qualified.slice(dot + 1), alias };
}

const identifier = (name: string): RegExp => new RegExp(`(?<![\\w.])${name}(?!\\w)`, "g");
const mentions = (source: string, name: string): boolean => identifier(name).test(source);

/** Renames free identifiers, leaving comments, strings, attributes and keyword arguments alone. */
function renamed(source: string, renames: ReadonlyMap<string, string>): string {
  if (renames.size === 0) return source;
  const prose = readPython(source).facts.prose;
  const inProse = (offset: number): boolean =>
    prose.some(({ range }) => range.from <= offset && offset < range.to);
  return source.replace(/(?<![\w.])[A-Za-z_]\w*/g, (name, offset: number) =>
    inProse(offset) ? name : (renames.get(name) ?? name),
  );
}

/** The file's indentation and quotes; line breaks follow when edits are made. */
function inManner(source: string, { layout }: PythonFacts): string {
  let result = source;
  if (layout.quote === "'") {
    const strings = readPython(source)
      .facts.prose.filter(({ kind }) => kind === "string")
      .toReversed();
    for (const { range } of strings) {
      const literal = result.slice(range.from, range.to);
      const simple = /^([a-zA-Z]*)"([^"'\\\n]*)"$/.exec(literal);
      if (simple !== null)
        result = `${result.slice(0, range.from)}${simple[1]}'${simple[2]}'${result.slice(range.to)}`;
    }
  }
  return layout.indent === "    "
    ? result
    : result.replace(/^(?: {4})+/gm, (spaces) => layout.indent.repeat(spaces.length / 4));
}

function placeDefinitions(file: SourceFile, written: readonly string[], at: number | "end"): Edit {
  const { text } = file;
  if (at === "end") {
    const lead = file.facts.layout.endsWithLineBreak ? "\n\n" : "\n\n\n";
    return insertion(text.length, `${lead}${written.join("\n\n\n")}\n`);
  }
  const above = text.slice(0, at);
  const blank = /(\r\n|\r|\n)*$/.exec(above.slice(-8))?.[0].match(/\r\n|\r|\n/g)?.length ?? 0;
  const lead = above.trim() === "" ? "" : "\n".repeat(Math.max(0, 3 - blank));
  return insertion(at, `${lead}${written.join("\n\n\n")}\n\n\n`);
}

/** Start of the top-level statement around `offset`, its decorators and the comment directly above included. */
export function topLevelStart(file: SourceFile, offset: number): number {
  const { text } = file;
  const around = file.facts.definitions.find(({ range }) => range.from <= offset && offset < range.to);
  let start = around?.range.from ?? lineStart(text, offset);
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

/** A new or grown sibling module, and what the user's file imports from it. */
export function importFrom(file: SourceFile, module: string, names: readonly string[]): Edit[] {
  if (names.length === 0) return [];
  const relative = file.facts.imports.some(({ statement }) =>
    /^from\s+\./.test(file.text.slice(statement.from, statement.to)),
  );
  return addImports(file.text, file.facts, [
    { module: relative ? `.${module}` : module, name: names.join(", ") },
  ]);
}
