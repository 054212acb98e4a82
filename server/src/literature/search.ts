/**
 * Search over bundled and user papers. Two fields: `all` (title three times, then everything else, stemmed) ranks by
 * topic; `title` (as written) finds a known paper while its title is being typed.
 */
import MiniSearch, { type Options, type Query, type SearchOptions, type SearchResult } from "minisearch";
import type { Library } from "./library";
import type { Corpus, Method, Paper } from "./model";
import { inSlices } from "../slices";
import { createSpelling, type Spelling } from "./spelling";
import { fold, snippet, stem, words } from "./text";

export interface SearchRequest {
  readonly limit?: number;
  /** Papers that have one of these. */
  readonly topics?: readonly string[];
  /** First and last year. */
  readonly years?: readonly [number, number];
}

export interface PaperHit {
  readonly paper: Paper;
  readonly score: number;
  /** The sentence that matched best, matched words between `**`. */
  readonly snippet: string;
}

export interface PaperSearch {
  search(
    query: string,
    request?: SearchRequest,
  ): Promise<{ readonly hits: readonly PaperHit[]; readonly total: number }>;
  /** Loads the index ahead of the first search. */
  load(): Promise<void>;
  state(): "not loaded" | "loading" | "ready" | "failed";
}

/** What is indexed of a paper; the names of its methods belong to it. */
interface Entry {
  readonly id: string;
  readonly title: string;
  readonly all: string;
}

/** Raised with every change of what is indexed or how: an index of another edition is built anew. */
const edition = "litlens-1";
const titleWeight = 3;
/** Queries of more words are questions: there the number of matched words must not multiply the score. */
const longestPaletteQuery = 5;
const shortestMisspelt = 5;
const shortestTwiceMisspelt = 8;
const shortestPrefix = 2;
/** A title counts as begun from so many words on. */
const shortestBeginning = 3;
/** A paper of the typed name is among so many of the best. */
const mostNamed = 50;
/** In larger libraries titles that have all words are answer enough: looking everywhere takes many times as long. */
const largestThoroughLibrary = 2000;
/** Of one or two words, so many titles with all of them. */
const enoughTitles = 20;
/** In large libraries, beginnings of fewer letters are completed in titles only. */
const shortestPrefixEverywhere = 4;

const weights = { fuzzy: 0.3, prefix: 0.6 };

const options: Options<Entry> = {
  fields: ["all", "title"],
  tokenize: words,
  // index terms of `title` stay whole; those of `all` are stems
  processTerm: (term, field) => (field === "title" ? term : stem(term)),
};

// without the lower bound that MiniSearch adds to each matched term
const bm25 = { k: 1.2, b: 0.7, d: 0 };

/** The index of the bundled papers as text, for `createSearch`. */
export function buildIndex(corpus: Corpus): string {
  const index = new MiniSearch<Entry>(options);
  const methods = new Map(corpus.methods.map((method) => [method.id, method]));
  index.addAll(corpus.papers.map((paper) => entryOf(paper, (id) => methods.get(id))));
  return JSON.stringify({ edition, corpus: corpus.version, index: JSON.stringify(index) });
}

function entryOf(paper: Paper, method: (id: string) => Method | undefined): Entry {
  const names = paper.methods.flatMap((id) => method(id)?.name ?? []);
  const said = paper.claims.map(({ text, dataset }) => `${text} ${dataset ?? ""}`);
  return {
    id: paper.id,
    title: [paper.title, ...paper.aliases, ...names].join(" "),
    all: [
      ...Array.from({ length: titleWeight }, () => paper.title),
      ...paper.aliases,
      ...names,
      ...paper.authors,
      ...paper.topics,
      paper.organisation ?? "",
      paper.venue ?? "",
      paper.arxiv ?? "",
      paper.summary,
      ...said,
    ].join(" \n"),
  };
}

/** Search over `library`; `loadIndex` gives the prebuilt index and is asked once, at the first search. */
export function createSearch(library: Library, loadIndex: () => Promise<string | null>): PaperSearch {
  let state: "not loaded" | "loading" | "ready" | "failed" = "not loaded";
  let loading: Promise<MiniSearch<Entry>> | undefined;
  let indexed = new Map<string, Paper>();
  const spelling = createSpelling();
  let revision = 0;
  const entry = (paper: Paper): Entry => entryOf(paper, (id) => library.method(id));

  /** Learns the words of titles; adds to `index` where it has not the papers yet. */
  function* taking(papers: readonly Paper[], index?: MiniSearch<Entry>): Generator<undefined, void> {
    for (const paper of papers) {
      const taken = entry(paper);
      spelling.add(words(taken.title));
      index?.add(taken);
      yield;
    }
  }

  const load = async (): Promise<MiniSearch<Entry>> => {
    state = "loading";
    try {
      const bundled = library.bundled().papers;
      const stored = await readIndex(await loadIndex(), library.version);
      const index = stored ?? new MiniSearch<Entry>(options);
      indexed = new Map(bundled.map((paper) => [paper.id, paper]));
      await inSlices(taking([...indexed.values()], stored === undefined ? index : undefined));
      revision = -1;
      state = "ready";
      return index;
    } catch (error) {
      state = "failed";
      loading = undefined;
      throw error;
    }
  };

  /** Brings the index up to the library's present papers. */
  const update = async (index: MiniSearch<Entry>): Promise<void> => {
    if (revision === library.revision()) return;
    revision = library.revision();
    const wanted = new Map(library.papers().map((paper) => [paper.id, paper]));
    // what a page listed of a bundled paper makes another record of it, but is not indexed
    const same = (paper: Paper): boolean => {
      const now = wanted.get(paper.id);
      if (now === undefined || now === paper) return now === paper;
      const [before, after] = [entry(paper), entry(now)];
      return before.title === after.title && before.all === after.all;
    };
    const gone = [...indexed.values()].filter((paper) => !same(paper)).map(({ id }) => id);
    index.discardAll(gone);
    for (const id of gone) indexed.delete(id);
    const fresh = [...wanted.values()].filter(({ id }) => !indexed.has(id));
    indexed = wanted;
    await inSlices(taking(fresh, index));
  };

  let updating: Promise<void> = Promise.resolve();
  const ready = async (): Promise<MiniSearch<Entry>> => {
    const index = await (loading ??= load());
    await (updating = updating.then(() => update(index)));
    return index;
  };

  return {
    state: () => state,
    load: async () => {
      await ready();
    },
    search: async (query, request = {}) => {
      const index = await ready();
      const narrow = (request.topics ?? []).length > 0 || request.years !== undefined;
      const admitted = (id: string): boolean => {
        const paper = library.paper(id);
        return paper !== undefined && admits(request, paper);
      };
      const found = rank(index, spelling, query, narrow ? admitted : undefined);
      const ranked = byName(found, query, library);
      const hits = ranked.slice(0, request.limit ?? 20).flatMap((result) => {
        const paper = findPaper(library, result);
        if (paper === undefined) return [];
        return [{ paper, score: result.score, snippet: snippet(searched(paper), new Set(result.terms)) }];
      });
      return { hits, total: ranked.length };
    },
  };
}

function findPaper(library: Library, result: SearchResult): Paper | undefined {
  const id: unknown = result.id;
  return typeof id === "string" ? library.paper(id) : undefined;
}

/** What bears the typed name comes first: a paper of just this title or short name, then one whose title begins so. */
function byName(results: readonly SearchResult[], query: string, library: Library): SearchResult[] {
  const name = fold(query).trim();
  const typed = words(query);
  const beginning = typed.length < shortestBeginning ? undefined : typed.join(" ");
  const nearness = (result: SearchResult): number => {
    const paper = findPaper(library, result);
    if (paper === undefined) return 0;
    const titles = [paper.title, withoutShortName(paper.title)];
    if ([...titles, ...paper.aliases].some((each) => fold(each) === name)) return 2;
    if (beginning === undefined) return 0;
    return titles.some((each) => words(each).join(" ").startsWith(beginning)) ? 1 : 0;
  };
  const first = results.slice(0, mostNamed).map((result) => ({ result, near: nearness(result) }));
  first.sort((a, b) => b.near - a.near);
  return [...first.map(({ result }) => result), ...results.slice(mostNamed)];
}

/** "Low-Rank Adaptation of Large Language Models" of "LoRA: Low-Rank Adaptation of Large Language Models". */
const withoutShortName = (title: string): string => title.replace(/^[^:]+: /, "");

/** Text from which the snippet is taken. */
function searched({ summary, claims }: Paper): string {
  return [summary, ...claims.map(({ text }) => text)].join("\n");
}

function admits({ topics, years }: SearchRequest, paper: Paper): boolean {
  if (topics !== undefined && topics.length > 0 && !topics.some((topic) => paper.topics.includes(topic)))
    return false;
  if (years === undefined) return true;
  return paper.year !== undefined && paper.year >= years[0] && paper.year <= years[1];
}

async function readIndex(text: string | null, version: string): Promise<MiniSearch<Entry> | undefined> {
  if (text === null) return undefined;
  const stored: unknown = JSON.parse(text);
  if (typeof stored !== "object" || stored === null || !("index" in stored)) return undefined;
  if (!("edition" in stored) || stored.edition !== edition) return undefined;
  if (!("corpus" in stored) || stored.corpus !== version) return undefined;
  return typeof stored.index === "string"
    ? MiniSearch.loadJSONAsync<Entry>(stored.index, options)
    : undefined;
}

/** Results best first. */
function rank(
  index: MiniSearch<Entry>,
  spelling: Spelling,
  query: string,
  admitted: ((id: string) => boolean) | undefined,
): SearchResult[] {
  const typed = words(query);
  const topical = typed.filter((word) => stem(word) !== null);
  const ranking: SearchOptions = {
    bm25,
    ...(admitted && { filter: ({ id }: SearchResult) => typeof id === "string" && admitted(id) }),
  };
  if (typed.length > longestPaletteQuery && topical.length > 1) {
    const results = index.search(query, { fields: ["all"], ...ranking });
    for (const result of results) result.score /= result.queryTerms.length;
    return results.sort((a, b) => b.score - a.score);
  }
  return rankPalette(index, spelling, query, typed, ranking);
}

/** A few words as one types them: the last may be unfinished, long ones misspelt, acronyms neither. */
function rankPalette(
  index: MiniSearch<Entry>,
  spelling: Spelling,
  query: string,
  typed: readonly string[],
  ranking: SearchOptions,
): SearchResult[] {
  const acronyms = new Set((query.match(/\b[A-Z][A-Z\d]+\b/g) ?? []).flatMap(words));
  const unfinished = /\s$/.test(query) ? -1 : typed.length - 1;
  const large = index.documentCount > largestThoroughLibrary;
  const spoken = typed.map((word, position) => {
    const open = position === unfinished && word.length >= shortestPrefix && !acronyms.has(word);
    const unsure = word.length >= shortestMisspelt && !acronyms.has(word) && !/\d/.test(word);
    const known =
      !unsure ||
      spelling.knows(word, open) ||
      index.search(word, { fields: ["all"], processTerm: stem, prefix: open }).length > 0;
    const readings = known ? [] : spelling.readings(word, open);
    return { word, open, readings, unreadable: !known && readings.length === 0 };
  });
  const topical = spoken.filter(({ word, open }) => open || stem(word) !== null);

  const inTitles: Query = {
    combineWith: "OR",
    queries: topical.map(({ word, open, readings }) => ({
      combineWith: "OR",
      queries: readings.length === 0 ? [word] : [...readings],
      prefix: open,
    })),
    fields: ["title"],
    processTerm: (term: string) => term,
    weights,
  };
  const everywhere: Query = {
    combineWith: "OR",
    queries: spoken.map(({ word, open, readings, unreadable }) => ({
      combineWith: "OR",
      queries: readings.length === 0 ? [word] : [...readings],
      prefix: open && (!large || word.length >= shortestPrefixEverywhere),
      // here two swapped letters are two mistakes
      fuzzy: unreadable ? (word.length >= shortestTwiceMisspelt ? 2 : 1) : false,
    })),
    fields: ["all"],
    processTerm: stem,
    maxFuzzy: 2,
    weights,
  };
  if (large) {
    const results = index.search(inTitles, ranking);
    const whole = results.filter(({ queryTerms }) => queryTerms.length >= topical.length).length;
    if (whole >= (topical.length >= 3 ? 1 : enoughTitles)) return results;
  }
  const results = index.search({ combineWith: "OR", queries: [everywhere, inTitles] }, ranking);
  return byCoverage(
    results,
    topical.map(({ word, readings }) => (readings.length === 0 ? [word] : readings)),
  );
}

/** A paper that has all the words before one that has one of them in its title: the score by the share of words found. */
function byCoverage(results: SearchResult[], spoken: readonly (readonly string[])[]): SearchResult[] {
  if (spoken.length < 2) return results;
  const forms = spoken.map((readings) => new Set(readings.flatMap((word) => [word, stem(word) ?? word])));
  for (const result of results) {
    const found = forms.filter((words) => result.queryTerms.some((term) => words.has(term))).length;
    result.score *= found / forms.length;
  }
  return results.sort((a, b) => b.score - a.score);
}
