/** Expressions in which layers are constructed: containers, their keys and lengths, what a factory returns. */
import {
  type CallExpr,
  type Comprehension,
  dottedPath,
  type Expr,
  type FunctionStmt,
  walkStatements,
} from "./ast";
import { evaluate, type Place } from "./constants";

export function starOf(value: Expr): Expr {
  return { kind: "star", from: value.from, to: value.to, value };
}

/** Inside a comprehension, where its variables take one value after another. */
export function within({ clauses }: Comprehension, place: Place): Place {
  const names = clauses.flatMap(({ target }) => (target.kind === "tuple" ? target.items : [target]));
  const varying = new Set(place.varying);
  for (const name of names) if (name.kind === "name") varying.add(name.name);
  return { ...place, varying };
}

export function isCollection(expression: Expr): boolean {
  return (
    expression.kind === "list" ||
    expression.kind === "tuple" ||
    expression.kind === "comprehension" ||
    (expression.kind === "binary" && (expression.operator === "+" || expression.operator === "*"))
  );
}

export function isOrdered(expression: Expr): boolean {
  if (expression.kind === "dict") return true;
  return (
    expression.kind === "call" && /^(?:OrderedDict|dict)$/.test(dottedPath(expression.callee)?.at(-1) ?? "")
  );
}

/** The key of a module dict as a path segment; `*` when it is computed. */
export function keyOf(key: Expr, place: Place): string {
  const value = evaluate(key, place);
  return value.kind === "string" ? value.value : "*";
}

/** How many rounds a loop makes: range(n), a literal list, zip and enumerate of those. */
export function iterations(iterable: Expr, place: Place): number | undefined {
  if (iterable.kind === "call" && iterable.callee.kind === "name") {
    const numbers = iterable.arguments.map((argument) => evaluate(argument.value, place));
    if (iterable.callee.name === "range") {
      const [first, second, third] = numbers.map((value) =>
        value.kind === "number" ? value.value : undefined,
      );
      if (numbers.some((value) => value.kind !== "number") || first === undefined) return undefined;
      if (second === undefined) return Math.max(0, first);
      return Math.max(0, Math.ceil((second - first) / (third ?? 1)));
    }
    if (/^(?:enumerate|reversed|list|tuple)$/.test(iterable.callee.name)) {
      const [inner] = iterable.arguments;
      return inner && iterations(inner.value, place);
    }
    if (iterable.callee.name === "zip") {
      const counts = iterable.arguments.map((argument) => iterations(argument.value, place));
      const known = counts.filter((each) => each !== undefined);
      return known.length === counts.length && known.length > 0 ? Math.min(...known) : undefined;
    }
  }
  const value = evaluate(iterable, place);
  return value.kind === "list" ? value.items.length : undefined;
}

/** The calls a factory may return, through both arms of conditionals and one local. */
export function returnedCalls(node: FunctionStmt): CallExpr[] {
  const calls: CallExpr[] = [];
  const add = (expression: Expr, depth: number) => {
    if (depth > 6) return;
    if (expression.kind === "call") calls.push(expression);
    else if (expression.kind === "conditional") {
      add(expression.then, depth + 1);
      add(expression.otherwise, depth + 1);
    } else if (expression.kind === "name") {
      walkStatements(node.body, (statement) => {
        if (statement.kind !== "assign" || !statement.value) return;
        if (statement.targets.some((target) => target.kind === "name" && target.name === expression.name))
          add(statement.value, depth + 1);
      });
    }
  };
  walkStatements(node.body, (statement) => {
    if (statement.kind === "function" || statement.kind === "class") return false;
    if (statement.kind === "return" && statement.value) add(statement.value, 0);
    return true;
  });
  return calls;
}
