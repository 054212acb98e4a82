/**
 * Other files of the project whose code runs over all parameters of a model that holds a class of this file: an
 * initialiser there would overwrite the start of an adapter that is inserted here.
 */
import { readPython } from "../python/document";
import type { ImportBinding, ModuleClass, Range } from "../python/facts";
import { holders } from "../python/names/neighbourhood";
import { accommodate, type Accommodation, initialisers, mayInitialise, unaccommodate } from "./accommodate";
import type { SourceFile } from "./definitions";
import { applyEdits, type Edit } from "./edits";
import { addImports, type ImportStatement } from "./imports";
import { isTaken } from "./manner";
import { numbered } from "./numbered";
import { withoutDefinitions } from "./leaving";

/** A file and those around it, of which some may import it. */
export interface Surroundings {
  /** Address of the file itself. */
  readonly uri: string;
  readonly files: readonly { readonly uri: string; readonly text: string }[];
  /** Addresses at which a module may be that a file calls so. */
  readonly addresses: (module: string, importer: string) => readonly string[];
}

export interface Importer {
  readonly uri: string;
  readonly file: SourceFile;
  /** How it writes the module that is edited: `transformer.sublayers`; undefined where its imports do not tell. */
  readonly module: string | undefined;
  readonly initialisers: readonly Accommodation[];
}

export interface ImporterEdits {
  readonly uri: string;
  readonly file: SourceFile;
  readonly edits: readonly Edit[];
}

/** Tests set parameters as they please. */
const isTest = /\/tests?\/|\/test_[^/]*$|_test\.py$/;

/** The files with an initialiser of all parameters that reaches `module`, a class of `file`. */
export function initialisingFiles(
  file: SourceFile,
  { name }: ModuleClass,
  surroundings: Surroundings,
): Importer[] {
  const project = new Project(file, surroundings);
  return surroundings.files.flatMap(({ uri, text }): Importer[] => {
    if (isTest.test(uri) || !mayInitialise(text)) return [];
    const other = project.file(uri);
    const found = other === undefined ? [] : initialisers(other);
    if (other === undefined || found.length === 0) return [];
    const reaching = found.filter(({ range }) => project.reaches(uri, range, name));
    return reaching.length === 0
      ? []
      : [{ uri, file: other, module: project.spelling(uri), initialisers: reaching }];
  });
}

/** The initialisers learn of the adapter `symbol`; `names` says what our Python is called in the file that has it. */
export function meetAdapter(
  { uri, file, module = "", initialisers: found }: Importer,
  symbol: string,
  names: ReadonlyMap<string, string>,
): ImporterEdits {
  const unaware = found.filter(({ adapters }) => !adapters.includes(symbol));
  const wanted =
    unaware.length === 0 ? [] : [symbol, ...unaware.map(({ helper }) => names.get(helper) ?? helper)];
  const here = new Map<string, string>();
  const statements: ImportStatement[] = [];
  for (const name of new Set(wanted)) {
    const own = file.facts.imports.find(({ qualified }) => qualified === `${module}.${name}`)?.local;
    const alias = own ?? numbered(name, (each) => isTaken(file, each));
    here.set(name, alias);
    if (own === undefined) statements.push({ module, name, alias, isLocal: true });
  }
  const called = new Map([...names].map(([name, there]) => [name, here.get(there) ?? there]));
  const edits = accommodate(unaware, here.get(symbol) ?? symbol, called);
  return { uri, file, edits: [...addImports(file.text, file.facts, statements), ...edits] };
}

/** What becomes of other files when an adapter class leaves this one. */
export interface Departure {
  readonly others: readonly ImporterEdits[];
  /** What they go on using of this file's definitions. */
  readonly used: ReadonlySet<string>;
}

/** Initialisers forget the adapter `symbol`, and imports of `names` go where nothing else mentions them. */
export function departure(
  file: SourceFile,
  symbol: string,
  names: ReadonlySet<string>,
  surroundings: Surroundings,
): Departure {
  const project = new Project(file, surroundings);
  const others: ImporterEdits[] = [];
  const used = new Set<string>();
  for (const { uri, text } of surroundings.files) {
    const other = text.includes(symbol) ? project.file(uri) : undefined;
    const brought = other?.facts.imports.filter((each) => project.isOurs(each, uri, names)) ?? [];
    if (other === undefined || brought.length === 0) continue;
    const forgotten = unaccommodate(other, symbol);
    const edits = [...forgotten, ...withoutDefinitions(other, forgotten, names, [])];
    const after = readPython(applyEdits(text, edits, "\n")).facts.imports;
    const left = brought.filter(({ qualified }) => after.some((each) => each.qualified === qualified));
    for (const { qualified } of left) used.add(qualified.slice(qualified.lastIndexOf(".") + 1));
    if (edits.length > 0) others.push({ uri, file: other, edits });
  }
  return used.has(symbol) ? { others: [], used } : { others, used };
}

/** Names and definitions of a few files, and how they lead from one to another. */
class Project {
  private readonly read = new Map<string, SourceFile>();
  private readonly texts: ReadonlyMap<string, string>;

  constructor(
    file: SourceFile,
    private readonly surroundings: Surroundings,
  ) {
    this.texts = new Map(surroundings.files.map(({ uri, text }) => [uri, text]));
    this.read.set(surroundings.uri, file);
  }

  file(uri: string): SourceFile | undefined {
    const known = this.read.get(uri);
    const text = this.texts.get(uri);
    if (known !== undefined || text === undefined) return known;
    const file = { text, facts: readPython(text).facts };
    this.read.set(uri, file);
    return file;
  }

  /** Whether the definition around a place of a file speaks of a class of ours, directly or through others. */
  reaches(uri: string, { from }: Range, name: string): boolean {
    const file = this.file(uri);
    const around = file?.facts.definitions.find(({ range }) => range.from <= from && from < range.to);
    const reached = new Set([key(uri, around?.name ?? "")]);
    for (const each of reached) {
      const [address = "", owner = ""] = each.split(separator);
      if (address === this.surroundings.uri && owner === name) return true;
      for (const next of this.mentioned(address, owner)) reached.add(next);
    }
    return false;
  }

  /** What a definition of a file speaks of; the whole file where the name is empty. */
  private mentioned(uri: string, name: string): string[] {
    const file = this.file(uri);
    if (file === undefined) return [];
    const { facts, text } = file;
    const own = facts.definitions.filter((each) => each.name === name);
    const spoken = own.length === 0 ? [text] : own.map(({ range }) => text.slice(range.from, range.to));
    const words = new Set(spoken.flatMap((each) => each.match(/[A-Za-z_]\w*/g) ?? []));
    // a name that the file only hands on
    const wanted = own.length === 0 && name !== "" ? new Set([name]) : words;
    const local = facts.definitions
      .filter((each) => wanted.has(each.name))
      .map((each) => key(uri, each.name));
    const imported = facts.imports
      .filter((each) => wanted.has(each.local) || each.local === "*")
      .flatMap(({ qualified }) => this.target(qualified, uri, wanted));
    return [...local, ...imported];
  }

  /** Where a qualified name leads: a definition of a file, or for a module what is said of it. */
  private target(qualified: string, importer: string, words: ReadonlySet<string>): string[] {
    const whole = this.found(qualified, importer);
    if (whole !== undefined) return [...words].map((word) => key(whole, word));
    for (const { module, names } of holders(qualified)) {
      const uri = this.found(module, importer);
      const [first] = names;
      if (uri === undefined || first === undefined) continue;
      return first === "*" ? [...words].map((word) => key(uri, word)) : [key(uri, first)];
    }
    return [];
  }

  /** Whether an import brings one of `names` from the file itself. */
  isOurs({ qualified }: ImportBinding, importer: string, names: ReadonlySet<string>): boolean {
    const [holder] = holders(qualified);
    return (
      holder !== undefined &&
      names.has(holder.names[0] ?? "") &&
      this.found(holder.module, importer) === this.surroundings.uri
    );
  }

  private found(module: string, importer: string): string | undefined {
    return this.surroundings
      .addresses(module, importer)
      .find((each) => each === this.surroundings.uri || this.texts.has(each));
  }

  /** How a file writes the module that is edited, as it writes others; undefined where it imports none that tells. */
  spelling(importer: string): string | undefined {
    const { uri } = this.surroundings;
    for (const { qualified } of this.file(importer)?.facts.imports ?? []) {
      for (const module of [qualified, ...[...holders(qualified)].map((each) => each.module)]) {
        const found = this.found(module, importer);
        if (found === undefined) continue;
        if (found === uri) return module;
        const [dots = ""] = /^\.*/.exec(module) ?? [];
        const path = module.slice(dots.length).replaceAll(".", "/");
        const base = found.slice(0, found.lastIndexOf(path));
        const rest = uri.startsWith(base) ? uri.slice(base.length).replace(/\.py$/, "") : "";
        if (/^\w+(?:\/\w+)*$/.test(rest)) return dots + rest.replaceAll("/", ".");
      }
    }
    return undefined;
  }
}

const separator = "\n";
const key = (uri: string, name: string): string => uri + separator + name;
