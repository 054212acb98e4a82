/** torch.einsum as a term, by what its equation sums over. */
import { applied, dependsOnInput, map, product, type Term, unknown } from "./terms";

interface Operand {
  readonly term: Term;
  /** Its letters in the equation; none where the equation is not written out. */
  readonly letters: string;
}

/** The operands of `einsum("ri,or,bi->bo", A, B, x)`: what the input meets first is applied first. */
export function einsum(equation: string | undefined, terms: readonly Term[]): Term {
  const [left = "", right = ""] = (equation ?? "").replace(/[\s.]/g, "").split("->");
  const letters = left.split(",");
  const operands = terms.map((term, index): Operand => ({ term, letters: letters[index] ?? "" }));
  const inner = operands.find(({ term }) => dependsOnInput(term)) ?? operands[0];
  if (inner === undefined) return unknown;
  const others = operands.filter((operand) => operand !== inner);
  if (dependsOnInput(inner.term)) return followed(inner, others, right);
  const [one, another] = operands;
  if (one !== undefined && another !== undefined && operands.length === 2 && equation !== undefined) {
    if (isWithin(one.letters, right) && isWithin(another.letters, right))
      // nothing is summed over: entry by entry, or each entry with every other
      return isWithin(one.letters, another.letters) || isWithin(another.letters, one.letters)
        ? product(one.term, another.term)
        : applied("kron", one.term, another.term);
  }
  return others.reduce<Term>((made, { term }) => ({ kind: "matrix", left: made, right: term }), inner.term);
}

/** What each of the others makes of the input, nearest first. */
function followed({ term, letters }: Operand, others: readonly Operand[], result: string): Term {
  const next =
    others.find((other) => Array.from(other.letters).some((each) => letters.includes(each))) ?? others[0];
  if (next === undefined) return term;
  if (dependsOnInput(next.term)) return applied("matmul", term, next.term);
  const isScale = next.letters !== "" && isWithin(next.letters, letters) && isWithin(next.letters, result);
  return followed(
    {
      term: isScale ? product(next.term, term) : map(next.term, term),
      letters: isScale ? letters : letters + next.letters,
    },
    others.filter((other) => other !== next),
    result,
  );
}

const isWithin = (letters: string, others: string): boolean =>
  Array.from(letters).every((each) => others.includes(each));
