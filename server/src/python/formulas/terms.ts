/**
 * What a module computes, as a term in normal form: scales, dropout, casts and reshapes are gone, matrix products are maps
 * applied to their input, and a sum of matrices applied to x is the sum of what each makes of x. Two ways to write one
 * formula give one term.
 */

export type Term =
  | { readonly kind: "input" }
  /** A number, or an attribute that is neither layer nor parameter; among matrices, the identity. */
  | { readonly kind: "scalar"; readonly name?: string }
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
/** An attribute that the class was given from elsewhere: a number until it is used as a matrix. */
export const given = (name: string): Term => ({ kind: "scalar", name });
/** What is applied or multiplied as a matrix is one. */
export const asMatrix = (term: Term): Term =>
  term.kind === "scalar" && term.name !== undefined ? weight(term.name) : term;
export const applied = (name: string, ...of: readonly Term[]): Term =>
  bounded({ kind: "function", name, of });

/** A term of more parts is no method's. */
const mostParts = 200;

interface Known {
  /** The same for two terms that are the same. */
  readonly key: string;
  readonly parts: number;
  readonly dependsOnInput: boolean;
}

/** Terms share their parts, so that what is known of one is kept. */
const knownTerms = new WeakMap<Term, Known>();

function known(term: Term): Known {
  const before = knownTerms.get(term);
  if (before !== undefined) return before;
  const parts = partsOf(term).map(known);
  const keys = parts.map(({ key }) => key);
  const made: Known = {
    key: `${nameOf(term)}(${(term.kind === "sum" || term.kind === "product" ? keys.toSorted() : keys).join(",")})`,
    parts: parts.reduce((total, each) => total + each.parts, 1),
    dependsOnInput: term.kind === "input" || parts.some((each) => each.dependsOnInput),
  };
  knownTerms.set(term, made);
  return made;
}

const nameOf = (term: Term): string =>
  term.kind === "weight" || term.kind === "function" ? `${term.kind} ${term.name}` : term.kind;

/** What a term is made of. */
export function partsOf(term: Term): readonly Term[] {
  switch (term.kind) {
    case "map":
      return [term.map, term.of];
    case "matrix":
      return [term.left, term.right];
    case "sum":
    case "product":
      return term.terms;
    case "function":
      return term.of;
    default:
      return [];
  }
}

export const keyOf = (term: Term): string => known(term).key;
export const sizeOf = (term: Term): number => known(term).parts;
export const dependsOnInput = (term: Term): boolean => known(term).dependsOnInput;

const bounded = (term: Term): Term => (sizeOf(term) > mostParts ? unknown : term);

/** a + b + …, nested sums opened; a scalar beside others is an offset without interest, and a + a is a scaled. */
export function sum(...terms: readonly Term[]): Term {
  const open = new Map(
    terms
      .flatMap((term) => (term.kind === "sum" ? term.terms : [term]))
      .filter(({ kind }) => kind !== "scalar")
      .map((term) => [keyOf(term), term]),
  );
  const [only] = open.values();
  return only === undefined
    ? scalar
    : open.size === 1
      ? only
      : bounded({ kind: "sum", terms: [...open.values()] });
}

/** a * b * … elementwise, without its scalar factors. */
export function product(...terms: readonly Term[]): Term {
  const open = terms
    .flatMap((term) => (term.kind === "product" ? term.terms : [term]))
    .filter(({ kind }) => kind !== "scalar");
  const left = open.filter((term) => !isUndone(term, open));
  const [only] = left;
  return only === undefined ? scalar : left.length === 1 ? only : bounded({ kind: "product", terms: left });
}

/** Whether a factor and its inverse are both among the factors. */
function isUndone(term: Term, factors: readonly Term[]): boolean {
  const undone = term.kind === "function" && term.name === "inverse" ? term.of[0] : undefined;
  return undone === undefined
    ? factors.some(
        (each) =>
          each.kind === "function" &&
          each.name === "inverse" &&
          each.of[0] !== undefined &&
          keyOf(each.of[0]) === keyOf(term),
      )
    : factors.some((each) => keyOf(each) === keyOf(undone));
}

/** `matrix` applied to `of`, sums and products of matrices opened; applied to another matrix it is their product. */
export function map(matrix: Term, of: Term): Term {
  if (matrix.kind === "scalar") return of;
  if (of.kind === "scalar") return matrix;
  // rows of the input: what is applied to them stands transposed on their right
  if (!dependsOnInput(of) && !dependsOnInput(matrix) && of.kind !== "unknown")
    return bounded({ kind: "matrix", left: of, right: matrix });
  if (matrix.kind === "sum") return sum(...matrix.terms.map((term) => map(term, of)));
  if (matrix.kind === "matrix") return map(matrix.left, map(matrix.right, of));
  if (matrix.kind === "function" && matrix.name === "diagonal") return product(...matrix.of, of);
  return bounded({ kind: "map", map: matrix, of });
}

/** `left @ right`, whichever of the two the input is in. */
export function matrixProduct(left: Term, right: Term): Term {
  if (left.kind === "scalar") return right;
  if (right.kind === "scalar") return left;
  const [onLeft, onRight] = [dependsOnInput(left), dependsOnInput(right)];
  if (onLeft && onRight) return applied("matmul", left, right);
  if (onLeft) return map(right.kind === "matrix" ? flipped(right) : right, left);
  if (onRight) return map(left, right);
  return bounded({ kind: "matrix", left, right });
}

/** The factors the other way round: x @ (A @ B) applies A first. */
export const flipped = ({ left, right }: Term & { kind: "matrix" }): Term => ({
  kind: "matrix",
  left: right.kind === "matrix" ? flipped(right) : right,
  right: left.kind === "matrix" ? flipped(left) : left,
});

/** The term with `of` in place of the input and every weight under the name that `rename` gives it. */
export function substituted(term: Term, of: Term, rename: (name: string) => string): Term {
  const within = (part: Term): Term => substituted(part, of, rename);
  switch (term.kind) {
    case "input":
      return of;
    case "weight":
      return weight(rename(term.name));
    case "map":
      return map(within(term.map), within(term.of));
    case "matrix":
      return matrixProduct(within(term.left), within(term.right));
    case "sum":
      return sum(...term.terms.map(within));
    case "product":
      return product(...term.terms.map(within));
    case "function":
      return applied(term.name, ...term.of.map(within));
    default:
      return term;
  }
}
