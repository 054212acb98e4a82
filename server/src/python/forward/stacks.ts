/** Where embedded tokens run through the stack of blocks: `for block in self.blocks: x = block(x)`. */
import { type Expr, expressionsOf, type ForStmt, type Stmt, walkExpression } from "../tree/ast";
import type { BlockLoop, BlockStack } from "../facts";
import type { Flow } from "./flow";
import { isConvolutional } from "./roles";
import { blockWidth, outputWidth, streamWidth } from "./widths";

/** All block stacks of a method in source order. */
export function stacksIn(flow: Flow): BlockStack[] {
  const found: BlockStack[] = [];
  /** Stacks whose call reads another name than the one that they write. */
  const renamed = new Set<BlockStack>();
  for (const { statement, loop } of flow.steps) {
    if (statement.kind !== "assign" && statement.kind !== "return") continue;
    const variable = variableOf(statement);
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (node) => {
        const called = flow.layerCall(node);
        const [input] = called?.arguments ?? [];
        if (!called) return;
        const inLoop = loop !== undefined && called.loopVariable && /\.\*$/.test(called.path);
        const layer = inLoop ? called.path.replace(/\.\*$/, "") : called.path;
        const through = variable ?? (input?.kind === "name" ? input.name : undefined);
        if (through === undefined || !(inLoop ? isBlock(called.path, flow) : isStack(layer, flow))) return;
        if (inLoop && input?.kind === "name" && input.name !== through) return;
        const whole = inLoop ? loop : statement;
        if (found.some((stack) => stack.statement.from === whole.from)) return;
        const width = widthOf(inLoop ? called.path : layer, flow);
        const around = inLoop ? loopOf(loop, flow) : undefined;
        const given = inLoop ? undefined : sequenceInput(statement, node, layer, flow);
        const stack: BlockStack = {
          statement: { from: whole.from, to: whole.to },
          variable: through,
          layer,
          ...(width && { width }),
          ...(around && { loop: around }),
          ...(given !== undefined && { input: given }),
        };
        found.push(stack);
        if (input?.kind !== "name" || input.name !== through) renamed.add(stack);
      });
  }
  const plain = found.filter((stack) => !renamed.has(stack));
  return [...renamed, ...oneOfBranches(plain, flow)].sort(
    (one, other) => one.statement.from - other.statement.from,
  );
}

/**
 * `if self.checkpointing: x = checkpoint_seq(self.blocks, x)`, `else: x = self.blocks(x)`: one stack, whose statement
 * is the whole `if`, where every branch does nothing but run it.
 */
function oneOfBranches(stacks: readonly BlockStack[], flow: Flow): BlockStack[] {
  const left = [...stacks];
  // inner ones first
  for (const { statement } of flow.steps.toReversed()) {
    if (statement.kind !== "if" || statement.branches.at(-1)?.test !== undefined) continue;
    const each = statement.branches.map(({ test, body: [only, more] }) => {
      const stack = more ? undefined : left.find((one) => one.statement.from === only?.from);
      return stack && { stack, asked: test !== undefined && asksFor(test, flow) };
    });
    const [first] = each;
    if (
      first === undefined ||
      !each.every(
        (one) => one?.stack.layer === first.stack.layer && one.stack.variable === first.stack.variable,
      )
    )
      continue;
    const { layer, variable, width } = first.stack;
    const plain = each.flatMap((one) =>
      one === undefined || one.asked ? [] : (one.stack.plain ?? [one.stack.statement]),
    );
    const whole: BlockStack = {
      statement: { from: statement.from, to: statement.to },
      plain,
      variable,
      layer,
      ...(width && { width }),
    };
    const rest = left.filter((one) => !each.some((branch) => branch?.stack === one));
    left.splice(0, left.length, ...rest, whole);
  }
  return left;
}

/** `attn_mask is not None` of a parameter that is None unless a caller gives it. */
function asksFor(test: Expr, { method, block }: Flow): boolean {
  const given = [...block.slice(test).matchAll(/\b(\w+) is not None\b/g)].map(([, name]) => name);
  return method.parameters.some(
    (parameter) =>
      given.includes(parameter.name) &&
      parameter.default !== undefined &&
      block.slice(parameter.default) === "None",
  );
}

/** The loop as one that statements can be added to: no round may end early, and its body needs lines of its own. */
function loopOf(loop: ForStmt, { block }: Flow): BlockLoop | undefined {
  const { from, to, target, iterable, headerTo, body, otherwise } = loop;
  const [first] = body;
  if (!first || otherwise.length > 0) return undefined;
  if (!/[\r\n]/.test(block.text.slice(headerTo, first.from))) return undefined;
  if (/\b(?:continue|break|return)\b/.test(block.text.slice(headerTo, to))) return undefined;
  const index = countOf(target, iterable);
  return {
    header: { from, to: headerTo },
    target: block.slice(target),
    iterable: block.slice(iterable),
    ...(index !== undefined && { index }),
    body: { from: first.from, to: first.to },
  };
}

/** `i` of `for i, block in enumerate(self.blocks)` and of `for i in range(n)`. */
function countOf(target: Expr, iterable: Expr): string | undefined {
  if (iterable.kind !== "call" || iterable.arguments.length !== 1) return undefined;
  const callee = iterable.callee.kind === "name" ? iterable.callee.name : "";
  const counter = callee === "enumerate" && target.kind === "tuple" ? target.items[0] : target;
  return (callee === "enumerate" || callee === "range") && counter?.kind === "name"
    ? counter.name
    : undefined;
}

/** `y` of `x = self.blocks(y)`, where the blocks can be walked through instead. */
function sequenceInput(statement: Stmt, call: Expr, layer: string, flow: Flow): string | undefined {
  if (statement.kind !== "assign" || statement.operator !== "=" || statement.value !== call) return undefined;
  const [target, another] = statement.targets;
  if (target?.kind !== "name" || another || call.kind !== "call") return undefined;
  const [input, more] = call.arguments;
  if (!input || more || input.star || input.keyword) return undefined;
  return /(?:^|\.)Sequential$/.test(flow.layerAt(layer)?.type ?? "")
    ? flow.block.slice(input.value)
    : undefined;
}

function variableOf(statement: Stmt): string | undefined {
  if (statement.kind !== "assign") return undefined;
  const [target] = statement.targets;
  const first = target?.kind === "tuple" ? target.items[0] : target;
  return first?.kind === "name" ? first.name : undefined;
}

/** A module with parts of its own, not a bare projection or activation. */
function isBlock(path: string, flow: Flow): boolean {
  const layer = flow.layerAt(path);
  if (isConvolutional(path, flow)) return false;
  return layer?.role === "module" || (layer?.role === "container" && layer.form !== "attribute");
}

function isStack(path: string, flow: Flow): boolean {
  const layer = flow.layerAt(path);
  if (!layer) return false;
  if (/^torch\.nn\.Transformer(?:En|De)coder$/.test(layer.type)) return true;
  if (!/(?:^|\.)Sequential$/.test(layer.type)) return false;
  const children = flow.layers.filter((each) => each.path.startsWith(`${path}.`));
  return (
    children.length > 0 &&
    !children.some((each) => isConvolutional(each.path, flow)) &&
    children.every((each) => each.role === "module") &&
    children.some((each) => each.path.endsWith(".*") || children.length > 1)
  );
}

function widthOf(path: string, flow: Flow) {
  const layer = flow.layerAt(path);
  const element =
    layer && /(?:^|\.)(?:Sequential|TransformerEncoder|TransformerDecoder)$/.test(layer.type)
      ? flow.layers.find((each) => each.path.startsWith(`${path}.`))
      : layer;
  if (!element) return streamWidth(flow);
  return blockWidth(element.path, flow) ?? outputWidth(element.path, flow) ?? streamWidth(flow);
}
