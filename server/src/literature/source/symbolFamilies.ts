/**
 * What symbols of a library take over from each other: fields that several share, fields and methods of the class they
 * extend, the members of an enumeration.
 */
import type { LibrarySymbol, SymbolField } from "../catalogue";
import type { Corpus } from "../model";
import type { FieldPath, Problem } from "./problems";
import type { SymbolsFile, SymbolSource, SymbolsSource } from "./symbols";

/** Completes the symbols of all files; `base` has those of a corpus below, which may be named too. */
export function completeSymbols(files: readonly SymbolsSource[], base: Corpus | undefined): SymbolsFile[] {
  const families = new Map(
    [...new Set(files.map(({ library }) => library))].map((library) => [
      library,
      new Family(
        files.filter((file) => file.library === library),
        (base?.symbols ?? []).filter((symbol) => symbol.library === library),
      ),
    ]),
  );
  return files.map((file) => {
    const family = families.get(file.library);
    const problems: Problem[] = [...file.yaml.problems];
    const symbols = file.symbols.map((source, index) => {
      const wrong = (at: FieldPath, message: string): void => {
        problems.push(file.yaml.problem(["symbols", index, ...at], message));
      };
      family?.check(source, wrong);
      return complete(source, file.library, family);
    });
    const members = file.symbols.flatMap((source, index) => membersOf(source, symbols[index]));
    return { yaml: file.yaml, symbols: [...symbols, ...members], problems };
  });
}

function complete(source: SymbolSource, library: string, family: Family | undefined): LibrarySymbol {
  const { returns, ...own } = source;
  const result = returns === undefined ? undefined : family?.pathsOf(returns)[0];
  return {
    ...own,
    library,
    qualified: family?.paths(source) ?? [],
    papers: source.papers ?? [],
    methods: source.methods ?? [],
    fields: family?.fields(source) ?? [],
    ...(result === undefined ? {} : { returns: result }),
  };
}

/** `TaskType.CAUSAL_LM`, by every path of `TaskType`. */
function membersOf(source: SymbolSource, owner: LibrarySymbol | undefined): LibrarySymbol[] {
  if (owner === undefined) return [];
  return (source.values ?? []).map(({ value, meaning, papers = [] }) => ({
    name: `${owner.name}.${value}`,
    qualified: owner.qualified.map((path) => `${path}.${value}`),
    library: owner.library,
    kind: "value",
    summary: meaning,
    papers,
    methods: [],
    fields: [],
  }));
}

/** The symbols of one library by name. */
class Family {
  private readonly shared: ReadonlyMap<string, SymbolField>;
  private readonly sources: ReadonlyMap<string, SymbolSource>;
  private readonly below: ReadonlyMap<string, LibrarySymbol>;
  /** Name of the symbol of the method that a class brings itself, by `Class.method`. */
  private readonly bringers = new Map<string, string>();

  constructor(files: readonly SymbolsSource[], below: readonly LibrarySymbol[]) {
    this.shared = new Map(files.flatMap(({ fields }) => fields.map((field) => [field.name, field])));
    this.sources = new Map(files.flatMap(({ symbols }) => symbols.map((symbol) => [symbol.name, symbol])));
    this.below = new Map(below.map((symbol) => [symbol.name, symbol]));
    for (const source of this.sources.values())
      for (const owner of source.of ?? [])
        this.bringers.set(`${owner}.${lastName(source.name)}`, source.name);
  }

  /** Names that lead nowhere. */
  check(source: SymbolSource, wrong: (at: FieldPath, message: string) => void): void {
    const unknown = (at: FieldPath, name: string | undefined): void => {
      if (name === undefined || this.sources.has(name) || this.below.has(name)) return;
      wrong(at, `names the symbol "${name}", which this library does not have: write its name, or add it`);
    };
    if (source.qualified === undefined && source.of === undefined)
      wrong([], `needs qualified, every path by which ${source.name} can be imported`);
    unknown(["extends"], source.extends);
    source.includes?.forEach((name, index) => {
      unknown(["includes", index], name);
    });
    if ((source.kind === "file") !== (source.recognised !== undefined))
      wrong(["kind"], "must be file exactly where recognised says by which keys one knows such a file");
    unknown(["returns"], source.returns);
    unknown(["removed", "instead"], source.removed?.instead);
    unknown(["deprecated", "instead"], source.deprecated?.instead);
    source.of?.forEach((owner, index) => {
      unknown(["of", index], owner);
    });
    source.fields?.forEach((field, index) => {
      if (typeof field === "string" && !this.shared.has(field))
        wrong(["fields", index], `names the field "${field}": add it to the fields of the library`);
    });
    if (this.lineage(source).includes(source.name)) wrong(["extends"], "leads back to the symbol itself");
  }

  /** Its own fields, then what it inherits. */
  fields(source: SymbolSource): readonly SymbolField[] {
    const found = new Map<string, SymbolField>();
    const add = (fields: readonly (SymbolField | string)[]): void => {
      for (const each of fields) {
        const field = typeof each === "string" ? this.shared.get(each) : each;
        if (field !== undefined && !found.has(field.name)) found.set(field.name, field);
      }
    };
    const addFrom = (start: SymbolSource): void => {
      add(start.fields ?? []);
      for (const name of this.lineage(start))
        add(this.sources.get(name)?.fields ?? this.below.get(name)?.fields ?? []);
    };
    addFrom(source);
    for (const name of source.includes ?? []) {
      const included = this.sources.get(name);
      if (included === undefined) add(this.below.get(name)?.fields ?? []);
      else addFrom(included);
    }
    return [...found.values()];
  }

  /** Every path; those of a method follow from the classes that have it. */
  paths({ name, qualified = [], of }: SymbolSource): readonly string[] {
    if (of === undefined) return qualified;
    const member = lastName(name);
    const heirs = [...this.sources.keys()].filter(
      (each) => !of.includes(each) && this.bringer(each, member) === name,
    );
    const owners = [...of, ...heirs].flatMap((owner) => this.pathsOf(owner));
    return [...new Set([...qualified, ...owners.map((path) => `${path}.${member}`)])];
  }

  pathsOf(name: string): readonly string[] {
    return this.sources.get(name)?.qualified ?? this.below.get(name)?.qualified ?? [];
  }

  /** Name of the method's symbol for a class: its own, else that of the nearest class it extends. */
  private bringer(name: string, member: string): string | undefined {
    const source = this.sources.get(name);
    const classes = [name, ...(source === undefined ? [] : this.lineage(source))];
    return classes.map((each) => this.bringers.get(`${each}.${member}`)).find((each) => each !== undefined);
  }

  /** The symbols that it extends, nearest first; ends where it would come round. */
  private lineage({ extends: first }: SymbolSource): string[] {
    const found: string[] = [];
    for (let name = first; name !== undefined && !found.includes(name);) {
      found.push(name);
      name = this.sources.get(name)?.extends;
    }
    return found;
  }
}

const lastName = (name: string): string => name.slice(name.lastIndexOf(".") + 1);
