/** What a configuration file says, in the vocabulary that calls have too: a key is an argument's name, its value an expression. */
import type { Expression, Range } from "../python/facts";

export interface Entry {
  readonly key: { readonly name: string; readonly range: Range };
  /** From the key to the end of the value, without a comment behind it. */
  readonly range: Range;
  readonly value: Expression;
  /** The mapping that the value is, or those that it lists. */
  readonly mappings: readonly Mapping[];
  /** What the value lists. */
  readonly items: readonly Expression[];
  /** `<<: *base`: brings keys that do not stand here. */
  readonly merge: boolean;
}

export interface Mapping {
  readonly range: Range;
  readonly entries: readonly Entry[];
}

export interface Tree {
  readonly top: Mapping;
  readonly comments: readonly Range[];
  /** Whether all of it could be read; where not, keys may be missing. */
  readonly complete: boolean;
}
