/** What a summand is the output of: the sub-layer below dropout, layer scale, reshapes and local names. */
import { type Expr, type Stmt, selfPath } from "../tree/ast";
import type { Flow, LayerCall } from "./flow";
import { movesChannels } from "./stream";

/** The sub-layer inside a branch. */
export interface Sublayer {
  readonly called: LayerCall;
  /** The statement that called it when that was an earlier one. */
  readonly earlier?: Stmt;
  /** Whether its output is transposed on the way to the sum, so that channels may not be last. */
  readonly moved?: boolean;
}

const maximumDepth = 24;
/** Layers that a branch passes through unchanged in width: the adapter goes around them, the sub-layer is inside. */
const aroundName = /drop|(?:^|_)(?:ls|gamma|layer_?scale|scale)_?\d*$|identity$|post_?norm|sandwich/i;
/** What a branch is multiplied with. */
const factorName = /gate|scale|gamma|alpha|lambda|mask|weight|(?:^|_)ls/i;
const shapeless =
  /(?:dropout\d?d?|drop_path|layer_norm|relu|gelu|silu|roll|reshape|flatten|squeeze|unsqueeze|permute|transpose|rearrange|movedim)$/;

/** The sub-layer whose output an operand of a sum is. */
export function sublayerOf(expression: Expr, before: number, flow: Flow, depth = 0): Sublayer | undefined {
  if (depth > maximumDepth) return undefined;
  const again = (node: Expr) => sublayerOf(node, before, flow, depth + 1);
  switch (expression.kind) {
    case "name": {
      const assigned = flow.latest(expression.name, before);
      if (!assigned || (assigned.value.kind === "binary" && assigned.value.operator === "+"))
        return undefined;
      const inner = sublayerOf(assigned.value, assigned.statement.from, flow, depth + 1);
      return inner && { ...inner, earlier: inner.earlier ?? assigned.statement };
    }
    case "binary": {
      if (expression.operator !== "*" && expression.operator !== "/") return undefined;
      // gate * attended: the factor may be a layer's output too
      const factors = [expression.left, expression.right];
      factors.sort((one, other) => rank(one, flow) - rank(other, flow));
      for (const factor of factors) {
        const inner = again(factor);
        if (inner) return inner;
      }
      return undefined;
    }
    case "conditional":
      return again(expression.then) ?? again(expression.otherwise);
    case "subscript":
      return isSlice(expression.items, flow) ? undefined : again(expression.object);
    case "attribute":
      // attended.last_hidden_state
      return selfPath(expression) === undefined ? again(expression.object) : undefined;
    case "call":
      break;
    default:
      return undefined;
  }
  const moved = movesChannels(expression);
  const pass = (node: Expr | undefined) => {
    const inner = node && again(node);
    return inner && moved ? { ...inner, moved } : inner;
  };
  const called = flow.layerCall(expression);
  if (called) {
    const role = flow.roleAt(called.path);
    const [first] = called.arguments;
    const passes =
      role === "dropout" || role === "norm" || aroundName.test(called.path.split(".").at(-1) ?? "");
    if (passes) return pass(first);
    return role === "activation" ? pass(first) : { called };
  }
  const { callee } = expression;
  const [first] = expression.arguments;
  const qualified = flow.scope.resolve(callee);
  // F.dropout(h), window_reverse(h, …)
  if (qualified !== undefined)
    return !qualified.includes(".") || shapeless.test(qualified) ? pass(first?.value) : undefined;
  // self.attn(x).transpose(1, 2)
  return callee.kind === "attribute" && selfPath(callee) === undefined ? pass(callee.object) : undefined;
}

/** Which factor of a product to look at first: a call, then a name, last what is named as a factor. */
function rank(factor: Expr, flow: Flow): number {
  let node = factor;
  while (node.kind === "subscript" || (node.kind === "call" && node.callee.kind === "attribute")) {
    if (node.kind === "call" && flow.layerCall(node)) return 0;
    node = node.kind === "call" && node.callee.kind === "attribute" ? node.callee.object : node;
    if (node.kind === "subscript") node = node.object;
  }
  const name = node.kind === "name" ? node.name : (selfPath(node) ?? "");
  return factorName.test(name) ? 2 : node.kind === "name" ? 1 : 0;
}

/** `outputs[1:]` of a tuple: what is added to it are no tensors. */
function isSlice(items: readonly Expr[], flow: Flow): boolean {
  const [only] = items;
  return items.length === 1 && only?.kind === "other" && /^[^()[\]]*:/.test(flow.block.slice(only));
}
