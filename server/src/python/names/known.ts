/** Arithmetic on values as Python does it; anything that is not certain is unknown. */
import type { Block } from "./block";
import type { CallExpr, ClassStmt, Expr, FunctionStmt } from "../tree/ast";
import type { Value } from "../facts";
import type { Scope } from "./scope";

/** A value, or something whose fields can be asked for. */
export type Known = Value | Instance | Options;
/** An instance of a class of this file or a neighbour. */
export interface Instance {
  readonly kind: "instance";
  readonly type: ClassStmt;
  readonly block: Block;
  /** Of the file that defines the class. */
  readonly scope: Scope;
  readonly call?: { readonly node: CallExpr; readonly place: Place };
}
/** What an `ArgumentParser` of the file gives. */
export interface Options {
  readonly kind: "options";
}

/** Where an expression stands: what its names may mean. */
export interface Place {
  readonly scope: Scope;
  readonly block: Block;
  readonly owner?: ClassStmt | undefined;
  readonly function?: FunctionStmt | undefined;
  /** Parameters bound by the caller: the arguments of a factory or of a constructor. */
  readonly bound?: ReadonlyMap<string, { readonly value: Expr; readonly place: Place }>;
  /** Variables of comprehensions around the expression, which take several values. */
  readonly varying?: ReadonlySet<string>;
}

export const unknown = { kind: "unknown" } as const;

export function number(value: number): Value {
  return Number.isFinite(value) ? { kind: "number", value } : unknown;
}

function boolean(value: boolean): Value {
  return { kind: "boolean", value };
}

/** A value that facts can hold. */
export function plain(known: Known): Value {
  return known.kind === "instance" || known.kind === "options" ? unknown : known;
}

export function unary(operator: string, operand: Known): Value {
  if (operator === "not") {
    const value = truth(operand);
    return value === undefined ? unknown : boolean(!value);
  }
  if (operand.kind !== "number") return unknown;
  if (operator === "-") return number(-operand.value);
  return operator === "+" ? operand : unknown;
}

export function binary(operator: string, left: Known, right: Known): Known {
  if (operator === "or" || operator === "and") {
    const value = truth(left);
    return value === undefined ? unknown : value === (operator === "or") ? left : right;
  }
  const equality = operator === "==" || operator === "is";
  if (equality || operator === "!=" || operator === "isnot") {
    const same = equal(left, right);
    return same === undefined ? unknown : boolean(same === equality);
  }
  const [one, other] = [numeric(left), numeric(right)];
  if (one !== undefined && other !== undefined && !(left.kind === "boolean" && right.kind === "boolean"))
    return arithmetic(operator, one, other);
  if ((operator === "in" || operator === "notin") && right.kind === "list") {
    const among = contains(right.items, left);
    return among === undefined ? unknown : boolean(among === (operator === "in"));
  }
  if (operator === "+" && left.kind === "list" && right.kind === "list")
    return { kind: "list", items: [...left.items, ...right.items] };
  if (operator === "+" && left.kind === "string" && right.kind === "string")
    return { kind: "string", value: left.value + right.value };
  if (operator === "*" && left.kind === "list" && right.kind === "number" && right.value <= 64)
    return { kind: "list", items: Array.from({ length: Math.max(0, right.value) }, () => left.items).flat() };
  return unknown;
}

/** A number, or a boolean as arithmetic takes it. */
function numeric(known: Known): number | undefined {
  if (known.kind === "boolean") return known.value ? 1 : 0;
  return known.kind === "number" ? known.value : undefined;
}

function arithmetic(operator: string, left: number, right: number): Value {
  switch (operator) {
    case "+":
      return number(left + right);
    case "-":
      return number(left - right);
    case "*":
      return number(left * right);
    case "/":
      return number(left / right);
    case "//":
      return number(Math.floor(left / right));
    case "%":
      return number(left - Math.floor(left / right) * right);
    case "**":
      return number(left ** right);
    case "<<":
      return number(left * 2 ** right);
    case ">>":
      return number(Math.floor(left / 2 ** right));
    case "<":
      return boolean(left < right);
    case ">":
      return boolean(left > right);
    case "<=":
      return boolean(left <= right);
    case ">=":
      return boolean(left >= right);
    default:
      return unknown;
  }
}

/** Whether two values are equal; undefined where that cannot be told. */
function equal(one: Known, other: Known): boolean | undefined {
  const some = (known: Known) => known.kind === "instance" || known.kind === "options";
  // Whatever an object or a class is, it is not None.
  if (one.kind === "none" && (some(other) || other.kind === "list" || other.kind === "dict")) return false;
  if (other.kind === "none" && (some(one) || one.kind === "list" || one.kind === "dict")) return false;
  return certain(one) && certain(other) ? agree(one, other) : undefined;
}

function contains(items: readonly Value[], value: Known): boolean | undefined {
  const found = items.map((item) => equal(value, item));
  if (found.includes(true)) return true;
  return found.includes(undefined) ? undefined : false;
}

function certain(value: Known): boolean {
  return (
    value.kind === "number" || value.kind === "string" || value.kind === "boolean" || value.kind === "none"
  );
}

/** Whether Python takes a value for true; undefined where that cannot be told. */
export function truth(value: Known): boolean | undefined {
  switch (value.kind) {
    case "boolean":
      return value.value;
    case "number":
      return value.value !== 0;
    case "string":
      return value.value !== "";
    case "none":
      return false;
    case "list":
      return value.items.length > 0;
    case "instance":
    case "options":
    case "dict":
    case "reference":
    case "unknown":
      return undefined;
  }
}

/** Whether two values are certainly the same. */
export function agree(one: Known, other: Known): boolean {
  if (one.kind === "instance" || other.kind === "instance") return one === other;
  return one.kind !== "unknown" && JSON.stringify(one) === JSON.stringify(other);
}

/** The value on which all agree, else unknown. */
export function common(values: readonly Known[]): Known {
  const [first] = values;
  return first && values.every((value) => agree(first, value)) ? first : unknown;
}

export function subscript(object: Known, index: Known): Known {
  if (object.kind === "list" && index.kind === "number") return object.items.at(index.value) ?? unknown;
  if (object.kind === "dict") return object.entries.find(([key]) => agree(key, index))?.[1] ?? unknown;
  return unknown;
}
