/** Everything known of the literature, by exact maps: no look-up here waits for the search index. */
import { group } from "../group";
import { formulaOf, type FormulaSource } from "./formulas";
import { normaliseArxiv, normaliseTitle } from "./identity";
import type { Conversions, Families, LibrarySymbol, Recipe, Rule, SymbolField } from "./catalogue";
import type { Corpus, Method, Paper, PythonDefinition, PythonSource } from "./model";
import { createShelf, findTitles, mergePapers, type TitleMention } from "./shelf";

/** A field of a library symbol, with the symbol it belongs to. */
export interface FieldOf {
  readonly symbol: LibrarySymbol;
  readonly field: SymbolField;
}

export interface Library {
  readonly version: string;
  paper(id: string): Paper | undefined;
  /** Bundled papers first, then the user's own. */
  papers(): readonly Paper[];
  /** With or without prefix, address or version: `arXiv:2106.09685v2`. */
  paperByArxiv(identifier: string): Paper | undefined;
  paperByTitle(title: string): Paper | undefined;
  /** Titles that occur in a text, the longest where two overlap. */
  findTitles(text: string): readonly TitleMention[];
  method(id: string): Method | undefined;
  methods(): readonly Method[];
  methodsOf(paper: string): readonly Method[];
  /**
   * By any path it can be imported from: `peft.tuners.lora.LoraConfig`. Brackets stand for what a call gives:
   * `peft.get_peft_model().merge_and_unload`.
   */
  symbol(qualified: string): LibrarySymbol | undefined;
  symbolsNamed(name: string): readonly LibrarySymbol[];
  /** Methods that go by a name in other code (`symbols` of method.yaml). */
  methodsNamed(name: string): readonly Method[];
  symbols(): readonly LibrarySymbol[];
  /** Symbols that stand for configuration files. */
  configurations(): readonly LibrarySymbol[];
  rules(): readonly Rule[];
  conversions(): readonly Conversions[];
  recipes(): readonly Recipe[];
  families(): readonly Families[];
  /** An argument of a symbol. */
  field(qualified: string, name: string): SymbolField | undefined;
  /** Arguments of this name, of whichever symbol. */
  fields(name: string): readonly FieldOf[];
  /** The method whose Python defines `name`: `LoRALinear`. */
  methodOfDefinition(name: string): Method | undefined;
  /** Python definitions that several methods use. */
  shared(): readonly PythonSource[];
  /** A definition of a method or of the shared files. */
  definition(name: string): PythonDefinition | undefined;
  /** Typeset formula of a method; `@ink@` stands for the colour. */
  formula(method: string): { readonly svg: string } | undefined;
  /** The corpus as the build made it. */
  bundled(): Corpus;
  /** The bundled corpus with the user's corpora laid over it, in place of what was set before. */
  setCorpus(corpus: Corpus): void;
  /** Papers of the user's own library in place of those set before; one that the corpus knows stays one paper. */
  setUserPapers(papers: readonly Paper[]): void;
  userPapers(): readonly Paper[];
  /** Grows with every change of what is known. */
  revision(): number;
}

/** Whether a method's Python can be put into a model; one that only describes goes nowhere. */
export const isInsertable = ({ sites, python }: Method): boolean =>
  python.length > 0 && sites.some(({ kind }) => kind !== "peft-config");

/** A library over the compiled corpus. */
export function createLibrary(bundled: Corpus, formulas: FormulaSource): Library {
  let catalogue = createCatalogue(bundled);
  let user: readonly Paper[] = [];
  let shelf = createShelf(bundled.papers);
  let revision = 0;
  const refill = (): void => {
    shelf = createShelf(mergePapers(catalogue.corpus.papers, user));
    revision++;
  };

  return {
    version: bundled.version,
    bundled: () => bundled,
    paper: (id) => shelf.byId.get(id),
    papers: () => shelf.papers,
    paperByArxiv: (identifier) => shelf.byArxiv.get(normaliseArxiv(identifier)),
    paperByTitle: (title) => shelf.byTitle.get(normaliseTitle(title)),
    findTitles: (text) => findTitles(shelf, text),
    method: (id) => catalogue.methods.get(id),
    methods: () => catalogue.corpus.methods,
    methodsOf: (paper) =>
      (shelf.byId.get(paper)?.methods ?? []).flatMap((id) => catalogue.methods.get(id) ?? []),
    symbol: (qualified) => symbolAt(catalogue.symbols, qualified),
    symbolsNamed: (name) => catalogue.named.get(name) ?? [],
    methodsNamed: (name) => (catalogue.byName.get(name) ?? []).map(({ method }) => method),
    symbols: () => catalogue.corpus.symbols,
    configurations: () => catalogue.configurations,
    rules: () => catalogue.corpus.rules ?? [],
    conversions: () => catalogue.corpus.conversions ?? [],
    recipes: () => catalogue.corpus.recipes ?? [],
    families: () => catalogue.corpus.families ?? [],
    field: (qualified, name) =>
      symbolAt(catalogue.symbols, qualified)?.fields.find((field) => field.name === name),
    fields: (name) => catalogue.fields.get(name) ?? [],
    methodOfDefinition: (name) => catalogue.owners.get(name),
    shared: () => catalogue.corpus.shared,
    definition: (name) => catalogue.definitions.get(name),
    formula: (method) => formulaOf(formulas, method),
    setCorpus: (corpus) => {
      catalogue = createCatalogue(corpus);
      refill();
    },
    setUserPapers: (papers) => {
      user = papers;
      refill();
    },
    userPapers: () => user,
    revision: () => revision,
  };
}

type Symbols = ReadonlyMap<string, LibrarySymbol>;

function symbolAt(symbols: Symbols, path: string): LibrarySymbol | undefined {
  const dot = path.lastIndexOf(".");
  if (path.includes("()")) {
    const owner = typeAt(symbols, path.slice(0, dot));
    return owner === undefined ? undefined : symbols.get(owner + path.slice(dot));
  }
  // a module of another release: what a library exports at its top is the same from wherever it comes
  return symbols.get(path) ?? symbols.get(path.slice(0, path.indexOf(".")) + path.slice(dot));
}

/** The class of what `peft.get_peft_model()` or an attribute of it holds. */
function typeAt(symbols: Symbols, path: string): string | undefined {
  if (!path.endsWith("()")) {
    const attribute = symbolAt(symbols, path);
    return attribute?.kind === "parameter" ? attribute.returns : undefined;
  }
  const called = symbolAt(symbols, path.slice(0, -2));
  return called?.kind === "class" ? called.qualified[0] : called?.returns;
}

/** Methods, symbols and Python definitions of a corpus by every name they are asked for. */
interface Catalogue {
  readonly corpus: Corpus;
  readonly methods: ReadonlyMap<string, Method>;
  readonly symbols: ReadonlyMap<string, LibrarySymbol>;
  readonly named: ReadonlyMap<string, readonly LibrarySymbol[]>;
  readonly configurations: readonly LibrarySymbol[];
  readonly byName: ReadonlyMap<string, readonly { readonly name: string; readonly method: Method }[]>;
  readonly fields: ReadonlyMap<string, readonly FieldOf[]>;
  readonly definitions: ReadonlyMap<string, PythonDefinition>;
  readonly owners: ReadonlyMap<string, Method>;
}

function createCatalogue(corpus: Corpus): Catalogue {
  const definitions = new Map<string, PythonDefinition>();
  const owners = new Map<string, Method>();
  for (const { definitions: found } of corpus.shared)
    for (const each of found) definitions.set(each.name, each);
  for (const method of corpus.methods)
    for (const { definitions: found } of method.python)
      for (const each of found) {
        definitions.set(each.name, each);
        owners.set(each.name, method);
      }
  // what methods share belongs to the first that puts it somewhere
  for (const method of corpus.methods)
    for (const { symbol } of method.sites) if (!owners.has(symbol)) owners.set(symbol, method);
  return {
    corpus,
    methods: new Map(corpus.methods.map((method) => [method.id, method])),
    symbols: new Map(
      corpus.symbols.flatMap((symbol) => symbol.qualified.map((path) => [path, symbol] as const)),
    ),
    named: group(corpus.symbols, ({ name }) => name),
    configurations: corpus.symbols.filter(({ kind }) => kind === "file"),
    byName: group(
      corpus.methods.flatMap((method) => (method.symbols ?? []).map((name) => ({ name, method }))),
      ({ name }) => name,
    ),
    fields: group(
      corpus.symbols.flatMap((symbol) => symbol.fields.map((field) => ({ symbol, field }))),
      ({ field }) => field.name,
    ),
    definitions,
    owners,
  };
}
