/** Values of the corpus as Python of the user's file. */
import type { Edit } from "../../adapters/edits";
import { named } from "../../adapters/libraryNames";
import { evaluate } from "../../literature/expression";
import type { FeatureContext, OpenDocument } from "../context";

export interface Filled {
  readonly written: string;
  /** Imports of what it names. */
  readonly edits: readonly Edit[];
  /** Why it cannot be written. */
  readonly problem?: string;
}

/**
 * A value with its {names} filled in: dotted ones as the file has them, the others by `wordOf`. With numbers for words it is
 * worked out.
 */
export function fill(
  { library }: FeatureContext,
  { python }: OpenDocument,
  template: string,
  wordOf: (name: string) => string | undefined = () => undefined,
): Filled {
  const edits = new Map<string, readonly Edit[]>();
  const problems: string[] = [];
  const words: string[] = [];
  const written = template.replace(/\{([A-Za-z_][\w.]*)\}/g, (_, name: string) => {
    if (!name.includes(".")) {
      const word = wordOf(name) ?? "";
      words.push(word);
      return /^[\w.]+$/.test(word) ? word : `(${word})`;
    }
    const found = named(python, [name, ...(library.symbol(name)?.qualified ?? [])]);
    if (found === undefined)
      problems.push(`This file calls something else \`${name.split(".").at(-1) ?? name}\`.`);
    edits.set(name, found?.edits ?? []);
    return found?.written ?? name;
  });
  const value = words.length > 0 ? evaluate(written, {}) : undefined;
  const [problem] = problems;
  return {
    written: inQuotes(value === undefined ? written : String(value), python.facts.layout.quote),
    edits: [...edits.values()].flat(),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Plain strings in the quotes that the file has. */
const inQuotes = (value: string, quote: string): string =>
  quote === '"' ? value : value.replace(/"([^"'\\]*)"/g, `${quote}$1${quote}`);
