/** A configuration file of a library: YAML whose keys are the arguments of the symbol that stands for such files. */
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Entry, Mapping, Tree } from "../../configuration/tree";
import type { Library } from "../../literature/library";
import type { LibrarySymbol, SymbolField } from "../../literature/catalogue";
import type { Call, Range } from "../../python/facts";

export interface ConfigurationDocument {
  readonly uri: string;
  readonly text: TextDocument;
  /** What the library calls such a file; its fields are the keys. */
  readonly symbol: LibrarySymbol;
  readonly tree: Tree;
}

/** No configuration is longer; a longer file is not even looked at. */
const longest = 100_000;

/** What kind of configuration file this certainly is, by the keys at its top; undefined for any other YAML. */
export function recognise(library: Library, text: string): LibrarySymbol | undefined {
  if (text.length > longest) return undefined;
  let keys: ReadonlySet<string> | undefined;
  return library.configurations().find(({ recognised }) => {
    if (recognised === undefined) return false;
    const { all, some, least } = recognised;
    keys ??= topKeys(text);
    const given = keys;
    return all.every((key) => given.has(key)) && some.filter((key) => given.has(key)).length >= least;
  });
}

const topKeys = (text: string): Set<string> =>
  new Set([...text.matchAll(/^(["']?)([\w.-]+)\1[ \t]*:(?=\s|$)/gm)].map(([, , key = ""]) => key));

/** A mapping whose keys are known: the file itself, or one that a field of a known type holds. */
export interface Section {
  readonly symbol: LibrarySymbol;
  readonly mapping: Mapping;
}

/** The file and all known mappings in it, outer before inner. */
export function sectionsOf(library: Library, { symbol, tree }: ConfigurationDocument): Section[] {
  const found: Section[] = [];
  const visit = (section: Section): void => {
    found.push(section);
    for (const { key, mappings } of section.mapping.entries) {
      const inner = sectionSymbol(library, section.symbol, fieldOf(section.symbol, key.name));
      if (inner !== undefined) for (const mapping of mappings) visit({ symbol: inner, mapping });
    }
  };
  visit({ symbol, mapping: tree.top });
  return found;
}

export const fieldOf = ({ fields }: LibrarySymbol, name: string): SymbolField | undefined =>
  fields.find((field) => field.name === name);

/** The symbol that a field's type names: `PeftConfig`, `list[Dataset]`. */
export function sectionSymbol(
  library: Library,
  owner: LibrarySymbol,
  field: SymbolField | undefined,
): LibrarySymbol | undefined {
  const names = field?.type?.match(/[A-Z]\w+/g) ?? [];
  return names
    .flatMap((name) => library.symbolsNamed(name))
    .find((symbol) => symbol.kind === "config" && symbol.library === owner.library);
}

/** The section as a call of its symbol, so that hovers and rules read it as they read Python. */
export function callOf({ symbol, mapping }: Section, complete: boolean): Call {
  const { range, entries } = mapping;
  // of a key that stands twice the last one counts
  const last = new Map(entries.map((entry) => [entry.key.name, entry]));
  const name = entries[0]?.key.range ?? { from: range.from, to: range.from };
  const [qualified] = symbol.qualified;
  return {
    range,
    callee: name,
    name,
    ...(qualified === undefined ? {} : { qualified }),
    argumentList: range,
    closed: complete,
    arguments: [...last.values()].map(({ key, range: whole, value, merge }) =>
      merge ? { range: whole, star: "**" as const, value } : { range: whole, keyword: key, value },
    ),
    statement: range,
  };
}

export interface EntryAt {
  readonly section: Section;
  readonly entry: Entry;
}

/** The innermost known section's key whose entry holds the offset. */
export function entryAt(
  library: Library,
  document: ConfigurationDocument,
  offset: number,
): EntryAt | undefined {
  return sectionsOf(library, document)
    .flatMap((section) => section.mapping.entries.map((entry) => ({ section, entry })))
    .findLast(({ entry }) => holds(entry.range, offset));
}

export const holds = ({ from, to }: Range, offset: number): boolean => from <= offset && offset < to;
