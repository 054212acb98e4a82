/** When two mentions mean one paper. */

/** Letters and digits in lower case without accents or TeX, words parted by single spaces. */
export function normaliseTitle(title: string): string {
  return title
    .normalize("NFKD")
    .replace(/[\u0300-\u036f$^{}\\]/g, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** `arXiv:2106.09685v2` → `2106.09685`. */
export function normaliseArxiv(identifier: string): string {
  return identifier
    .trim()
    .replace(/^https?:\/\/(www\.)?arxiv\.org\/(abs|pdf|html)\//i, "")
    .replace(/^arxiv:/i, "")
    .replace(/\.pdf$/i, "")
    .replace(/v\d+$/i, "");
}

interface Identified {
  readonly title: string;
  readonly arxiv?: string;
}

/** Whether two records mean one paper: by arXiv identifier, else by title. */
export function samePaper(a: Identified, b: Identified): boolean {
  return (
    (a.arxiv !== undefined && b.arxiv !== undefined && normaliseArxiv(a.arxiv) === normaliseArxiv(b.arxiv)) ||
    normaliseTitle(a.title) === normaliseTitle(b.title)
  );
}
