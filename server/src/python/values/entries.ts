/** What a dict holds that a file writes, as far as it is certain: `{**common, "r": 8}`, `dict(r=8)`, `options["r"] = 8`. */
import { type CallArgument, type ClassStmt, dottedPath, type Expr, type FunctionStmt } from "../tree/ast";
import type { Expression, Range } from "../facts";
import { weighed } from "../names/calls";
import type { Placed } from "../reading";
import type { Scope } from "../names/scope";

export interface Entry {
  readonly key: string;
  readonly value: Expression;
}

/** Where an expression stands. */
export interface Standing {
  readonly placed: Placed;
  readonly scope: Scope;
  readonly owner: ClassStmt | undefined;
  readonly function: FunctionStmt | undefined;
}

/** Whether an expression is a dict, so that what a name holds can be followed. */
export const isDict = (expression: Expr): boolean =>
  expression.kind === "dict" ||
  (expression.kind === "call" && expression.callee.kind === "name" && expression.callee.name === "dict") ||
  (expression.kind === "binary" && expression.operator === "|");

/** `options[r]` for `options["r"]`: how an entry of a dict is called among names. */
export function entryName(target: Expr): string | undefined {
  if (target.kind !== "subscript") return undefined;
  const [key, another] = target.items;
  const path = dottedPath(target.object)?.join(".");
  return path !== undefined && key?.kind === "string" && key.value !== undefined && another === undefined
    ? `${path}[${key.value}]`
    : undefined;
}

/** The entries of a dict, of two under one key both; `named` are those of a name. Undefined where there may be more. */
export function entriesOf(
  expression: Expr,
  at: Standing,
  named: (name: string) => readonly Entry[] | undefined,
): readonly Entry[] | undefined {
  const within = (inner: Expr): readonly Entry[] | undefined => entriesOf(inner, at, named);
  switch (expression.kind) {
    case "name":
      return named(expression.name);
    case "dict":
      return together(
        expression.entries.map(({ key, value }) => {
          if (key === undefined) return within(value);
          const text = key.kind === "string" ? key.value : undefined;
          return text === undefined ? undefined : [{ key: text, value: expressionAt(value, at) }];
        }),
      );
    case "call":
      return isDict(expression) ? entriesOfArguments(expression.arguments, at, named, true) : undefined;
    case "binary":
      return expression.operator === "|"
        ? together([within(expression.left), within(expression.right)])
        : undefined;
    default:
      return undefined;
  }
}

/** What arguments pass by name; a dict that one makes anew, `dict(common, r=8)`, may come by itself. */
export function entriesOfArguments(
  given: readonly CallArgument[],
  at: Standing,
  named: (name: string) => readonly Entry[] | undefined,
  isNewDict = false,
): readonly Entry[] | undefined {
  return together(
    given.map(({ keyword, star, value }) => {
      if (keyword !== undefined) return [{ key: keyword.name, value: expressionAt(value, at) }];
      return star === "**" || (star === undefined && isNewDict) ? entriesOf(value, at, named) : undefined;
    }),
  );
}

function together(parts: readonly (readonly Entry[] | undefined)[]): readonly Entry[] | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === parts.length ? known.flat() : undefined;
}

/** An expression with its value, at its place in the file. */
export function expressionAt(
  expression: Expr,
  { placed: { block, from }, scope, owner, function: within }: Standing,
): Expression {
  const found = weighed(expression, { scope, block, owner, function: within });
  return { ...found, range: moved(found.range, from) };
}

export const moved = (range: Range, by: number): Range => ({ from: range.from + by, to: range.to + by });

/**
 * Whether a text does nothing with a name but bind, unpack and index it, so that no other hand can change the dict it
 * holds. `options["names"].append(…)` changes no entry but what an entry holds.
 */
export function isOnlyUnpacked(name: string, text: string): boolean {
  const mention = new RegExp(
    String.raw`(?<before>\*\*\s*|\bget_peft_config\(\s*|\bprint\(\s*|\.)?\b${name}\b(?<after>\s*(?::[^=\n]*)?=(?!=)|\[(["'])[\w.]+\3\](?!\s*[.[(]))?`,
    "g",
  );
  return [...text.matchAll(mention)].every(
    ({ groups }) => groups?.["before"] !== undefined || groups?.["after"] !== undefined,
  );
}
