/** How large the sizes of a class are beside each other, where its source does not say the numbers: dim // 4 is a quarter of dim. */
import { dottedPath, type Expr, type FunctionStmt, type Stmt, walkStatements } from "../tree/ast";
import { parseBlock } from "../tree/syntax";

/** So many times what `unit` says; a plain number has no unit. */
export interface Proportion {
  readonly unit: string;
  readonly factor: number;
}

const passedOn = new Set(["int", "float", "round", "ceil", "floor", "max"]);
/** Names are followed to what they were assigned this deep. */
const deepest = 8;

/** Sizes by their text, as they hold in a class's `__init__`. */
export function proportionsIn(init: FunctionStmt | undefined): (text: string) => Proportion | undefined {
  const assigned = assignedOnce(init?.body ?? []);
  const defaults = new Map(init?.parameters.map((parameter) => [parameter.name, parameter.default]) ?? []);

  const read = (expression: Expr, depth: number): Proportion | undefined => {
    switch (expression.kind) {
      case "number":
        return { unit: "", factor: expression.value };
      case "binary":
        return calculated(expression.operator, read(expression.left, depth), read(expression.right, depth));
      case "call": {
        const name = dottedPath(expression.callee)?.at(-1) ?? "";
        const sizes = expression.arguments.flatMap(({ value }) => read(value, depth) ?? []);
        return passedOn.has(name) ? (sizes.find(({ unit }) => unit !== "") ?? sizes[0]) : undefined;
      }
      case "name":
      case "attribute": {
        const name = dottedPath(expression)?.join(".");
        if (name === undefined) return undefined;
        const [given, bound] = [defaults.get(name), assigned.get(name)];
        // a parameter that is bound anew depends on what was given
        const value = bound === undefined ? given : defaults.has(name) ? undefined : bound;
        const known = value === undefined || depth >= deepest ? undefined : read(value, depth + 1);
        return known ?? { unit: name, factor: 1 };
      }
      default:
        return undefined;
    }
  };

  return (text) => {
    const [statement] = parseBlock(text, [], []).statements;
    return statement?.kind === "expression" ? read(statement.value, 0) : undefined;
  };
}

function calculated(
  operator: string,
  left: Proportion | undefined,
  right: Proportion | undefined,
): Proportion | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (operator === "*" && (left.unit === "" || right.unit === ""))
    return { unit: left.unit + right.unit, factor: left.factor * right.factor };
  if ((operator === "/" || operator === "//") && right.unit === "" && right.factor !== 0)
    return { unit: left.unit, factor: left.factor / right.factor };
  return undefined;
}

/** Names and attributes that a body binds in one place only. */
function assignedOnce(body: readonly Stmt[]): ReadonlyMap<string, Expr> {
  const found = new Map<string, Expr[]>();
  walkStatements(body, (statement) => {
    if (statement.kind !== "assign" || statement.value === undefined) return;
    for (const target of statement.targets) {
      const name = dottedPath(target)?.join(".");
      if (name !== undefined) found.set(name, [...(found.get(name) ?? []), statement.value]);
    }
  });
  return new Map(
    [...found].flatMap(([name, [only, another]]) =>
      only === undefined || another !== undefined ? [] : [[name, only] as const],
    ),
  );
}
