/** Operators and functions of Python and torch on terms. */
import {
  applied,
  dependsOnInput,
  flipped,
  keyOf,
  map,
  matrixProduct,
  product,
  scalar,
  sizeOf,
  sum,
  type Term,
  unknown,
} from "./terms";

const comparisons = new Set(["<", ">", "<=", ">=", "==", "!=", "and", "or", "in", "not in", "is", "is not"]);

export function combined(operator: string, left: Term, right: Term): Term {
  if (operator === "+" || operator === "-") return sum(left, right);
  if (operator === "*") return product(left, right);
  if (operator === "/") return product(left, inverse(right));
  if (operator === "@") return matrixProduct(left, right);
  // a mask is a number to what it covers
  if (comparisons.has(operator)) return scalar;
  return left.kind === "scalar" && right.kind === "scalar" ? scalar : unknown;
}

/** 1 / a, or the inverse of a matrix; of a product, those of its factors. */
export function inverse(of: Term): Term {
  if (of.kind === "scalar") return scalar;
  if (of.kind === "product") return product(...of.terms.map(inverse));
  if (of.kind === "function" && of.name === "inverse") return of.of[0] ?? unknown;
  return applied("inverse", of);
}

/** a ** 2, and what undoes it: the root of a sum of squares is the norm. */
export function power(of: Term, exponent: number | undefined): Term {
  if (of.kind === "scalar") return scalar;
  if (exponent === 2) return applied("square", of);
  if (exponent === -1) return inverse(of);
  const root =
    of.kind === "function" && of.name === "square" ? applied("norm", ...of.of) : applied("root", of);
  return exponent === 0.5 ? root : exponent === -0.5 ? inverse(root) : unknown;
}

/** Of several operands, the one with the input in it is what the others are applied to. */
export function einsum(operands: readonly Term[]): Term {
  const inner = operands.find(dependsOnInput);
  const others = operands.filter((operand) => operand !== inner);
  const [left, ...rest] = others;
  if (left === undefined) return inner ?? unknown;
  const matrix = rest.reduce<Term>((made, each) => ({ kind: "matrix", left: made, right: each }), left);
  return inner === undefined ? matrix : map(matrix, inner);
}

/** A function of a number is a number. */
export const elementwise = (name: string, of: Term): Term =>
  of.kind === "scalar" ? scalar : applied(name, of);

/** Of a product the factors change places; of anything else it is all one to the formula. */
export const transposed = (term: Term): Term => (term.kind === "matrix" ? flipped(term) : term);

/** What is joined along an axis: pieces of one weight are that weight. */
export function joined(terms: readonly Term[]): Term {
  const [first, ...others] = terms;
  if (first === undefined) return unknown;
  if (others.length === 0) return first;
  return others.every((each) => keyOf(each) === keyOf(first)) && !dependsOnInput(first)
    ? first
    : applied("cat", ...terms);
}

export function updated(operator: string, before: Term | undefined, term: Term): Term {
  if (operator === "=" || before === undefined) return term;
  if (operator === "+=" || operator === "-=") return sum(before, term);
  if (operator === "*=") return product(before, term);
  if (operator === "/=") return product(before, inverse(term));
  if (operator === "@=") return matrixProduct(before, term);
  return unknown;
}

/** Of a list its first item; anything else is itself. */
export const firstOf = (term: Term): Term =>
  term.kind === "function" && term.name === "list" ? firstOf(term.of[0] ?? unknown) : term;

/** What of a tuple goes to one of the names that it is unpacked into. */
export const itemOf = (term: Term, index: number, count: number): Term =>
  term.kind === "function" && term.name === "list" && term.of.length === count
    ? (term.of[index] ?? unknown)
    : firstOf(term);

/** Of the ways through a function the one that says most. */
export const largest = (terms: readonly Term[]): Term =>
  terms.reduce(
    (best, each) => (best.kind === "unknown" || sizeOf(each) > sizeOf(best) ? each : best),
    unknown,
  );
