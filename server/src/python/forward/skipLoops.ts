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
  /** The statement that appends. */
  readonly append: Range;
}

export const skipName =
  /skip|(?:^|_)res(?:idual)?(?:_|$|\d)|^enc|_enc|encoder|down|shortcut|(?:^|_)hs?\d|lateral|bridge/i;

export const initOf = ({ owner }: Flow): FunctionStmt | undefined =>
  owner.body.find((each): each is FunctionStmt => each.kind === "function" && each.name === "__init__");

/** Where `__init__` appends what a loop of `forward` runs over: one block an iteration, in the same order. */
export function builtInLoop(loop: ForStmt, flow: Flow): BuiltInLoop | undefined {
  const init = initOf(flow);
  if (!init) return undefined;
  for (const path of listsIn(loop.iterable, loop.from, flow)) {
    const [only, another] = additionsTo(path, init);
    if (!only?.loop || !only.outer || only.name !== "append" || another) continue;
    const channels = skipOf(only.loop, only.statement, flow);
    if (channels) return { channels, loop: rangeOf(only.outer), append: rangeOf(only.statement) };
  }
  return undefined;
}

const rangeOf = ({ from, to }: Range): Range => ({ from, to });

/** Attributes that are run over from front to back: `self.ups`, `zip(self.ups, self.attns)`, a local name of these. */
function listsIn(iterable: Expr, before: number, flow: Flow): string[] {
  const own = selfPath(iterable);
  if (own !== undefined) return [own];
  if (iterable.kind === "name") {
    const assigned = flow.latest(iterable.name, before);
    return assigned && !assigned.unpacked ? listsIn(assigned.value, assigned.statement.from, flow) : [];
  }
  if (iterable.kind !== "call" || iterable.callee.kind !== "name") return [];
  if (!/^(?:zip|enumerate|list|tuple)$/.test(iterable.callee.name)) return [];
  return iterable.arguments.flatMap(({ value }) => listsIn(value, before, flow));
}

interface Addition {
  readonly name: string;
  readonly statement: Stmt;
  /** The loop whose every iteration adds, and the outermost around it. */
  readonly loop?: ForStmt;
  readonly outer?: ForStmt;
}

/** Statements of `__init__` that add to `self.<path>`, or to the list that it is made from. */
function additionsTo(path: string, init: FunctionStmt): Addition[] {
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
      for (const body of bodiesOf(statement))
        if (statement.kind === "for") visit(body, statement, outer ?? statement);
        else visit(body, undefined, outer); // under an `if`, not every iteration adds
    }
  };
  visit(init.body);
  return found;
}

/** The skip's part of the channels that the blocks of an iteration take in, in terms of that iteration. */
function skipOf(loop: ForStmt, append: Stmt, flow: Flow): Expression | undefined {
  const sums: { readonly left: Expr; readonly right: Expr; readonly next?: Expr }[] = [];
  const assigned = new Map<string, { readonly statement: Stmt; readonly value?: Expr }[]>();
  walkStatements(loop.body, (statement) => {
    if (statement.kind === "function" || statement.kind === "class") return false;
    if (statement.kind === "assign")
      for (const target of statement.targets)
        if (target.kind === "name") {
          const { value } = statement;
          const before = assigned.get(target.name) ?? [];
          assigned.set(target.name, [...before, { statement, ...(value && { value }) }]);
        }
    if (statement.from <= append.from)
      for (const expression of expressionsOf(statement))
        walkExpression(expression, (node) => {
          if (node.kind !== "call") return;
          for (const [index, { value }] of node.arguments.entries()) {
            if (value.kind !== "binary" || value.operator !== "+") continue;
            const next = node.arguments[index + 1]?.value;
            sums.push({ left: value.left, right: value.right, ...(next && { next }) });
          }
        });
    return true;
  });
  const isPopped = (name: string): boolean =>
    assigned.get(name)?.some(({ value }) => {
      const callee = value?.kind === "call" ? value.callee : undefined;
      return callee?.kind === "attribute" && callee.name === "pop";
    }) === true;
  const isSkip = (each: Expr): boolean =>
    each.kind === "name" && (isPopped(each.name) || skipName.test(each.name));
  const text = (each: Expr): string => flow.block.slice(each);
  const operands = sums.flatMap(({ left, right }) => [left, right]).filter(isSkip);
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
  const [skip, ...others] = operands.length > 0 ? operands : twin;
  if (!skip || skip.kind !== "name" || others.some((each) => text(each) !== text(skip))) return undefined;
  const changes = assigned.get(skip.name) ?? [];
  const firstUse = Math.min(...sums.map(({ left }) => left.from));
  if (changes.some(({ statement }) => statement.from > firstUse)) return undefined;
  return flow.block.expression(skip, { kind: "unknown" });
}
