/** What all places of a file have in common. */
import type { SiteKind } from "../literature/model";
import type { ModuleClass, Range } from "../python/facts";

export interface PlaceOf<Kind extends SiteKind> {
  readonly kind: Kind;
  /** Names the place within its file, stable while the user edits elsewhere: `linear:CausalSelfAttention:c_attn`. */
  readonly key: string;
  /** What a title calls it: `c_attn`. */
  readonly label: string;
  /** The code a cursor must touch for the place to be offered. */
  readonly touch: readonly Range[];
  /** Why only what torch.jit.script compiles can be put here. */
  readonly compiled?: string;
  /** Why nothing can soundly be put here. */
  readonly obstacle?: string;
}

/** Why nothing can be built in a class. */
export const noInit = (module: ModuleClass): string | undefined =>
  module.init === undefined
    ? `\`${module.name}\` has no __init__ in which the adapter could be built; add one that calls super().__init__().`
    : undefined;

/** `obstacle` only where there is one, as exactOptionalPropertyTypes wants it. */
export const because = (obstacle: string | undefined): { obstacle?: string } =>
  obstacle === undefined ? {} : { obstacle };
