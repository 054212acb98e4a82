/** Call sites with their arguments, and every use of an imported name, of one block. */
import {
  bodiesOf,
  dottedPath,
  forEachChild,
  type CallExpr,
  type Expr,
  expressionsOf,
  type Stmt,
} from "./ast";
import type { Block } from "./block";
import { evaluate, type Place } from "./constants";
import type { Argument, Call, Range, Reference } from "./facts";

/** Turns a call of the tree into the fact. */
export function callFact(call: CallExpr, statement: Stmt, place: Place): Call {
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
      value: block.expression(argument.value, evaluate(argument.value, place)),
    })),
    statement: { from: statement.from, to: statement.to },
    ...(assignedTo !== undefined && { assignedTo }),
  };
}

function nameRange(attribute: Expr & { kind: "attribute" }): Range {
  return { from: attribute.nameFrom, to: attribute.nameFrom + attribute.name.length };
}

function targetName(statement: Stmt & { kind: "assign" }, block: Block): string | undefined {
  const [target] = statement.targets;
  return target && dottedPath(target) ? block.slice(target) : undefined;
}

export interface Uses {
  readonly calls: readonly Call[];
  readonly references: readonly Reference[];
}

/** All calls that resolve and all references to imports in the block, in source order. */
export function usesIn(block: Block, place: Place): Uses {
  const calls: Call[] = [];
  const references: Reference[] = block.bindings.flatMap((binding) => [...binding.mentions]);
  const visit = (statements: readonly Stmt[], here: Place) => {
    for (const statement of statements) {
      for (const expression of expressionsOf(statement)) visitExpression(expression, statement, here);
      const inside: Place =
        statement.kind === "class"
          ? { ...here, owner: statement, function: undefined }
          : statement.kind === "function"
            ? { ...here, function: statement }
            : here;
      for (const body of bodiesOf(statement)) visit(body, inside);
    }
  };
  const visitExpression = (expression: Expr, statement: Stmt, here: Place) => {
    if (expression.kind === "name" || expression.kind === "attribute") {
      if (refer(expression)) return;
    } else if (expression.kind === "call") {
      if (dottedPath(expression.callee)) {
        const fact = callFact(expression, statement, here);
        if (fact.qualified !== undefined) calls.push(fact);
      }
    }
    forEachChild(expression, (child) => visitExpression(child, statement, here));
  };
  const heads = new Map<string, boolean>();
  /** Whether a name leads to something imported: locals and definitions of the file do not. */
  const isImported = (head: string): boolean => {
    let imported = heads.get(head);
    if (imported === undefined) {
      const kind = place.scope.lookup(head)?.kind;
      const target = place.scope.resolveParts([head]);
      imported =
        kind === "import" ||
        (target !== head && (target ?? place.scope.resolveParts([head, "x"])) !== undefined);
      heads.set(head, imported);
    }
    return imported;
  };
  /** Notes each part of an imported path; true when the expression is a path and so has nothing else inside. */
  const refer = (expression: Expr): boolean => {
    let head = expression;
    while (head.kind === "attribute") head = head.object;
    if (head.kind !== "name") return false;
    if (!isImported(head.name)) return true;
    const parts = dottedPath(expression) ?? [];
    const nodes: Expr[] = [];
    for (let node = expression; ; node = node.object) {
      nodes.unshift(node);
      if (node.kind !== "attribute") break;
    }
    nodes.forEach((node, index) => {
      const qualified =
        place.scope.resolveParts(parts.slice(0, index + 1)) ?? place.scope.moduleNamed(parts[0] ?? "");
      if (qualified === undefined) return;
      const range = node.kind === "attribute" ? nameRange(node) : { from: node.from, to: node.to };
      references.push({ range, qualified });
    });
    return true;
  };
  visit(block.statements, place);
  references.sort((one, other) => one.range.from - other.range.from || one.range.to - other.range.to);
  calls.sort((one, other) => one.range.from - other.range.from || other.range.to - one.range.to);
  return { calls, references };
}
