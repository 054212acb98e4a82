/** Skips in a loop over decoder blocks: the loop of `__init__` that builds these blocks knows the channels of each. */
import {
  bodiesOf,
  type Expr,
  expressionsOf,
  type ForStmt,
  type FunctionStmt,
  selfPath,
  type Stmt,
  walkExpression,
  walkStatements,
} from "../tree/ast";
import type { Expression, Range } from "../facts";
import type { Flow } from "./flow";

/** `self.ups.append(Block(ch + skip_ch, ch))` in a loop of `__init__`. */
export interface BuiltInLoop {
  readonly channels: Expression;
  /** The outermost loop of `__init__` around it. */
  readonly loop: Range;
  /** The statement beside which an adapter is built. */
  readonly beside: Range;
  /** Whether the channels are known above that statement alone: it takes them from their list. */
  readonly above: boolean;
}

/** The channels of one iteration's skip, and where they hold. */
type Known = Pick<BuiltInLoop, "channels"> & { readonly popped?: Stmt };

export const skipName =
  /skip|(?:^|_)res(?:idual)?(?:_|$|\d)|^enc|_enc|encoder|down|shortcut|(?:^|_)hs?\d|lateral|bridge/i;

export const initOf = ({ owner }: Flow): FunctionStmt | undefined =>
  owner.body.find((each): each is FunctionStmt => each.kind === "function" && each.name === "__init__");

/**
 * Where `__init__` appends what a loop of `forward` runs over: one block an iteration, in the same order.
 * @param joined how many skips the loop of `forward` joins in each iteration
 */
export function builtInLoop(loop: ForStmt, joined: number, flow: Flow): BuiltInLoop | undefined {
  const init = initOf(flow);
  if (!init) return undefined;
  for (const path of listsIn(loop.iterable, loop.from, flow)) {
    const [only, another] = additionsTo(path, init);
    if (!only?.loop || !only.outer || only.name !== "append" || another) continue;
    const known = skipOf(only.loop, only.statement, joined, flow);
    if (known) return placed(known, only.statement, only.outer);
  }
  return undefined;
}

/** The channels of an iteration with where an adapter is built of them. */
export const placed = ({ channels, popped }: Known, append: Stmt, outer: ForStmt): BuiltInLoop => ({
  channels,
  loop: rangeOf(outer),
  beside: rangeOf(popped ?? append),
  above: popped !== undefined,
});

const rangeOf = ({ from, to }: Range): Range => ({ from, to });

/** What `chans.pop()` takes from, where the list is a name of its own. */
export function poppedName(expression: Expr): string | undefined {
  if (expression.kind !== "call" || expression.arguments.length > 0) return undefined;
  const { callee } = expression;
  return callee.kind === "attribute" && callee.name === "pop" && callee.object.kind === "name"
    ? callee.object.name
    : undefined;
}

/** Every `chans.pop()` of some statements. */
export function popsIn(statements: readonly Stmt[]): { readonly statement: Stmt; readonly from: Expr }[] {
  const pops: { readonly statement: Stmt; readonly from: Expr }[] = [];
  walkStatements(statements, (statement) => {
    if (statement.kind === "function" || statement.kind === "class") return false;
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (node) => {
        if (poppedName(node) !== undefined) pops.push({ statement, from: node });
      });
    return true;
  });
  return pops;
}

/** Attributes that are run over from front to back: `self.ups`, `zip(self.ups, self.attns)`, a local name of these. */
export function listsIn(iterable: Expr, before: number, flow: Flow): string[] {
  const own = selfPath(iterable);
  if (own !== undefined) return [own];
  if (iterable.kind === "name") {
    const assigned = flow.latest(iterable.name, before);
    return assigned && !assigned.unpacked ? listsIn(assigned.value, assigned.statement.from, flow) : [];
  }
  if (iterable.kind !== "call") return [];
  const { callee } = iterable;
  if (callee.kind === "attribute" && /^(?:items|values)$/.test(callee.name))
    return listsIn(callee.object, before, flow);
  if (callee.kind !== "name" || !/^(?:zip|enumerate|list|tuple)$/.test(callee.name)) return [];
  return iterable.arguments.flatMap(({ value }) => listsIn(value, before, flow));
}

export interface Addition {
  readonly name: string;
  readonly statement: Stmt;
  /** The loop whose every iteration adds, and the outermost around it. */
  readonly loop?: ForStmt;
  readonly outer?: ForStmt;
}

/** Statements of `__init__` that add to `self.<path>`, or to the list that it is made from. */
export function additionsTo(path: string, init: FunctionStmt): Addition[] {
  const names = new Set<string>();
  walkStatements(init.body, (statement) => {
    if (statement.kind !== "assign" || !statement.targets.some((each) => selfPath(each) === path)) return;
    const [first] = statement.value?.kind === "call" ? statement.value.arguments : [];
    if (first?.value.kind === "name") names.add(first.value.name);
  });
  const found: Addition[] = [];
  const visit = (statements: readonly Stmt[], loop?: ForStmt, outer?: ForStmt): void => {
    for (const statement of statements) {
      const callee =
        statement.kind === "expression" && statement.value.kind === "call" && statement.value.callee;
      if (callee && callee.kind === "attribute" && /^(?:append|insert|extend)$/.test(callee.name)) {
        const { object, name } = callee;
        if (selfPath(object) === path || (object.kind === "name" && names.has(object.name)))
          found.push({ name, statement, ...(loop && { loop }), ...(outer && { outer }) });
      }
      // self.blocks[f"{level}_{i}"] = …: a ModuleDict runs in the order in which it was filled
      const [target] = statement.kind === "assign" ? statement.targets : [];
      if (target?.kind === "subscript" && selfPath(target.object) === path)
        found.push({ name: "append", statement, ...(loop && { loop }), ...(outer && { outer }) });
      for (const body of bodiesOf(statement))
        if (statement.kind === "for") visit(body, statement, outer ?? statement);
        else visit(body, undefined, outer); // under an `if`, not every iteration adds
    }
  };
  visit(init.body);
  return found;
}

interface Sum {
  readonly left: Expr;
  readonly right: Expr;
  /** The argument after it: what the block gives out. */
  readonly next?: Expr;
  readonly statement: Stmt;
}

/** What a loop of `__init__` says of its channels: sums that are arguments, names doubled, values of names. */
function channelsIn({ body }: ForStmt, append: Stmt) {
  const sums: Sum[] = [];
  const doubled: Expr[] = [];
  const assigned = new Map<string, { readonly statement: Stmt; readonly value?: Expr }[]>();
  walkStatements(body, (statement) => {
    if (statement.kind === "function" || statement.kind === "class") return false;
    if (statement.kind === "assign")
      for (const target of statement.targets)
        if (target.kind === "name") {
          const { value } = statement;
          const before = assigned.get(target.name) ?? [];
          assigned.set(target.name, [...before, { statement, ...(value && { value }) }]);
        }
    if (statement.from > append.from) return true;
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (node) => {
        if (node.kind !== "call") return;
        for (const [index, { value }] of node.arguments.entries()) {
          const next = node.arguments[index + 1]?.value;
          if (value.kind === "binary" && value.operator === "+")
            sums.push({ left: value.left, right: value.right, statement, ...(next && { next }) });
          const half = index === 0 && next ? halfOf(value) : undefined;
          if (half) doubled.push(half);
        }
      });
    return true;
  });
  return { sums, doubled, assigned };
}

/** `dim` of `dim * 2`. */
function halfOf(value: Expr): Expr | undefined {
  if (value.kind !== "binary" || value.operator !== "*") return undefined;
  const isTwo = (each: Expr): boolean => each.kind === "number" && each.value === 2;
  const half = isTwo(value.right) ? value.left : isTwo(value.left) ? value.right : undefined;
  return half?.kind === "name" ? half : undefined;
}

/** The skip's part of the channels that the blocks of an iteration take in, in terms of that iteration. */
export function skipOf(loop: ForStmt, append: Stmt, joined: number, flow: Flow): Known | undefined {
  const { sums, doubled, assigned } = channelsIn(loop, append);
  const text = (each: Expr): string => flow.block.slice(each);
  const alike = ([first, ...others]: readonly Expr[]): Expr | undefined =>
    others.every((each) => first && text(each) === text(first)) ? first : undefined;
  const known = (expression: Expr): Known["channels"] =>
    flow.block.expression(expression, { kind: "unknown" });
  const operands = sums.flatMap(({ left, right, statement }) =>
    [left, right].map((each) => ({ each, statement })),
  );
  // ch + chans.pop(): above the statement that pops, the last of the list
  const pops = operands.filter(({ each }) => poppedName(each) !== undefined);
  const [pop] = pops;
  if (pop && popsIn(loop.body).length === 1 && loop.body.includes(pop.statement))
    return {
      channels: { ...known(pop.each), text: `${poppedName(pop.each) ?? ""}[-1]` },
      popped: pop.statement,
    };
  const isPopped = (name: string): boolean =>
    assigned.get(name)?.some(({ value }) => {
      const callee = value?.kind === "call" ? value.callee : undefined;
      return callee?.kind === "attribute" && callee.name === "pop";
    }) === true;
  const isSkip = (each: Expr): boolean =>
    each.kind === "name" && (isPopped(each.name) || skipName.test(each.name));
  const named = operands.map(({ each }) => each).filter(isSkip);
  // block1(a + b, a), block2(a + b, a): what the second takes in beside the skip is what the first gave out
  const [first, second] = sums;
  const isTwin =
    first?.next &&
    second?.next &&
    [first.left, first.right, first.next].every((each, index) => {
      const other = [second.left, second.right, second.next][index];
      return other !== undefined && text(each) === text(other);
    });
  const twin = isTwin
    ? [first.left, first.right].filter((each) => first.next && text(each) !== text(first.next))
    : [];
  // block(dim * 2, dim), one for each skip: half comes from below, half from the skip
  const halves = sums.length === 0 && doubled.length === joined ? doubled : [];
  const skip = alike(named.length > 0 ? named : twin.length > 0 ? twin : halves);
  if (skip?.kind !== "name") return undefined;
  const changes = assigned.get(skip.name) ?? [];
  const firstUse = Math.min(...[...sums.map(({ left }) => left), ...doubled].map(({ from }) => from));
  if (changes.some(({ statement }) => statement.from > firstUse)) return undefined;
  return { channels: known(skip) };
}
