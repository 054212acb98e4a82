/** Papers as bibliography entries and as short citations. */
import type { Paper } from "./model";
import { fold, stem } from "./text";

export type BibliographyStyle = "bibtex" | "csl-json" | "ris";

/** Entries for reference managers; keys are unique within one bibliography. */
export function bibliography(papers: readonly Paper[], style: BibliographyStyle): string {
  const unique = [...new Map(papers.map((paper) => [paper.id, paper])).values()];
  const keys = uniqueKeys(unique);
  const keyed = unique.map((paper, index) => ({ paper, key: keys[index] ?? paper.id }));
  switch (style) {
    case "bibtex":
      return keyed.map(({ paper, key }) => bibtex(paper, key)).join("\n");
    case "csl-json":
      return `${JSON.stringify(
        keyed.map(({ paper, key }) => cslJson(paper, key)),
        undefined,
        2,
      )}\n`;
    case "ris":
      return keyed.map(({ paper, key }) => ris(paper, key)).join("\n");
  }
}

/** `LoRA (Hu et al., 2022, arXiv:2106.09685)`, for a comment. */
export function shortCitation(paper: Paper): string {
  const [name = paper.title] = paper.aliases;
  const parts = [
    authorsInShort(paper),
    paper.year === undefined ? undefined : String(paper.year),
    paper.arxiv === undefined ? undefined : `arXiv:${paper.arxiv}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? name : `${name} (${parts.join(", ")})`;
}

/** "Hu et al.", "Li and Liang", "CodeFuse AI"; undefined where nobody is named. */
export function authorsInShort({ authors, authorCount, organisation }: Paper): string | undefined {
  const [first, second] = authors;
  if (first === undefined) return organisation;
  const count = Math.max(authors.length, authorCount ?? 0);
  const family = splitName(first).family;
  if (count === 1) return family;
  return count === 2 && second !== undefined
    ? `${family} and ${splitName(second).family}`
    : `${family} et al.`;
}

/** `hu2022lora`: first author's family name, year, first topical word of the title, in ASCII; `mora2024` without authors. */
export function citationKey({ authors, organisation, year, title }: Paper): string {
  const ascii = (text: string): string => fold(text).replace(/[^a-z0-9]/g, "");
  const [first] = authors;
  const who = first === undefined ? (organisation?.split(" ")[0] ?? "") : splitName(first).family;
  const topical = title.split(/[\s:–—-]+/).find((word) => ascii(word) !== "" && stem(ascii(word)) !== null);
  const what = ascii(topical ?? title);
  return who === "" ? `${what}${year ?? ""}` : `${ascii(who)}${year ?? ""}${what}`;
}

function uniqueKeys(papers: readonly Paper[]): string[] {
  const used = new Set<string>();
  return papers.map((paper) => {
    const base = citationKey(paper);
    let key = base;
    // b, c, …: the first of equal keys stays as it is
    for (let suffix = 98; used.has(key); suffix++) key = `${base}${String.fromCodePoint(suffix)}`;
    used.add(key);
    return key;
  });
}

const particles: ReadonlySet<string> = new Set(
  "van von der den de del della di da du la le ten ter zu zur al el bin ibn dos".split(" "),
);

/** `Laurens van der Maaten` → given `Laurens`, family `van der Maaten`; a comma parts them too: `Karimi Mahabadi, Rabeeh`. */
function splitName(name: string): { readonly given: string; readonly family: string } {
  const [before = "", after] = name.split(/\s*,\s*/);
  if (after !== undefined) return { given: after, family: before };
  const parts = name.trim().split(/\s+/);
  let start = Math.max(parts.length - 1, 0);
  if (/^(jr|sr|ii|iii|iv)\.?$/i.test(parts[start] ?? "") && start > 1) start--;
  while (start > 1 && particles.has((parts[start - 1] ?? "").toLowerCase())) start--;
  return { given: parts.slice(0, start).join(" "), family: parts.slice(start).join(" ") };
}

type Kind = "conference" | "journal" | "preprint";

function kindOf({ venue }: Paper): Kind {
  if (venue === undefined || /arxiv/i.test(venue)) return "preprint";
  return /\b(TMLR|JMLR|TACL|Journal|Transactions|Letters|Nature)\b/i.test(venue) ? "journal" : "conference";
}

const arxivAddress = (arxiv: string): string => `https://arxiv.org/abs/${arxiv}`;

/** Where the paper is read. */
const addressOf = ({ url, doi, arxiv }: Paper): string | undefined =>
  url ??
  (doi === undefined ? undefined : `https://doi.org/${doi}`) ??
  (arxiv === undefined ? undefined : arxivAddress(arxiv));

const bibtexEscapes: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
};

const bibtexText = (text: string): string =>
  text
    .replace(/[\\~^&%$#_{}]/g, (character) => bibtexEscapes[character] ?? `\\${character}`)
    .replace(/\s+/g, " ");

function bibtex(paper: Paper, key: string): string {
  const kind = kindOf(paper);
  const names = paper.authors.map((name) => {
    const { given, family } = splitName(name);
    return bibtexText(given === "" ? family : `${family}, ${given}`);
  });
  if (names.length > 0 && (paper.authorCount ?? 0) > names.length) names.push("others");
  const author =
    names.length > 0 ? names.join(" and ") : paper.organisation && `{${bibtexText(paper.organisation)}}`;
  const address = paper.arxiv === undefined ? addressOf(paper) : undefined;
  const fields: readonly (readonly [string, string | undefined])[] = [
    // doubled braces keep the capitals of LoRA
    ["title", `{${bibtexText(paper.title)}}`],
    ["author", author],
    [
      kind === "journal" ? "journal" : "booktitle",
      kind === "preprint" ? undefined : bibtexText(paper.venue ?? ""),
    ],
    ["year", paper.year === undefined ? undefined : String(paper.year)],
    ["eprint", paper.arxiv],
    ["archivePrefix", paper.arxiv === undefined ? undefined : "arXiv"],
    ["doi", paper.doi],
    // an address is not text: escaped underscores would break it
    ["url", address?.replace(/[{}\s]/g, "")],
  ];
  const body = fields.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name} = {${value}},\n`]));
  const type = { conference: "inproceedings", journal: "article", preprint: "misc" }[kind];
  return `@${type}{${key},\n${body.join("")}}\n`;
}

function cslJson(paper: Paper, id: string): Record<string, unknown> {
  const { title, year, venue, doi, arxiv, summary, origin } = paper;
  const authors = paper.authors.map((name) => {
    const { given, family } = splitName(name);
    return given === "" ? { literal: family } : { family, given };
  });
  if (authors.length === 0 && paper.organisation !== undefined) authors.push({ literal: paper.organisation });
  const kind = kindOf(paper);
  return {
    id,
    type: { conference: "paper-conference", journal: "article-journal", preprint: "article" }[kind],
    title,
    ...(authors.length === 0 ? {} : { author: authors }),
    ...(year === undefined ? {} : { issued: { "date-parts": [[year]] } }),
    ...(kind === "preprint" ? {} : { "container-title": venue }),
    ...(arxiv === undefined ? {} : { archive: "arXiv", archive_location: arxiv }),
    ...(doi === undefined ? {} : { DOI: doi }),
    ...(addressOf(paper) === undefined ? {} : { URL: addressOf(paper) }),
    ...(origin === "user" && summary !== "" ? { abstract: summary } : {}),
  };
}

function ris(paper: Paper, key: string): string {
  const kind = kindOf(paper);
  const authors = paper.authors.map((name) => {
    const { given, family } = splitName(name);
    return given === "" ? family : `${family}, ${given}`;
  });
  const lines: readonly (readonly [string, string | undefined])[] = [
    ["TY", { conference: "CPAPER", journal: "JOUR", preprint: "UNPB" }[kind]],
    ["ID", key],
    ["TI", paper.title],
    ...(authors.length > 0 ? authors : [paper.organisation]).map((name) => ["AU", name] as const),
    ["PY", paper.year === undefined ? undefined : String(paper.year)],
    [kind === "journal" ? "JO" : "T2", kind === "preprint" ? undefined : paper.venue],
    ["DO", paper.doi],
    ["AN", paper.arxiv === undefined ? undefined : `arXiv:${paper.arxiv}`],
    ["UR", addressOf(paper)],
  ];
  const body = lines.flatMap(([tag, value]) =>
    value === undefined ? [] : [`${tag}  - ${value.replace(/\s+/g, " ").trim()}\r\n`],
  );
  return `${body.join("")}ER  - \r\n`;
}
