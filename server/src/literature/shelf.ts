/** Papers by everything that identifies one: id, arXiv identifier, title, a title in running text. */
import { normaliseArxiv, normaliseTitle } from "./identity";
import type { Paper } from "./model";

export interface TitleMention {
  readonly paper: Paper;
  /** Offsets in the text searched. */
  readonly from: number;
  readonly to: number;
}

/** Titles shorter than this many words are too common to be found in running text. */
const shortestTitleInText = 4;

interface Titled {
  readonly paper: Paper;
  readonly words: readonly string[];
}

/** The title, and aliases long enough to be titles: those of earlier or later versions. Normalised. */
const titlesOf = ({ title, aliases }: Paper): readonly string[] => [
  normaliseTitle(title),
  ...aliases.map(normaliseTitle).filter((alias) => alias.split(" ").length >= shortestTitleInText),
];

/** Papers by everything that identifies one. */
export interface Shelf {
  readonly papers: readonly Paper[];
  readonly byId: ReadonlyMap<string, Paper>;
  readonly byArxiv: ReadonlyMap<string, Paper>;
  readonly byTitle: ReadonlyMap<string, Paper>;
  /** Titles of enough words, by their first words. */
  readonly byBeginning: ReadonlyMap<string, readonly Titled[]>;
}

/** Papers in order; of two that are one, the first is found. */
export function createShelf(papers: readonly Paper[]): Shelf {
  const byId = new Map<string, Paper>();
  const byArxiv = new Map<string, Paper>();
  const byTitle = new Map<string, Paper>();
  const byBeginning = new Map<string, Titled[]>();
  const note = <T>(map: Map<string, T>, key: string, value: T): void => {
    if (!map.has(key)) map.set(key, value);
  };
  for (const paper of papers) {
    note(byId, paper.id, paper);
    if (paper.arxiv !== undefined) note(byArxiv, normaliseArxiv(paper.arxiv), paper);
    for (const title of titlesOf(paper)) {
      note(byTitle, title, paper);
      const words = title.split(" ");
      if (words.length < shortestTitleInText) continue;
      const beginning = words.slice(0, shortestTitleInText).join(" ");
      const alike = byBeginning.get(beginning);
      if (alike === undefined) byBeginning.set(beginning, [{ paper, words }]);
      else alike.push({ paper, words });
    }
  }
  // longest first, so that a title that begins like another is found whole
  for (const alike of byBeginning.values()) alike.sort((a, b) => b.words.length - a.words.length);
  return { papers, byId, byArxiv, byTitle, byBeginning };
}

/** The paper of the shelf that `paper` is, by arXiv identifier or title. */
export function knownPaper(shelf: Shelf, paper: Pick<Paper, "title" | "arxiv">): Paper | undefined {
  const byArxiv = paper.arxiv === undefined ? undefined : shelf.byArxiv.get(normaliseArxiv(paper.arxiv));
  return byArxiv ?? shelf.byTitle.get(normaliseTitle(paper.title));
}

/** One list in which a paper that both hold, by arXiv identifier or title, is one: the bundled facts, and what the page listed. */
export function mergePapers(bundled: readonly Paper[], user: readonly Paper[]): readonly Paper[] {
  const shelf = createShelf(bundled);
  const listed = new Map<string, Paper["listed"]>();
  const own = user.filter((paper) => {
    const known = knownPaper(shelf, paper);
    if (known !== undefined && paper.listed !== undefined) listed.set(known.id, paper.listed);
    return known === undefined;
  });
  const merged = bundled.map((paper) => {
    const found = listed.get(paper.id);
    return found === undefined ? paper : { ...paper, listed: found };
  });
  return [...merged, ...own];
}

/** Titles that occur in a text, the longest where two overlap. */
export function findTitles(shelf: Shelf, text: string): TitleMention[] {
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
