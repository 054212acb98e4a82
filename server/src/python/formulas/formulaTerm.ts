/** Formulas as the corpus writes them, as terms that what a class computes is compared with. */
import type { Expr } from "../tree/ast";
import { parseBlock } from "../tree/syntax";
import { applied, input, map, scalar, type Term, unknown, weight } from "./terms";
import { combined } from "./termOperations";

/**
 * The term of a formula in Python: x is the input, s a scalar, f an activation; any other name is a weight, applied to
 * the input by a call, and norm, kron, cat, softmax and inverse are themselves.
 */
export function termOfFormula(formula: string): Term {
  const [statement] = parseBlock(formula, [], []).statements;
  return statement?.kind === "expression" ? formulaTerm(statement.value) : unknown;
}

const functionNames = new Set(["f", "norm", "kron", "cat", "softmax", "inverse"]);

function formulaTerm(expression: Expr): Term {
  if (expression.kind === "name")
    return expression.name === "x" ? input : expression.name === "s" ? scalar : weight(expression.name);
  if (expression.kind === "binary")
    return combined(expression.operator, formulaTerm(expression.left), formulaTerm(expression.right));
  if (expression.kind !== "call") return unknown;
  const given = expression.arguments.map(({ value }) => formulaTerm(value));
  const { callee } = expression;
  if (callee.kind === "name" && functionNames.has(callee.name)) return applied(callee.name, ...given);
  return map(formulaTerm(callee), given[0] ?? unknown);
}
