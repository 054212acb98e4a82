/** What the methods of a module class do with its layers: residual branches, concatenated skips, stacks of blocks. */
import type { ClassStmt } from "./ast";
import type { Block } from "./block";
import type { BlockStack, ResidualBranch, SkipConcatenation } from "./facts";
import { Flow } from "./flow";
import { residualsIn } from "./residuals";
import type { Scope } from "./scope";
import { skipsIn } from "./skips";
import { stacksIn } from "./stacks";

export interface ForwardFacts {
  readonly residuals: readonly ResidualBranch[];
  readonly skips: readonly SkipConcatenation[];
  readonly stacks: readonly BlockStack[];
}

/** Reads every method but the constructor: `forward` may hand its work to others. */
export function forwardFacts(node: ClassStmt, block: Block, scope: Scope): ForwardFacts {
  const residuals: ResidualBranch[] = [];
  const skips: SkipConcatenation[] = [];
  const stacks: BlockStack[] = [];
  for (const method of node.body) {
    if (method.kind !== "function" || method.name === "__init__") continue;
    const flow = new Flow(node, method, block, scope);
    residuals.push(...residualsIn(flow));
    skips.push(...skipsIn(flow));
    stacks.push(...stacksIn(flow));
  }
  return { residuals, skips, stacks };
}
