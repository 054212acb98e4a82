/** Which paper the words before an arXiv id name, by name, title or authors; undefined unless nothing but that name leads up to the id. */
import type { Library } from "../../literature/library";
import { normaliseTitle } from "../../literature/identity";
import type { Paper } from "../../literature/model";

/** How far before its id a paper may be named. */
const reach = 400;

const signs = "[\\s#>.,:;/–—\\-*_`\"'“”’()\\[\\]<{}|]";
const smallWords =
  "(?:paper|papers|method|algorithm|article|preprint|arxiv|link|url|pdf|see|available|at|in|on|ref|reference|abs)\\b|[’']s\\b";
const people = "(?:by|and|et\\s+al)\\b|&|\\p{Lu}[\\p{L}\\d’'+-]*(?![\\p{L}\\d’'+-])|(?:19|20)\\d\\d[a-z]?\\b";

/** What may stand between the name of a paper and its id: `’s paper (see https://…`. */
const afterName = new RegExp(`^(?:${smallWords}|${signs})*$`, "iu");
/** With its people, the year and the venue: ` (Hu et al., 2021, ICLR; `. */
const afterNameAndPeople = new RegExp(
  `^["'”*_\`]*\\s*(?:[,.;:([–—-]|by\\b)(?:${people}|${smallWords}|${signs})*$`,
  "u",
);
const titleWords = "(?:proceedings|conference|international|advances|of|the|de|van|von|der|vol|pp)\\b";
const afterTitle = new RegExp(`^(?:${people}|${titleWords}|${smallWords}|${signs})*$`, "u");
const blankLine = /\n[ \t]*#?[ \t]*\r?\n/;

/** Whether nothing but signs, people and a year stand between a name and an id. */
const leadsUp = (gap: string): boolean =>
  !blankLine.test(gap) &&
  (afterName.test(gap) || (/\bet\s+al|\b(?:19|20)\d\d/.test(gap) && afterNameAndPeople.test(gap)));

/**
 * What may stand before a name for the id behind it to be its own: "a variant of LoRA (arXiv:…)" speaks of the variant.
 * The beginning of a text, of a line or a sentence, the id of another paper, or words that name a source.
 */
const beginnings = [
  /^[)\]>}\s.,;&/+]*(?:(?:and|or|vs\.?)\s+)?$/,
  /[.:;!?(|]\s*$/,
  /[\n#*>•][\s#*>•\d.()[\]-]*$/,
  /(?:^|[\s("'])(?:see|cf\.?|e\.g\.,?|i\.e\.,?|the|per|following|paper|reference|as in|implements|implementing|(?:implementation|paper) of|(?:proposed|introduced|described|presented|defined|used) (?:in|by))(?:\s+the)?\s+$/i,
];

const begins = (before: string): boolean => {
  const plain = before.replace(/["'“`*_[]+$/, "");
  return beginnings.some((pattern) => pattern.test(plain));
};

/** The paper that is named right before the end of a text, where `cited` is not named there as well. */
export function namedBefore(library: Library, text: string, cited: Paper): Paper | undefined {
  const before = text.slice(-reach);
  return byName(library, before) ?? byTitle(library, before) ?? byAuthor(library, before, cited);
}

/** `DoRA (`, `DoRA paper: `, `[DoRA](`, `DoRA (Liu et al., 2024, `: the last such name, the longest of those. */
function byName(library: Library, before: string): Paper | undefined {
  let found: { readonly from: number; readonly to: number; readonly papers: Set<Paper> } | undefined;
  for (const [name, paper] of namesOf(library)) {
    const from = before.lastIndexOf(name);
    const to = from + name.length;
    if (from < 0 || /[\w-]/.test(before.charAt(from - 1)) || /^[\w+²³-]/.test(before.slice(to))) continue;
    if (!leadsUp(before.slice(to)) || !begins(before.slice(0, from))) continue;
    if (found !== undefined && (found.to > to || (found.to === to && found.from < from))) continue;
    if (found?.from === from && found.to === to) found.papers.add(paper);
    else found = { from, to, papers: new Set([paper]) };
  }
  return found?.papers.size === 1 ? [...found.papers][0] : undefined;
}

/** A whole title, with nobody but its authors, a year and a venue behind it. */
function byTitle(library: Library, before: string): Paper | undefined {
  const title = library.findTitles(before).at(-1);
  if (title === undefined || !begins(before.slice(0, title.from))) return undefined;
  return afterTitle.test(before.slice(title.to)) ? title.paper : undefined;
}

const author = new RegExp(
  `(\\p{Lu}[\\p{L}’'-]+)(?:\\s+et\\s+al\\.?|\\s+(?:and|&)\\s+\\p{Lu}[\\p{L}’'-]+)[\\s,(\\[]*((?:19|20)\\d\\d)[a-z]?\\)?(?:${smallWords}|${signs})*$`,
  "u",
);

/** `Hu et al. 2021 (`: the only paper known of that first author and year, where none of the cited one's authors is called so. */
function byAuthor(library: Library, before: string, cited: Paper): Paper | undefined {
  const [, name = "", year] = author.exec(before) ?? [];
  if (year === undefined || cited.authors.length === 0) return undefined;
  if (cited.authors.some((each) => before.includes(surname(each)))) return undefined;
  const [only, another] = library
    .papers()
    .filter(
      ({ authors: [first], ...paper }) =>
        first !== undefined && surname(first) === name && yearsOf(paper).includes(Number(year)),
    );
  return another === undefined ? only : undefined;
}

/** Of `Edward J. Hu` and of `Hu, Edward J.`. */
const surname = (author: string): string =>
  author.includes(",") ? (author.split(",")[0] ?? "").trim() : (author.trim().split(/\s+/).at(-1) ?? "");

/** Of its venue, and of its first version. */
const yearsOf = ({ year, arxiv }: Pick<Paper, "year" | "arxiv">): (number | undefined)[] => [
  year,
  arxiv === undefined ? undefined : 2000 + Number(arxiv.slice(0, 2)),
];

/** Whether a paper is spoken of in a text, other than where one of these ids, by its place, follows the name. */
export function isSpokenOf({ aliases, title }: Paper, prose: string, ids: readonly number[]): boolean {
  const text = prose.toLowerCase();
  return [...aliases, title].some((name) => {
    const wanted = name.toLowerCase();
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
      const end = at + wanted.length;
      if (/\w/.test(text.charAt(at - 1)) || /\w/.test(text.charAt(end))) continue;
      const next = ids.find((id) => id >= end);
      if (next === undefined) return true;
      const gap = prose.slice(end, next);
      if (!leadsUp(gap) && !afterTitle.test(gap)) return true;
    }
    return false;
  });
}

interface Entry {
  readonly from: number;
  readonly to: number;
  readonly paper?: Paper;
}

/** Entries of BibTeX, with the papers of which they have the titles. */
export function bibliographyEntries(library: Library, prose: string): Entry[] {
  return [...prose.matchAll(/@[a-z]+\s*\{[^@]*/giu)].map(({ 0: entry, index }) => {
    const title = /\btitle\s*=\s*(?:\{+|")((?:[^{}"]|\{[^{}]*\})*)/iu.exec(entry)?.[1] ?? "";
    const paper = library.paperByTitle(normaliseTitle(title.replace(/\n[ \t]*#?/g, " ")));
    return { from: index, to: index + entry.length, ...(paper && { paper }) };
  });
}

const known = new WeakMap<
  Library,
  { readonly revision: number; readonly names: readonly (readonly [string, Paper])[] }
>();

/** Titles and aliases that look like names, with their papers; made anew when the library grows. */
function namesOf(library: Library): readonly (readonly [string, Paper])[] {
  const before = known.get(library);
  if (before?.revision === library.revision()) return before.names;
  const all = library
    .papers()
    .flatMap((paper) =>
      [...paper.aliases, paper.title]
        .filter((name) => name.length > 2 && /[A-Z]/.test(name))
        .map((name) => [name, paper] as const),
    );
  known.set(library, { revision: library.revision(), names: all });
  return all;
}
