/** Text as search sees it: words, what they are reduced to, and sentences. */
import { stemmer } from "stemmer";

/** English words that carry no topic. */
const stopWords: ReadonlySet<string> = new Set(
  (
    "a about above after again all also am an and any are as at be because been before being below between both but by " +
    "can cannot could did do does doing down during each few for from further had has have having he her here hers him " +
    "his how i if in into is it its itself just me more most my no nor not of off on once only or other our ours out " +
    "over own same she should so some such than that the their theirs them then there these they this those through to " +
    "too under until up upon us very was we were what when where which while who whom why will with would you your yours"
  ).split(" "),
);

const wordPattern = /[\p{L}\p{N}]+/gu;

const ligatures: Readonly<Record<string, string>> = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d" };

/** Beyond these, letters have accents and ligatures. */
const plain = /^[\t\n\x20-\x7e]*$/;

/** Lower case without accents: `Nyström` → `nystrom`, `Straße` → `strasse`. */
export function fold(text: string): string {
  if (plain.test(text)) return text.toLowerCase();
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[ßæœøłđ]/g, (letter) => ligatures[letter] ?? letter);
}

/** Words of a text in order, folded. */
export function words(text: string): string[] {
  return fold(text).match(wordPattern) ?? [];
}

/** What a folded word is indexed as; null for a stop word. */
export function stem(word: string): string | null {
  return stopWords.has(word) ? null : stemmed(word);
}

/** Texts repeat their words: most stems are asked for again and again. */
const stems = new Map<string, string>();
const mostStems = 20_000;

function stemmed(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  if (stems.size >= mostStems) stems.clear();
  const found = stemmer(word);
  stems.set(word, found);
  return found;
}

/** Sentences of plain text. A full stop ends one where white space and a capital or figure follow. */
export function sentences(text: string): string[] {
  return text
    .split(/(?<=[.!?])\s+(?=[\p{Lu}\p{N}"(])|\n+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");
}

/** The sentence with most of the `matched` index terms, those between `**`; cut around the first match when long. */
export function snippet(text: string, matched: ReadonlySet<string>, longest = 240): string {
  const matches = (word: string): boolean => {
    const folded = fold(word);
    return matched.has(folded) || matched.has(stemmed(folded));
  };
  const parts = sentences(text);
  const score = (sentence: string): number =>
    new Set((sentence.match(wordPattern) ?? []).filter(matches).map((word) => stemmed(fold(word)))).size;
  const best = parts.reduce<{ sentence: string; score: number }>(
    (leader, sentence) => {
      const own = score(sentence);
      return own > leader.score ? { sentence, score: own } : leader;
    },
    { sentence: parts[0] ?? "", score: 0 },
  ).sentence;
  // asterisks of the text itself would read as marks
  return cut(best.replaceAll("*", "∗"), matches, longest).replace(wordPattern, (word) =>
    matches(word) ? `**${word}**` : word,
  );
}

function cut(sentence: string, matches: (word: string) => boolean, longest: number): string {
  if (sentence.length <= longest) return sentence;
  const first = [...sentence.matchAll(wordPattern)].find(([word]) => matches(word))?.index ?? 0;
  const wanted = Math.max(0, Math.min(first - longest / 3, sentence.length - longest));
  const from = wanted === 0 ? 0 : sentence.indexOf(" ", wanted) + 1;
  const end = from + longest >= sentence.length ? sentence.length : sentence.lastIndexOf(" ", from + longest);
  const to = end > from ? end : from + longest;
  return `${from > 0 ? "…" : ""}${sentence.slice(from, to)}${to < sentence.length ? "…" : ""}`;
}
