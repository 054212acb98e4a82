/** What the methods of a module class do with its layers: residual branches, concatenated skips, stacks of blocks. */
import { type ClassStmt, type FunctionStmt, walkStatements } from "../tree/ast";
import type { Block } from "../names/block";
import type { BlockStack, Range, ResidualBranch, SkipConcatenation } from "../facts";
import { Flow } from "./flow";
import { runMethods, soundStacks } from "./forwardObstacles";
import { residualsIn } from "./residuals";
import type { Scope } from "../names/scope";
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
  const run = runMethods(node);
  for (const method of node.body) {
    if (method.kind !== "function" || method.name === "__init__") continue;
    for (const each of [method, ...inside(method)]) {
      const flow = new Flow(node, each, block, scope);
      residuals.push(...residualsIn(flow));
      skips.push(...skipsIn(flow));
      if (run.has(method.name)) stacks.push(...soundStacks(stacksIn(flow), node, each, block, scope));
    }
  }
  return { residuals: perLayer(residuals, block), skips: perList(skips), stacks };
}

/** Skips of several methods that run the same blocks, as one. */
function perList(found: readonly SkipConcatenation[]): SkipConcatenation[] {
  const result: SkipConcatenation[] = [];
  for (const skip of found) {
    const { loop } = skip;
    const index = result.findIndex(
      (each) =>
        loop?.built !== undefined &&
        each.loop?.built?.beside.from === loop.built.beside.from &&
        each.loop.header.from !== loop.header.from,
    );
    const same = result[index];
    if (same) result[index] = { ...same, repeats: [...(same.repeats ?? []), skip] };
    else result.push(skip);
  }
  return result;
}

/** One branch for each layer, with what else is computed by calling it. */
function perLayer(found: readonly ResidualBranch[], block: Block): ResidualBranch[] {
  const sameText = (one: Range, other: Range) => block.slice(one) === block.slice(other);
  const byLayer = new Map<string, ResidualBranch>();
  const more: ResidualBranch[] = [];
  for (const branch of found) {
    const first = byLayer.get(branch.layer);
    if (!first) byLayer.set(branch.layer, branch);
    else if (branch.sublayer.from === first.sublayer.from && !sameText(branch.branch, first.branch))
      more.push({
        ...branch,
        obstacle: `One call of \`${branch.layer}\` gives several outputs that are added; an adapter goes on the first.`,
      });
    else {
      const { stream, statement } = branch;
      const again = branch.sublayer.from !== first.sublayer.from && branch.input;
      const repeat = {
        branch: branch.branch,
        ...(again && { input: again }),
        ...(stream !== undefined && { stream }),
        statement,
      };
      const obstacle = first.obstacle ?? branch.obstacle;
      const { input, ...rest } = first;
      byLayer.set(branch.layer, {
        ...rest,
        // what reads its input once and again must be wrapped at each call, or at none
        ...(input && branch.input && { input }),
        repeats: [...(first.repeats ?? []), repeat],
        ...(obstacle !== undefined && { obstacle }),
      });
    }
  }
  return [...byLayer.values(), ...more].sort((one, other) => one.branch.from - other.branch.from);
}

/** Functions in a method, as `def inner(x)` for `checkpoint(inner, x)`. */
function inside(method: FunctionStmt): FunctionStmt[] {
  const found: FunctionStmt[] = [];
  walkStatements(method.body, (statement) => {
    if (statement.kind === "function") found.push(statement);
    return statement.kind !== "class";
  });
  return found;
}
