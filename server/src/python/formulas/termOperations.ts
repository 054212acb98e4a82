/** Operators and functions of Python and torch on terms. */
import {
  applied,
  dependsOnInput,
  flipped,
  map,
  matrixProduct,
  product,
  scalar,
  sum,
  type Term,
  unknown,
} from "./terms";

export function combined(operator: string, left: Term, right: Term): Term {
  if (operator === "+" || operator === "-") return sum(left, right);
  if (operator === "*") return product(left, right);
  if (operator === "/") return product(left, right.kind === "scalar" ? right : applied("inverse", right));
  if (operator === "@") return matrixProduct(left, right);
  return left.kind === "scalar" && right.kind === "scalar" ? scalar : unknown;
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

export function updated(operator: string, before: Term | undefined, term: Term): Term {
  if (operator === "=" || before === undefined) return term;
  if (operator === "+=" || operator === "-=") return sum(before, term);
  if (operator === "*=") return product(before, term);
  if (operator === "@=") return matrixProduct(before, term);
  return unknown;
}
