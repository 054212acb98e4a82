/**
 * What a module computes, as a term in normal form: scales, dropout, casts and reshapes are gone, matrix products are maps
 * applied to their input, and a sum of matrices applied to x is the sum of what each makes of x. Two ways to write one
 * formula give one term.
 */

export type Term =
  | { readonly kind: "input" }
  /** A number, or an attribute that is neither layer nor parameter. */
  | { readonly kind: "scalar" }
  /** A parameter, buffer or layer of the class, or a letter of a pattern; `super` is what the base class computes. */
  | { readonly kind: "weight"; readonly name: string }
  /** A matrix or layer applied to something that depends on the input. */
  | { readonly kind: "map"; readonly map: Term; readonly of: Term }
  /** The product of two matrices. */
  | { readonly kind: "matrix"; readonly left: Term; readonly right: Term }
  | { readonly kind: "sum"; readonly terms: readonly Term[] }
  /** Elementwise. */
  | { readonly kind: "product"; readonly terms: readonly Term[] }
  | { readonly kind: "function"; readonly name: string; readonly of: readonly Term[] }
  | { readonly kind: "unknown" };

export const input: Term = { kind: "input" };
export const scalar: Term = { kind: "scalar" };
export const unknown: Term = { kind: "unknown" };
export const weight = (name: string): Term => ({ kind: "weight", name });
export const applied = (name: string, ...of: readonly Term[]): Term => ({ kind: "function", name, of });

/** Terms share their parts, so that what is known of one is kept. */
const dependent = new WeakMap<Term, boolean>();

export function dependsOnInput(term: Term): boolean {
  const known = dependent.get(term);
  if (known !== undefined) return known;
  const depends = holdsInput(term);
  dependent.set(term, depends);
  return depends;
}

function holdsInput(term: Term): boolean {
  switch (term.kind) {
    case "input":
      return true;
    case "map":
      return dependsOnInput(term.of) || dependsOnInput(term.map);
    case "matrix":
      return dependsOnInput(term.left) || dependsOnInput(term.right);
    case "sum":
    case "product":
      return term.terms.some(dependsOnInput);
    case "function":
      return term.of.some(dependsOnInput);
    case "scalar":
    case "weight":
    case "unknown":
      return false;
  }
}

/** a + b + …, nested sums opened; a scalar beside others is an offset without interest. */
export function sum(...terms: readonly Term[]): Term {
  const open = terms
    .flatMap((term) => (term.kind === "sum" ? term.terms : [term]))
    .filter(({ kind }) => kind !== "scalar");
  const [only] = open;
  return only === undefined ? scalar : open.length === 1 ? only : { kind: "sum", terms: open };
}

/** a * b * … elementwise, without its scalar factors. */
export function product(...terms: readonly Term[]): Term {
  const open = terms
    .flatMap((term) => (term.kind === "product" ? term.terms : [term]))
    .filter(({ kind }) => kind !== "scalar");
  const [only] = open;
  return only === undefined ? scalar : open.length === 1 ? only : { kind: "product", terms: open };
}

/** `matrix` applied to what depends on the input, sums and products of matrices opened. */
export function map(matrix: Term, of: Term): Term {
  if (matrix.kind === "sum") return sum(...matrix.terms.map((term) => map(term, of)));
  if (matrix.kind === "matrix") return map(matrix.left, map(matrix.right, of));
  if (matrix.kind === "scalar") return of;
  return { kind: "map", map: matrix, of };
}

/** `left @ right`, whichever of the two the input is in. */
export function matrixProduct(left: Term, right: Term): Term {
  const [onLeft, onRight] = [dependsOnInput(left), dependsOnInput(right)];
  if (onLeft && onRight) return applied("matmul", left, right);
  if (onLeft) return map(right.kind === "matrix" ? flipped(right) : right, left);
  if (onRight) return map(left, right);
  return { kind: "matrix", left, right };
}

/** The factors the other way round: x @ (A @ B) applies A first. */
export const flipped = ({ left, right }: Term & { kind: "matrix" }): Term => ({
  kind: "matrix",
  left: right,
  right: left,
});
