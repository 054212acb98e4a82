/** The residual stream of a method: which values are it, and whether its channels are the last dimension. */
import { type CallExpr, type Expr, expressionsOf, walkExpression } from "../tree/ast";
import type { Flow } from "./flow";
import { isConvolutional } from "./roles";

const spatialNorm =
  /(?:GroupNorm|BatchNorm[23]d|InstanceNorm\dd|Norm_?(?:[23]d|nchw|chan\w*)|ChannelNorm)\w*$/i;
const casts = /^(?:float|half|double|bfloat16|to|type|type_as|contiguous|clone)$/;

/** A norm that takes the stream itself: it tells the stream's width and where its channels are. */
export interface StreamNorm {
  readonly path: string;
  readonly channelsFirst: boolean;
}

/** The value below casts: `x.float()` is x. */
export function uncast(expression: Expr): Expr {
  let node = expression;
  while (node.kind === "call" && node.callee.kind === "attribute" && casts.test(node.callee.name))
    node = node.callee.object;
  return node;
}

/** Whether a norm works on (B, C, H, W). */
export function isSpatialNorm(path: string, flow: Flow): boolean {
  const layer = flow.layerAt(path);
  return layer !== undefined && (spatialNorm.test(layer.type) || isConvolutional(path, flow));
}

/** The norms of one method, and which of them take a given stream. */
export class StreamNorms {
  private calls: { readonly path: string; readonly version: string }[] | undefined;

  constructor(private readonly flow: Flow) {}

  /** The norm that is given the stream as it is at `before`, or as it was or will be before a branch is added. */
  of(stream: Expr, before: number): StreamNorm | undefined {
    this.calls ??= this.normCalls();
    const versions = new Set<string>();
    this.follow(stream, before, versions, 6);
    const found = this.calls.find(({ version }) => versions.has(version));
    return found && { path: found.path, channelsFirst: isSpatialNorm(found.path, this.flow) };
  }

  private normCalls() {
    const { flow } = this;
    const calls: { path: string; version: string }[] = [];
    for (const { statement } of flow.steps)
      for (const expression of expressionsOf(statement))
        walkExpression(expression, (node) => {
          const called = flow.layerCall(node);
          const [first] = called?.arguments ?? [];
          const name = first && uncast(first);
          if (called && name?.kind === "name" && flow.roleAt(called.path) === "norm")
            calls.push({ path: called.path, version: this.version(name.name, statement.from) });
        });
    return calls;
  }

  private version(name: string, before: number): string {
    return `${name} ${this.flow.latest(name, before)?.statement.from ?? "given"}`;
  }

  /** `shortcut = x` is x, and what a branch is added to has the form of the sum. */
  private follow(expression: Expr, before: number, into: Set<string>, steps: number): void {
    const node = uncast(expression);
    if (node.kind === "binary" && node.operator === "+") {
      this.follow(node.left, before, into, steps - 1);
      this.follow(node.right, before, into, steps - 1);
    }
    if (node.kind !== "name" || steps <= 0) return;
    into.add(this.version(node.name, before));
    const assigned = this.flow.latest(node.name, before);
    if (!assigned || assigned.unpacked) return;
    const { statement, value } = assigned;
    if (statement.kind === "assign" && statement.operator !== "=")
      this.follow(node, statement.from, into, steps - 1);
    else this.follow(value, statement.from, into, steps - 1);
  }
}

/** Whether a method call such as `.permute(0, 3, 1, 2)` takes the channels from the last dimension or may do so. */
export function movesChannels({ callee, arguments: given }: CallExpr): boolean {
  const name = callee.kind === "attribute" || callee.kind === "name" ? callee.name : "";
  if (/^(?:rearrange|movedim|moveaxis)$/.test(name)) return true;
  if (!/^(?:permute|transpose|transpose_|swapaxes|swapdims)$/.test(name)) return false;
  const dimensions = given.flatMap(({ value }) =>
    value.kind === "tuple" || value.kind === "list" ? value.items : [value],
  );
  const numbers = dimensions.map((each) => (each.kind === "number" ? each.value : undefined));
  const last = numbers.at(-1);
  // (T, B, d) <-> (B, T, d); (B, C, H, W) -> (B, H, W, C)
  if (name !== "permute") return !(numbers.includes(0) && numbers.includes(1));
  return !(last === numbers.length - 1 || (numbers.length > 3 && last === 1));
}
