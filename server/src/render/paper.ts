/** A paper in words: the line that names it, the address it lives at, its first paragraph. */
import { authorsInShort } from "../literature/cite";
import type { Paper } from "../literature/model";
import { dotted, escape, link } from "./markdown";

/** "ICLR 2022", without saying the year twice. */
export function venueAndYear(paper: Paper): string {
  const { venue, year } = paper;
  if (year === undefined) return venue ?? "";
  if (venue === undefined) return String(year);
  return venue.includes(String(year)) ? venue : `${venue} ${year}`;
}

/** Where to read the paper: arXiv, else its DOI, else its page. */
export function address(paper: Paper): { readonly label: string; readonly url: string } | undefined {
  if (paper.arxiv !== undefined)
    return { label: `arXiv:${paper.arxiv}`, url: `https://arxiv.org/abs/${paper.arxiv}` };
  if (paper.doi !== undefined) return { label: `doi:${paper.doi}`, url: `https://doi.org/${paper.doi}` };
  return /^https?:/.test(paper.url ?? "") ? { label: "page", url: paper.url ?? "" } : undefined;
}

/** **LoRA: Low-Rank Adaptation…** · Hu et al. · ICLR 2022 · [arXiv:2106.09685](…) */
export function paperLine(paper: Paper): string {
  const at = address(paper);
  return dotted(
    `**${escape(paper.title)}**`,
    escape(authorsInShort(paper) ?? ""),
    escape(venueAndYear(paper)),
    at && link(at.label, at.url),
  );
}

/** What people call the paper: its first alias, else the title up to its colon. */
export const shortName = (paper: Paper): string =>
  paper.aliases[0] ?? paper.title.split(":")[0] ?? paper.title;

/** [LoRA](https://arxiv.org/abs/2106.09685) */
export function paperLink(paper: Paper): string {
  const at = address(paper);
  return at === undefined ? escape(shortName(paper)) : link(shortName(paper), at.url);
}

/** The first paragraph of the summary, cut at the end of a sentence where it is long. */
export function firstParagraph(summary: string, longest = 700): string {
  const paragraph = (summary.trim().split(/\n\s*\n/)[0] ?? "").replace(/\s+/g, " ");
  if (paragraph.length <= longest) return paragraph;
  const cut = paragraph.slice(0, longest);
  const end = Math.max(cut.lastIndexOf(". "), cut.lastIndexOf("? "), cut.lastIndexOf("! "));
  return end > longest / 3 ? cut.slice(0, end + 1) : `${cut.slice(0, cut.lastIndexOf(" "))}…`;
}
