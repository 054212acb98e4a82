/** Formulas as the corpus writes them, as terms that what a class computes is compared with. */
import type { Expr } from "../tree/ast";
import { parseBlock } from "../tree/syntax";
import { combined, inverse, power, transposed } from "./termOperations";
import { applied, input, map, scalar, type Term, unknown, weight } from "./terms";

/**
 * The term of a formula in Python: x is the input, s and digits are scalars, I is the identity, f an activation; any other
 * name is a weight, applied to the input by a call, and the names of functions are themselves.
 */
function termOfFormula(formula: string): Term {
  const [statement] = parseBlock(formula, [], []).statements;
  return statement?.kind === "expression" ? formulaTerm(statement.value) : unknown;
}

/** The terms of many formulas, read at once: that takes a tenth of the time. */
export function termsOfFormulas(formulas: readonly string[]): readonly Term[] {
  const { statements } = parseBlock(formulas.join("\n"), [], []);
  return formulas.map((formula, index) => {
    const statement = statements.length === formulas.length ? statements[index] : undefined;
    return statement?.kind === "expression" ? formulaTerm(statement.value) : termOfFormula(formula);
  });
}

const functionNames =
  /^(?:f|norm|kron|cat|softmax|matmul|cos|sin|exp|fft|ifft|scatter|fold|diagonal|square)$/;

function formulaTerm(expression: Expr): Term {
  switch (expression.kind) {
    case "name":
      return expression.name === "x"
        ? input
        : expression.name === "s" || expression.name === "I"
          ? scalar
          : weight(expression.name);
    case "number":
      return scalar;
    case "binary":
      return expression.operator === "**"
        ? power(
            formulaTerm(expression.left),
            expression.right.kind === "number" ? expression.right.value : undefined,
          )
        : combined(expression.operator, formulaTerm(expression.left), formulaTerm(expression.right));
    case "attribute":
      return expression.name === "T" ? transposed(formulaTerm(expression.object)) : unknown;
    case "call": {
      const given = expression.arguments.map(({ value }) => formulaTerm(value));
      const { callee } = expression;
      if (callee.kind === "name" && callee.name === "inverse") return inverse(given[0] ?? unknown);
      if (callee.kind === "name" && functionNames.test(callee.name)) return applied(callee.name, ...given);
      return map(formulaTerm(callee), given[0] ?? unknown);
    }
    default:
      return unknown;
  }
}
