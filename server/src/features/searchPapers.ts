/** The palette's search; with nothing typed, what fits the code under the cursor, then the newest. */
import { choicesAt } from "../adapters/choices";
import { ownerOf } from "../adapters/fits";
import { placesIn } from "../adapters/places";
import { isInsertable, type Library } from "../literature/library";
import type { Paper } from "../literature/model";
import type { PaperSearch } from "../literature/search";
import type { SearchHit, SearchParams, SearchResult } from "../protocol";
import { callAt, classAt, referenceAt } from "../python/at";
import { firstParagraph } from "../render/paper";
import type { FeatureContext, OpenDocument } from "./context";

const defaultLimit = 20;

export async function searchPapers(
  { library }: FeatureContext,
  search: PaperSearch,
  params: SearchParams,
  place?: { readonly document: OpenDocument; readonly offset: number },
): Promise<SearchResult> {
  const { query, limit = defaultLimit, topics, years } = params;
  if (query.trim() === "") return suggest(library, params, place);
  const { hits, total } = await search.search(query, {
    limit,
    ...(topics === undefined ? {} : { topics }),
    ...(years === undefined ? {} : { years }),
  });
  return { hits: hits.map(({ paper, score, snippet }) => toHit(library, paper, score, snippet)), total };
}

const toHit = (
  library: Library,
  { id, title, authors, year, venue, methods }: Paper,
  score: number,
  snippet: string,
): SearchHit => ({
  id,
  title,
  authors,
  ...(year === undefined ? {} : { year }),
  ...(venue === undefined ? {} : { venue }),
  score,
  snippet,
  methods: methods.filter((each) => {
    const method = library.method(each);
    return method !== undefined && isInsertable(method);
  }),
});

/** Every paper, those that fit the code first, then the newest. */
function suggest(
  library: Library,
  { limit = defaultLimit, topics, years }: SearchParams,
  place: { readonly document: OpenDocument; readonly offset: number } | undefined,
): SearchResult {
  const fitting = place === undefined ? [] : fittingPapers(library, place.document, place.offset);
  const rank = new Map(fitting.toReversed().map((id, index) => [id, index + 1]));
  const admitted = library
    .papers()
    .filter(
      (paper) =>
        (topics === undefined ||
          topics.length === 0 ||
          topics.some((topic) => paper.topics.includes(topic))) &&
        (years === undefined ||
          (paper.year !== undefined && paper.year >= years[0] && paper.year <= years[1])),
    );
  const hits = admitted
    .toSorted((a, b) => (rank.get(b.id) ?? 0) - (rank.get(a.id) ?? 0) || (b.year ?? 0) - (a.year ?? 0))
    .slice(0, limit)
    .map((paper) => toHit(library, paper, rank.get(paper.id) ?? 0, firstParagraph(paper.summary, 200)));
  return { hits, total: admitted.length };
}

/** Papers of the symbol or call at the cursor, then of the methods that can go into the class around it. */
function fittingPapers(
  library: Library,
  { python: { facts, text } }: OpenDocument,
  offset: number,
): string[] {
  const named = [referenceAt(facts, offset)?.qualified, callAt(facts, offset)?.call.qualified].flatMap(
    (name) => name ?? [],
  );
  const ofSymbols = named.flatMap((name) => library.symbol(name)?.papers ?? []);
  const module = classAt(facts, offset);
  const choices =
    module === undefined
      ? []
      : placesIn(facts, text)
          .filter((place) => ownerOf(place) === module.name)
          .flatMap((place) => choicesAt(library.methods(), place))
          .filter(({ disabled }) => disabled === undefined)
          .toSorted((a, b) => (b.method.prominence ?? 0) - (a.method.prominence ?? 0));
  return [...new Set([...ofSymbols, ...choices.map(({ method }) => method.paper)])];
}
