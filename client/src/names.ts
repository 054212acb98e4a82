/** How people and figures are written in lists and citations. */

/** "Karimi Mahabadi" of "Karimi Mahabadi, Rabeeh", "Hu" of "Edward J. Hu". */
export function surname(author: string): string {
  const [beforeComma = author, given] = author.split(",");
  return given === undefined ? (author.trim().split(" ").at(-1) ?? author) : beforeComma.trim();
}

/** "Rabeeh Karimi Mahabadi" of "Karimi Mahabadi, Rabeeh"; other names as they are. */
export function fullName(author: string): string {
  const [family = author, given] = author.split(",");
  return given === undefined ? author : `${given.trim()} ${family.trim()}`;
}

/** "Hu et al.", "Hu"; `undefined` where no author is known. */
export function shortAuthors(authors: readonly string[], count = authors.length): string | undefined {
  const [first] = authors;
  if (first === undefined) return undefined;
  return count > 1 ? `${surname(first)} et al.` : surname(first);
}

/** "0.14 %", "1.4 %", "133 %" */
export function percent(share: number): string {
  const figure = share * 100;
  return `${figure >= 10 ? Math.round(figure) : Number(figure.toPrecision(2))} %`;
}
