/** The word that a misspelt one was surely meant to be. */

/** Letters that must be changed, left out, put in or swapped to make `b` of `a`; case, hyphens and underscores are as good as equal. */
function distance(a: string, b: string): number {
  const [one, other] = [plain(a), plain(b)];
  let last: readonly number[] = [];
  let row = [...Array(other.length + 1).keys()];
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      const swapped = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swap = swapped ? (last[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution, swap));
    }
    [last, row] = [row, next];
  }
  return row.at(-1) ?? 0;
}

const plain = (word: string): string => word.toLowerCase().replace(/[-_]/g, "");

/** Undefined where none is within `reach` letters, or two are equally near; of two that differ in capitals alone, the first. */
export function nearest(word: string, known: readonly string[], reach = 2): string | undefined {
  const ranked = known
    .filter((each, index) => known.findIndex((other) => plain(other) === plain(each)) === index)
    .map((each) => ({ each, away: distance(word, each) }))
    .filter(({ away }) => away <= (word.length < 5 ? 1 : reach))
    .sort((a, b) => a.away - b.away);
  const [first, second] = ranked;
  return first !== undefined && first.away < (second?.away ?? Infinity) ? first.each : undefined;
}
