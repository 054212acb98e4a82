/** What a misspelt word was meant to be, among the words of titles: one letter more, less, another, or two swapped. */

/** At most so many readings of one word. */
const mostReadings = 3;

export interface Spelling {
  add(words: readonly string[]): void;
  /** Whether a title has the word; with `unfinished`, whether one has a word that begins so. */
  knows(word: string, unfinished: boolean): boolean;
  /** The words nearest to one that no title has, the commonest first; with `unfinished`, of those that begin so. */
  readings(word: string, unfinished: boolean): readonly string[];
}

export function createSpelling(): Spelling {
  const counts = new Map<string, number>();
  // a misspelling keeps one of the first two letters
  const byLetter = new Map<string, string[]>();
  const candidates = (word: string): string[] => [
    ...new Set([word.slice(0, 1), word.slice(1, 2)].flatMap((letter) => byLetter.get(letter) ?? [])),
  ];
  return {
    add(words) {
      for (const word of words) {
        const count = counts.get(word) ?? 0;
        counts.set(word, count + 1);
        if (count > 0) continue;
        for (const letter of new Set([word.slice(0, 1), word.slice(1, 2)])) {
          const group = byLetter.get(letter);
          if (group === undefined) byLetter.set(letter, [word]);
          else group.push(word);
        }
      }
    },
    knows: (word, unfinished) =>
      counts.has(word) ||
      (unfinished && (byLetter.get(word.slice(0, 1)) ?? []).some((known) => known.startsWith(word))),
    readings(word, unfinished) {
      const near = candidates(word).filter((known) =>
        unfinished ? beginsNear(known, word) : isNear(known, word),
      );
      return near.sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0)).slice(0, mostReadings);
    },
  };
}

/** Whether some beginning of `known` is one mistake away from `word`. */
function beginsNear(known: string, word: string): boolean {
  for (const length of [word.length - 1, word.length, word.length + 1])
    if (length <= known.length && isNear(known.slice(0, length), word)) return true;
  return false;
}

/** Whether one letter more, less, another, or two neighbours swapped make `b` of `a`. */
function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) from++;
  let [endA, endB] = [a.length, b.length];
  while (endA > from && endB > from && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  const [left, right] = [endA - from, endB - from];
  if (left <= 1 && right <= 1) return true;
  return left === 2 && right === 2 && a[from] === b[from + 1] && a[from + 1] === b[from];
}
