/** Everything known of the literature, by exact maps: no look-up here waits for the search index. */
import { normaliseArxiv, normaliseTitle } from "./identity";
import type {
  Corpus,
  Formulas,
  LibrarySymbol,
  Method,
  Paper,
  PythonDefinition,
  PythonSource,
  SymbolField,
} from "./model";

export interface TitleMention {
  readonly paper: Paper;
  /** Offsets in the text searched. */
  readonly from: number;
  readonly to: number;
}

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
  /** By any path it can be imported from: `peft.tuners.lora.LoraConfig`. */
  symbol(qualified: string): LibrarySymbol | undefined;
  symbolsNamed(name: string): readonly LibrarySymbol[];
  symbols(): readonly LibrarySymbol[];
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
  /** Papers of the user's own library in place of those set before; one that the corpus knows stays one paper. */
  setUserPapers(papers: readonly Paper[]): void;
  userPapers(): readonly Paper[];
  /** Grows with every `setUserPapers`. */
  revision(): number;
}

/** Titles shorter than this many words are too common to be found in running text. */
const shortestTitleInText = 4;

/** A library over the compiled corpus. */
export function createLibrary(corpus: Corpus, formulas: Formulas): Library {
  const bundled = createShelf(corpus.papers);
  const methods = new Map(corpus.methods.map((method) => [method.id, method]));
  const symbols = new Map(
    corpus.symbols.flatMap((symbol) => symbol.qualified.map((path) => [path, symbol] as const)),
  );
  const named = group(corpus.symbols, ({ name }) => name);
  const fields = group(
    corpus.symbols.flatMap((symbol) => symbol.fields.map((field) => ({ symbol, field }))),
    ({ field }) => field.name,
  );
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

  let user: readonly Paper[] = [];
  let shelf = bundled;
  let revision = 0;

  return {
    version: corpus.version,
    paper: (id) => shelf.byId.get(id),
    papers: () => shelf.papers,
    paperByArxiv: (identifier) => shelf.byArxiv.get(normaliseArxiv(identifier)),
    paperByTitle: (title) => shelf.byTitle.get(normaliseTitle(title)),
    findTitles: (text) => findTitles(shelf, text),
    method: (id) => methods.get(id),
    methods: () => corpus.methods,
    methodsOf: (paper) => (shelf.byId.get(paper)?.methods ?? []).flatMap((id) => methods.get(id) ?? []),
    symbol: (qualified) => symbols.get(qualified),
    symbolsNamed: (name) => named.get(name) ?? [],
    symbols: () => corpus.symbols,
    field: (qualified, name) => symbols.get(qualified)?.fields.find((field) => field.name === name),
    fields: (name) => fields.get(name) ?? [],
    methodOfDefinition: (name) => owners.get(name),
    shared: () => corpus.shared,
    definition: (name) => definitions.get(name),
    formula: (method) => (Object.hasOwn(formulas, method) ? formulas[method] : undefined),
    setUserPapers: (papers) => {
      user = papers;
      shelf = createShelf(mergePapers(corpus.papers, papers));
      revision++;
    },
    userPapers: () => user,
    revision: () => revision,
  };
}

interface Titled {
  readonly paper: Paper;
  readonly words: readonly string[];
}

/** The title, and aliases long enough to be titles: those of earlier or later versions. */
const titlesOf = ({ title, aliases }: Paper): readonly string[] => [
  title,
  ...aliases.filter((alias) => normaliseTitle(alias).split(" ").length >= shortestTitleInText),
];

/** Papers by everything that identifies one. */
interface Shelf {
  readonly papers: readonly Paper[];
  readonly byId: ReadonlyMap<string, Paper>;
  readonly byArxiv: ReadonlyMap<string, Paper>;
  readonly byTitle: ReadonlyMap<string, Paper>;
  /** Titles of enough words, by their first words. */
  readonly byBeginning: ReadonlyMap<string, readonly Titled[]>;
}

function createShelf(papers: readonly Paper[]): Shelf {
  // the first of two wins: bundled papers stand first
  const backwards = [...papers].reverse();
  const titled = papers.flatMap((paper) =>
    titlesOf(paper).map((title) => ({ paper, words: normaliseTitle(title).split(" ") })),
  );
  const byBeginning = group(
    titled.filter(({ words }) => words.length >= shortestTitleInText),
    ({ words }) => words.slice(0, shortestTitleInText).join(" "),
  );
  return {
    papers,
    byId: new Map(backwards.map((paper) => [paper.id, paper])),
    byArxiv: new Map(
      backwards.flatMap((paper) =>
        paper.arxiv === undefined ? [] : [[normaliseArxiv(paper.arxiv), paper] as const],
      ),
    ),
    byTitle: new Map(
      backwards.flatMap((paper) => titlesOf(paper).map((title) => [normaliseTitle(title), paper] as const)),
    ),
    byBeginning: new Map(
      [...byBeginning].map(([key, entries]) => [
        key,
        // longest first, so that a title that begins like another is found whole
        entries.sort((a, b) => b.words.length - a.words.length),
      ]),
    ),
  };
}

/** One list in which a paper that both hold, by arXiv identifier or title, is one: the bundled facts, and what the page listed. */
export function mergePapers(bundled: readonly Paper[], user: readonly Paper[]): readonly Paper[] {
  const { byArxiv, byTitle } = createShelf(bundled);
  const listed = new Map<string, Paper["listed"]>();
  const own = user.filter((paper) => {
    const known =
      (paper.arxiv === undefined ? undefined : byArxiv.get(normaliseArxiv(paper.arxiv))) ??
      byTitle.get(normaliseTitle(paper.title));
    if (known !== undefined && paper.listed !== undefined) listed.set(known.id, paper.listed);
    return known === undefined;
  });
  const merged = bundled.map((paper) => {
    const found = listed.get(paper.id);
    return found === undefined ? paper : { ...paper, listed: found };
  });
  return [...merged, ...own];
}

function findTitles(shelf: Shelf, text: string): TitleMention[] {
  // words with their places; `# ` and other signs between the words of a wrapped title do not matter
  const words = [...text.matchAll(/[^\s#*"'`.,;:!?()[\]<>|/+&–—-]+/gu)].flatMap((match) =>
    normaliseTitle(match[0])
      .split(" ")
      .filter((word) => word !== "")
      .map((word) => ({ word, from: match.index, to: match.index + match[0].length })),
  );
  const found: TitleMention[] = [];
  for (let start = 0; start + shortestTitleInText <= words.length; start++) {
    const wordsAt = (count: number): string =>
      words
        .slice(start, start + count)
        .map(({ word }) => word)
        .join(" ");
    for (const { paper, words: title } of shelf.byBeginning.get(wordsAt(shortestTitleInText)) ?? []) {
      const [first, last] = [words[start], words[start + title.length - 1]];
      if (first === undefined || last === undefined || wordsAt(title.length) !== title.join(" ")) continue;
      found.push({ paper, from: first.from, to: last.to });
      start += title.length - 1;
      break;
    }
  }
  return found;
}

function group<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const at = key(item);
    const members = groups.get(at);
    if (members === undefined) groups.set(at, [item]);
    else members.push(item);
  }
  return groups;
}
