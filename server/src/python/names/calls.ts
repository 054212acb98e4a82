/** Call sites with their arguments, and every use of an imported name, of one block. */
import {
  bodiesOf,
  dottedPath,
  forEachChild,
  type CallExpr,
  type Expr,
  expressionsOf,
  type Stmt,
} from "../tree/ast";
import type { Block } from "./block";
import { type Place, weigh } from "./constants";
import type { Argument, Call, Expression, Range, Reference } from "../facts";
import type { Scope } from "./scope";

/** A call as it is written, whatever its arguments hold. */
export const writtenCall = (call: CallExpr, statement: Stmt, place: Place): Call =>
  callFact(call, statement, place, ({ block }, value) => block.expression(value, { kind: "unknown" }));

/** Turns a call of the tree into the fact. */
export function callFact(
  call: CallExpr,
  statement: Stmt,
  place: Place,
  valueOf = (at: Place, value: Expr): Expression => weighed(value, at),
): Call {
  const { block, scope } = place;
  const qualified = scope.resolve(call.callee);
  const assignedTo =
    statement.kind === "assign" && statement.value === call ? targetName(statement, block) : undefined;
  const { callee } = call;
  return {
    range: { from: call.from, to: call.to },
    callee: { from: callee.from, to: callee.to },
    name: callee.kind === "attribute" ? nameRange(callee) : { from: callee.from, to: callee.to },
    ...(qualified !== undefined && { qualified }),
    argumentList: { from: call.open, to: call.to },
    closed: call.closed,
    arguments: call.arguments.map((argument): Argument => ({
      range: { from: argument.from, to: argument.to },
      ...(argument.keyword && {
        keyword: {
          name: argument.keyword.name,
          range: { from: argument.keyword.from, to: argument.keyword.to },
        },
      }),
      ...(argument.star && { star: argument.star }),
      value: valueOf(place, argument.value),
    })),
    statement: { from: statement.from, to: statement.to },
    ...(assignedTo !== undefined && { assignedTo }),
  };
}

/** An expression with its value, and whether that is certain. */
export function weighed(expression: Expr, place: Place): Expression {
  const { value, ...certainty } = weigh(expression, place);
  return { ...place.block.expression(expression, value), ...certainty };
}

function nameRange(attribute: Expr & { kind: "attribute" }): Range {
  return { from: attribute.nameFrom, to: attribute.nameFrom + attribute.name.length };
}

function targetName(statement: Stmt & { kind: "assign" }, block: Block): string | undefined {
  const [target] = statement.targets;
  return target && dottedPath(target) ? block.slice(target) : undefined;
}

/** All calls of the block that resolve, in source order. */
export function callsIn(block: Block, scope: Scope): readonly Call[] {
  const calls: Call[] = [];
  visitExpressions(block.statements, { scope, block }, (expression, statement, here) => {
    if (expression.kind !== "call" || dottedPath(expression.callee) === undefined) return;
    const fact = callFact(expression, statement, here);
    if (fact.qualified !== undefined) calls.push(fact);
  });
  return calls.sort((one, other) => one.range.from - other.range.from || other.range.to - one.range.to);
}

/** All references to imports in the block, in source order. */
export function referencesIn(block: Block, scope: Scope): readonly Reference[] {
  const references: Reference[] = block.bindings.flatMap((binding) => [...binding.mentions]);
  const heads = new Map<string, boolean>();
  /** Whether a name leads to something imported: locals and definitions of the file do not. */
  const isImported = (head: string): boolean => {
    let imported = heads.get(head);
    if (imported === undefined) {
      const kind = scope.lookup(head)?.kind;
      const target = scope.resolveParts([head]);
      imported =
        kind === "import" || (target !== head && (target ?? scope.resolveParts([head, "x"])) !== undefined);
      heads.set(head, imported);
    }
    return imported;
  };
  // each part of an imported path
  visitExpressions(block.statements, { scope, block }, (expression) => {
    const parts = dottedPath(expression);
    if (parts === undefined) return true;
    const [head = ""] = parts;
    if (!isImported(head)) return false;
    const nodes: Expr[] = [];
    for (let node = expression; ; node = node.object) {
      nodes.unshift(node);
      if (node.kind !== "attribute") break;
    }
    nodes.forEach((node, index) => {
      const qualified = scope.resolveParts(parts.slice(0, index + 1)) ?? scope.moduleNamed(head);
      if (qualified === undefined) return;
      const range = node.kind === "attribute" ? nameRange(node) : { from: node.from, to: node.to };
      references.push({ range, qualified });
    });
    return false;
  });
  return references.sort((one, other) => one.range.from - other.range.from || one.range.to - other.range.to);
}

/** Visits every expression with the statement and the place it stands in, outer ones first; `visit` may return false to stay outside. */
function visitExpressions(
  statements: readonly Stmt[],
  here: Place,
  visit: (expression: Expr, statement: Stmt, here: Place) => unknown,
): void {
  const descend = (expression: Expr, statement: Stmt) => {
    if (visit(expression, statement, here) === false) return;
    forEachChild(expression, (child) => descend(child, statement));
  };
  for (const statement of statements) {
    for (const expression of expressionsOf(statement)) descend(expression, statement);
    const inside: Place =
      statement.kind === "class"
        ? { ...here, owner: statement, function: undefined }
        : statement.kind === "function"
          ? { ...here, function: statement }
          : here;
    for (const body of bodiesOf(statement)) visitExpressions(body, inside, visit);
  }
}
