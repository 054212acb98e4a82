/** Skip connections of U-Nets: `torch.cat([h, skip], dim=1)`, and how many channels the skip has. */
import {
  bodiesOf,
  type CallExpr,
  type Expr,
  type ForStmt,
  type Stmt,
  walkExpression,
  expressionsOf,
} from "../tree/ast";
import { evaluate } from "../names/constants";
import type { Expression, SkipConcatenation } from "../facts";
import type { Flow } from "./flow";
import { convolves, isOneDimensional } from "./roles";
import { builtInOrder } from "./poppedSkips";
import { builtInLoop, initOf, popsIn, skipName } from "./skipLoops";
import { outputWidth } from "./widths";

/** All skip concatenations of a method in source order. */
export function skipsIn(flow: Flow): SkipConcatenation[] {
  const found: SkipConcatenation[] = [];
  if (!/\b(?:cat|concat|concatenate)\b/.test(flow.block.text)) return found;
  for (const { statement, loop } of flow.steps) {
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (node) => {
        const fact = node.kind === "call" ? concatenation(node, statement, loop, flow) : undefined;
        if (fact) found.push(fact);
      });
  }
  return found.sort((one, other) => one.call.from - other.call.from);
}

function concatenation(
  call: CallExpr,
  statement: Stmt,
  loop: ForStmt | undefined,
  flow: Flow,
): SkipConcatenation | undefined {
  const qualified = flow.scope.resolve(call.callee);
  if (!qualified || !/^torch\.(?:cat|concat|concatenate)$/.test(qualified)) return undefined;
  const named = (name: RegExp) =>
    call.arguments.find((argument) => argument.keyword && name.test(argument.keyword.name))?.value;
  const positional = call.arguments
    .filter((argument) => !argument.keyword && !argument.star)
    .map((argument) => argument.value);
  const tensors = positional[0] ?? named(/^tensors$/);
  const dimension = positional[1] ?? named(/^(?:dim|axis)$/);
  if ((tensors?.kind !== "list" && tensors?.kind !== "tuple") || tensors.items.length < 2 || !dimension)
    return undefined;
  const value = evaluate(dimension, {
    scope: flow.scope,
    block: flow.block,
    owner: flow.owner,
    function: flow.method,
  });
  if (value.kind !== "number" || (value.value !== 1 && value.value !== -3)) return undefined;
  // Along dimension 1, sequences are joined too: only convolutions make it the channels.
  if (!convolves(flow.owner, flow.block, flow.scope)) return undefined;
  const skip = skipOperand(tensors.items, statement, flow);
  if (!skip) return undefined;
  const turnByTurn = loop && builtInLoop(loop, popsIn(loop.body).length, flow);
  const inOrder = turnByTurn ? undefined : builtInOrder(skip, statement, flow);
  const built = turnByTurn ?? inOrder?.built;
  const loopFact = loop && {
    ...loopOf(loop, flow),
    ...(built && { built: { loop: built.loop, beside: built.beside, above: built.above } }),
    ...(inOrder && { taken: { from: inOrder.loop.from, to: inOrder.loop.to } }),
  };
  const alike = channelsOf(skip, tensors.items, call, statement, flow);
  const varies = loop !== undefined && (isPopped(skip) || !isAtHand(loop.iterable));
  const channels = built?.channels ?? (alike && !varies && isSteady(alike, flow) ? alike : undefined);
  return {
    call: { from: call.from, to: call.to },
    skip: { from: skip.from, to: skip.to },
    statement: { from: statement.from, to: statement.to },
    ...(channels && { channels }),
    ...(loopFact && { loop: loopFact }),
    ...(channels && isParameter(channels, flow) && isConditional(statement, flow) && { conditional: true }),
    ...(isOneDimensional(flow.owner, flow.block, flow.scope) && {
      obstacle: `\`${flow.owner.name}\` works on (B, C, L), which an adapter of skips would read as tokens (B, L, C).`,
    }),
  };
}

function loopOf(loop: ForStmt, { block }: Flow): NonNullable<SkipConcatenation["loop"]> {
  return {
    statement: { from: loop.from, to: loop.to },
    target: block.slice(loop.target),
    iterable: block.slice(loop.iterable),
    header: { from: loop.from, to: loop.headerTo },
  };
}

/** Whether `__init__` can run over it as well: it names nothing but attributes. */
function isAtHand(iterable: Expr): boolean {
  let names = true;
  walkExpression(iterable, (node) => {
    if (node.kind === "name" && !/^(?:self|zip|enumerate|reversed|list|len|range)$/.test(node.name))
      names = false;
  });
  return names;
}

/** Whether an expression is at the end of `__init__` what it was where it was written: no loop assigns its names. */
function isSteady({ text }: Expression, flow: Flow): boolean {
  let steady = true;
  const isNamed = (each: Expr): boolean =>
    each.kind === "tuple" || each.kind === "list"
      ? each.items.some(isNamed)
      : each.kind === "name" && new RegExp(`(?<![\\w.])${each.name}\\b`).test(text);
  const visit = (statements: readonly Stmt[], inLoop: boolean): void => {
    for (const statement of statements) {
      const targets =
        statement.kind === "for" ? [statement.target] : statement.kind === "assign" ? statement.targets : [];
      if ((inLoop || statement.kind === "for") && targets.some(isNamed)) steady = false;
      for (const body of bodiesOf(statement))
        visit(body, inLoop || statement.kind === "for" || statement.kind === "while");
    }
  };
  visit(initOf(flow)?.body ?? [], false);
  return steady;
}

const isParameter = ({ text }: Expression, flow: Flow): boolean =>
  initOf(flow)?.parameters.some(({ name }) => name === text) === true;

/** Whether a condition around the statement asks for the skip: `if skip is not None:`. */
function isConditional(statement: Stmt, { method }: Flow): boolean {
  const holds = (statements: readonly Stmt[]): boolean =>
    statements.some(
      (each) =>
        each.from <= statement.from &&
        statement.to <= each.to &&
        (each.kind === "if" || bodiesOf(each).some(holds)),
    );
  return holds(method.body);
}

/** `skips.pop()`, `skips[-1 - i]`. */
function isPopped(expression: Expr): boolean {
  if (expression.kind === "subscript") return expression.object.kind === "name";
  return (
    expression.kind === "call" && expression.callee.kind === "attribute" && expression.callee.name === "pop"
  );
}

/** Of the concatenated operands, the one that comes from further up the network. */
function skipOperand(items: readonly Expr[], statement: Stmt, flow: Flow): Expr | undefined {
  const popped = items.find(isPopped);
  if (popped) return popped;
  const names = items.filter((item) => item.kind === "name");
  // What the statement assigns to, or what was computed just before, is the stream itself.
  const target =
    statement.kind === "assign" && statement.targets[0]?.kind === "name"
      ? statement.targets[0].name
      : undefined;
  const candidates = names.filter((item) => item.name !== target);
  const byName = candidates.filter((item) => skipName.test(item.name));
  if (byName.length > 0 && byName.length < names.length) return byName.at(-1);
  const assignedAt = (name: string) => flow.latest(name, statement.from)?.statement.from ?? -1;
  const oldestFirst = candidates.toSorted((one, other) => assignedAt(one.name) - assignedAt(other.name));
  const [oldest, next] = oldestFirst;
  // Two parameters that the method does not touch: by custom the skip is the second.
  if (oldest && next && assignedAt(oldest.name) === assignedAt(next.name)) return oldestFirst.at(-1);
  if (candidates.length > 0) return oldest;
  // `torch.cat([x, self.down(y)], 1)`; an expanded class token is no skip.
  return items.find((item) => flow.layerCall(item) !== undefined);
}

/** Channels of the skip: of the layer that made it, of a constructor parameter, or what the next layer takes less the rest. */
function channelsOf(
  skip: Expr,
  items: readonly Expr[],
  call: CallExpr,
  statement: Stmt,
  flow: Flow,
): Expression | undefined {
  const made = madeBy(skip, statement.from, flow);
  if (made) return made;
  const init = initOf(flow);
  if (init) {
    const parameter = init.parameters.find((each) =>
      /^(?:skip|enc|encoder|residual|res|lateral)_?(?:channels?|ch|dim|c|in_channels|size|width|features)$/.test(
        each.name,
      ),
    );
    if (parameter) {
      const nothing = {
        kind: "name",
        name: parameter.name,
        from: parameter.from,
        to: parameter.from + parameter.name.length,
      } as const;
      const value = evaluate(nothing, {
        scope: flow.scope,
        block: flow.block,
        owner: flow.owner,
        function: init,
      });
      return flow.block.expression(nothing, value);
    }
  }
  const total = consumer(call, statement, flow);
  if (!total || items.length !== 2) return undefined;
  const other = items.find((item) => item !== skip);
  const rest = other && madeBy(other, statement.from, flow);
  return share(total, rest, items.indexOf(skip));
}

function madeBy(expression: Expr, before: number, flow: Flow, depth = 0): Expression | undefined {
  if (depth > 6) return undefined;
  if (expression.kind === "name") {
    const assigned = flow.latest(expression.name, before);
    return assigned && !assigned.unpacked
      ? madeBy(assigned.value, assigned.statement.from, flow, depth + 1)
      : undefined;
  }
  const called = flow.layerCall(expression);
  if (called) {
    const role = flow.roleAt(called.path);
    const width = role === "dropout" || role === "activation" ? undefined : outputWidth(called.path, flow);
    if (width) return width;
    const alternative = alternativeWidth(called.path, flow);
    if (alternative) return alternative;
    const [first] = called.arguments;
    const passes = role === "dropout" || role === "activation" || /pool|up|down/i.test(called.path);
    return first && passes ? madeBy(first, before, flow, depth + 1) : undefined;
  }
  if (
    expression.kind === "call" &&
    expression.callee.kind === "attribute" &&
    /^(?:clone|contiguous|detach)$/.test(expression.callee.name)
  )
    return madeBy(expression.callee.object, before, flow, depth + 1);
  if (
    expression.kind === "call" &&
    /^torch\.nn\.functional\.(?:interpolate|pad|dropout\w*|relu|silu|gelu)$/.test(
      flow.scope.resolve(expression.callee) ?? "",
    )
  ) {
    const [first] = expression.arguments;
    return first && madeBy(first.value, before, flow, depth + 1);
  }
  return undefined;
}

/** `self.up` is an nn.Upsample or else an nn.ConvTranspose2d: both give what the one says. */
function alternativeWidth(path: string, { layers }: Flow): Expression | undefined {
  const [one, other, ...more] = layers.filter((layer) => layer.path === path);
  if (!one || !other || more.length > 0) return undefined;
  const upsampled = [one, other].filter(({ type }) => /\.Upsample$/.test(type));
  const convolved = [one, other].find(({ type }) => /\.ConvTranspose[123]d$/.test(type));
  return upsampled.length === 1 ? convolved?.arguments["out_channels"] : undefined;
}

/** Input channels of the layer that takes the concatenation, directly or in a later statement. */
function consumer(call: CallExpr, statement: Stmt, flow: Flow): Expression | undefined {
  const target =
    statement.kind === "assign" && statement.value === call && statement.targets[0]?.kind === "name"
      ? statement.targets[0].name
      : undefined;
  let taker: string | undefined;
  for (const step of flow.steps) {
    if (step.statement.from < statement.from || taker !== undefined) continue;
    for (const expression of expressionsOf(step.statement))
      walkExpression(expression, (node) => {
        const called = flow.layerCall(node);
        const [first] = called?.arguments ?? [];
        if (taker !== undefined || !called || !first) return;
        if (first === call || (first.kind === "name" && first.name === target && node.from >= statement.to))
          taker = called.path;
      });
    // from here on the name holds something else
    const isNew = target !== undefined && flow.latest(target, step.statement.to)?.statement !== statement;
    if (isNew && step.statement !== statement) break;
  }
  return taker === undefined ? undefined : inputWidth(taker, flow);
}

function inputWidth(path: string, flow: Flow): Expression | undefined {
  const layer = flow.layerAt(path);
  if (!layer) return undefined;
  const first =
    layer.role === "container" ? flow.layers.find((each) => each.path.startsWith(`${path}.`)) : layer;
  const named = first?.arguments["in_channels"] ?? first?.arguments["in_features"];
  if (named) return named;
  const key = Object.keys(first?.arguments ?? {}).find((name) => /^(?:in|c_?in|dim_?in|input)/.test(name));
  return key === undefined ? undefined : first?.arguments[key];
}

/** The skip's part of the sum of channels. */
function share(total: Expression, rest: Expression | undefined, position: number): Expression | undefined {
  const terms = total.text.split("+").map((term) => term.trim());
  const numbers =
    total.value.kind === "number" && rest?.value.kind === "number"
      ? total.value.value - rest.value.value
      : undefined;
  const value =
    numbers === undefined ? ({ kind: "unknown" } as const) : ({ kind: "number", value: numbers } as const);
  const [first, second] = terms;
  if (terms.length === 2 && first !== undefined && second !== undefined && !/[()]/.test(total.text)) {
    const text =
      rest?.text === first ? second : rest?.text === second ? first : position === 0 ? first : second;
    return { ...total, text, value };
  }
  const doubled = /^(?:2 ?\* ?([\w.]+)|([\w.]+) ?\* ?2)$/.exec(total.text);
  const half = doubled?.[1] ?? doubled?.[2];
  if (half !== undefined && (!rest || rest.text === half)) return { ...total, text: half, value };
  if (!rest) return undefined;
  const minus = /^[\w.]+$/.test(rest.text) ? rest.text : `(${rest.text})`;
  return { ...total, text: `${total.text} - ${minus}`, value };
}
