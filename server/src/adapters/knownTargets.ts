/** Which layers papers and libraries adapt, by the names that models give them: the lists documented for `target_modules`. */
import type { Library } from "../literature/library";

export interface KnownTargets {
  readonly names: readonly string[];
  /** In whose words: "queries and values", "BERT, RoBERTa". */
  readonly meaning: string;
}

/** `fields`: the names that libraries give to the list of layers, those first whose values come first. */
export function knownTargets(
  library: Pick<Library, "fields">,
  fields: readonly string[] = ["target_modules"],
): KnownTargets[] {
  const lists = fields
    .flatMap((name) => library.fields(name))
    .flatMap(({ field }) => field.values ?? [])
    .map(({ value, meaning = "" }) => ({ names: namesIn(value), meaning }))
    .filter(({ names }) => names.length > 0);
  return lists.filter(
    ({ names }, index) => lists.findIndex((other) => other.names.join() === names.join()) === index,
  );
}

const namesIn = (value: string): string[] =>
  value.startsWith("[") ? [...value.matchAll(/["']([\w.]+)["']/g)].flatMap(([, name]) => name ?? []) : [];

/** The first list that a model has all of, whatever its options; otherwise everything it may have. */
export function suggested(
  available: readonly string[],
  certain: readonly string[],
  known: readonly KnownTargets[],
): readonly string[] {
  return known.find(({ names }) => names.every((name) => certain.includes(name)))?.names ?? available;
}

/** The lists for a checkpoint or class whose name speaks of an architecture: "bert-base-uncased", `LlamaForCausalLM`. */
export function targetsOf(architecture: string, known: readonly KnownTargets[]): readonly KnownTargets[] {
  const named = targetsNamed(architecture, known);
  if (named.length === 0) return known;
  // Those that use the same names: queries and values alone stand before all of a block.
  const names = new Set(named.flatMap((list) => list.names));
  return known.filter((list) => list.names.some((name) => names.has(name)));
}

/** The lists whose meaning speaks of the architecture. */
export function targetsNamed(architecture: string, known: readonly KnownTargets[]): KnownTargets[] {
  const spoken = architecture.toLowerCase();
  const isSpoken = (word: string): boolean => {
    const name = word.replaceAll("-", "-?"); // GPT-2 is written gpt2
    return new RegExp(`(?<![a-z])${name}(?![a-z])|(?<![a-z])${name}(?=for|model)`).test(spoken);
  };
  return known.filter(({ meaning }) =>
    [...meaning.toLowerCase().matchAll(/[a-z][\w-]+/g)].some(([word]) => !common.has(word) && isSpoken(word)),
  );
}

/** Words of a meaning that name no architecture. */
const common = new Set(
  "all and the of on in one as runs attention queries values authors examples projection model".split(" "),
);
