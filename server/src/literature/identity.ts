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
