/** Operators and functions of Python and torch on terms. */
import {
  applied,
  asMatrix,
  dependsOnInput,
  flipped,
  keyOf,
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
  if (operator === "+") return sum(left, right);
  if (operator === "-") return difference(left, right);
  if (operator === "*") return product(left, right);
  if (operator === "/") return product(left, inverse(right));
  if (operator === "@") return matrixProduct(asMatrix(left), asMatrix(right));
  // a mask is a number to what it covers
  if (comparisons.has(operator)) return scalar;
  return left.kind === "scalar" && right.kind === "scalar" ? scalar : unknown;
}

/** a - b, where what is in both is gone: (W + B A) - W is B A. A matrix less itself turned over (skew) is that matrix. */
export function difference(left: Term, right: Term): Term {
  const opened = (term: Term): readonly Term[] => (term.kind === "sum" ? term.terms : [term]);
  const without = (terms: readonly Term[], others: readonly Term[]): readonly Term[] => {
    const keys = new Set(others.map(keyOf));
    return terms.filter((term) => !keys.has(keyOf(term)));
  };
  const [from, less] = [opened(left), opened(right)];
  const rest = [...without(from, less), ...without(less, from)];
  return rest.length === 0 ? left : sum(...rest);
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
  if (operator === "+=") return sum(before, term);
  if (operator === "-=") return difference(before, term);
  if (operator === "*=") return product(before, term);
  if (operator === "/=") return product(before, inverse(term));
  if (operator === "@=") return matrixProduct(asMatrix(before), asMatrix(term));
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
    (best, each) =>
      best.kind === "unknown" ||
      (best.kind === "scalar" && each.kind !== "unknown") ||
      sizeOf(each) > sizeOf(best)
        ? each
        : best,
    unknown,
  );
