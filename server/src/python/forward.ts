import type { ClassStmt } from "./ast";
import type { Block } from "./block";
import type { BlockStack, ResidualBranch, SkipConcatenation } from "./facts";
import type { Scope } from "./scope";

export interface ForwardFacts {
  readonly residuals: readonly ResidualBranch[];
  readonly skips: readonly SkipConcatenation[];
  readonly stacks: readonly BlockStack[];
}

export function forwardFacts(_node: ClassStmt, _block: Block, _scope: Scope): ForwardFacts {
  return { residuals: [], skips: [], stacks: [] };
}
