/** Expressions in which layers are constructed: containers, their keys and lengths, what a factory returns. */
import {
  type CallExpr,
  type Comprehension,
  dottedPath,
  type Expr,
  type FunctionStmt,
  walkStatements,
} from "../tree/ast";
import { evaluate, type Place } from "../names/constants";

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

/** The names of a function's parameters that a call gives values to. */
export function namesOf(node: FunctionStmt): string[] {
  const names = node.parameters.filter((parameter) => !parameter.star).map((parameter) => parameter.name);
  return node.parameters[0]?.name === "self" ? names.slice(1) : names;
}

/** Inside a function, with a call's arguments as its parameters. */
export function bind(call: CallExpr, node: FunctionStmt, place: Place, inside: Place): Place {
  const bound = new Map<string, { value: Expr; place: Place }>();
  const names = namesOf(node);
  const positional = call.arguments.filter((argument) => !argument.keyword && !argument.star);
  for (const [index, { value }] of positional.entries()) {
    const name = names[index];
    if (name !== undefined) bound.set(name, { value, place });
  }
  for (const { keyword, value } of call.arguments) if (keyword) bound.set(keyword.name, { value, place });
  return { ...inside, bound };
}

/** What a function returns, as written. */
export function returnedExpressions(node: FunctionStmt): Expr[] {
  const found: Expr[] = [];
  walkStatements(node.body, (statement) => {
    if (statement.kind === "function" || statement.kind === "class") return false;
    if (statement.kind === "return" && statement.value) found.push(statement.value);
    return true;
  });
  return found;
}

/** Whether a function gives its first argument back. */
export function passesOn(node: FunctionStmt): boolean {
  const [name] = namesOf(node);
  const returned = returnedExpressions(node);
  return returned.length > 0 && returned.every((each) => each.kind === "name" && each.name === name);
}

/** The calls a factory may return, through both arms of conditionals and one local. */
export const returnedCalls = (node: FunctionStmt): CallExpr[] =>
  returnedExpressions(node).flatMap((returned) => callsThrough(node, returned));

/** The calls whose result an expression may be in a function. */
export function callsThrough(node: FunctionStmt, from: Expr): CallExpr[] {
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
  add(from, 0);
  return calls;
}
