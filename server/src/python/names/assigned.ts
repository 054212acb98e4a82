/**
 * Which assignment gives a name its value at a place of a function: straight-line code, branches whose test is known,
 * branches that agree. A name is `x`, or `self.x` for an attribute.
 */
import {
  bodiesOf,
  type Expr,
  expressionsOf,
  type FunctionStmt,
  type IfStmt,
  type Stmt,
  walkExpression,
} from "../tree/ast";
import type { Block } from "./block";
import { lazily } from "../../lazily";
import { binary, common, type Known, unknown } from "./known";

/** Offsets at which names are assigned or changed, by name, in source order. */
export type Assigned = ReadonlyMap<string, readonly number[]>;

/** How the walk learns what expressions hold and what names were before the function assigned them. */
export interface Evaluation {
  readonly know: (expression: Expr) => Known;
  readonly truth: (expression: Expr) => boolean | undefined;
  readonly assigned: Assigned;
}

/** The offset of an assignment that stands in an expression, `(n := 3)`: where it is carried out is not followed. */
const withinExpression = -1;

const changing = /^(?:append|extend|insert|pop|remove|clear|reverse|sort|update|setdefault)$/;

/** Where a function assigns its names and attributes of `self`. */
export function assignedIn(within: FunctionStmt, block: Block): Assigned {
  const known = block.memory.assigned.get(within);
  if (known) return known;
  const found = new Map<string, number[]>();
  const note = (target: Expr, at: number) => {
    for (const name of namesOf(target)) {
      const all = found.get(name);
      if (all) all.push(at);
      else found.set(name, [at]);
    }
  };
  const visit = (statements: readonly Stmt[]) => {
    for (const statement of statements) {
      if (statement.kind === "function" || statement.kind === "class") continue;
      if (statement.kind === "assign") for (const target of statement.targets) note(target, statement.from);
      else if (statement.kind === "for") note(statement.target, statement.from);
      for (const expression of expressionsOf(statement))
        walkExpression(expression, (inner) => {
          if (inner.kind === "other" && inner.assigns) note(inner.assigns, withinExpression);
          if (inner.kind === "call" && inner.callee.kind === "attribute" && changing.test(inner.callee.name))
            note(inner.callee.object, statement.from);
        });
      for (const body of bodiesOf(statement)) visit(body);
    }
  };
  visit(within.body);
  block.memory.assigned.set(within, found);
  return found;
}

/** The names that a target gives values to. */
function namesOf(target: Expr): string[] {
  switch (target.kind) {
    case "name":
    case "attribute": {
      const name = nameOf(target);
      return name === undefined ? [] : [name];
    }
    case "tuple":
    case "list":
      return target.items.flatMap(namesOf);
    case "star":
      return namesOf(target.value);
    case "subscript":
      return namesOf(target.object);
    default:
      return [];
  }
}

/** `x` and `self.x` as names. */
function nameOf(target: Expr): string | undefined {
  if (target.kind === "name") return target.name;
  const own = target.kind === "attribute" && target.object.kind === "name" && target.object.name === "self";
  return own ? `self.${target.name}` : undefined;
}

/** What a name holds just before an offset of a function's body; `outside` says what it held before the function. */
export function valueAt(
  name: string,
  body: readonly Stmt[],
  before: number,
  evaluation: Evaluation,
  outside: () => Known,
): Known {
  const offsets = evaluation.assigned.get(name);
  const changes = (statement: Stmt) =>
    offsets?.some((at) => at >= statement.from && at <= statement.to) === true;

  const above = (statements: readonly Stmt[], end: number, at: number, earlier: () => Known): Known => {
    for (let index = end - 1; index >= 0; index--) {
      const statement = statements[index];
      if (!statement || statement.from >= at || !changes(statement)) continue;
      // both ways past a branch lead here
      const rest = lazily(() => above(statements, index, at, earlier));
      return at <= statement.to ? inside(statement, at, rest) : after(statement, rest);
    }
    return earlier();
  };

  /** The value at an offset within a statement. */
  const inside = (statement: Stmt, at: number, rest: () => Known): Known => {
    const around = bodiesOf(statement).find((each) => {
      const [first] = each;
      const last = each.at(-1);
      return first && last && first.from <= at && at <= last.to;
    });
    if (!around) return statement.kind === "for" && at > statement.headerTo ? unknown : rest();
    // What a round of a loop leaves behind is there at the next one.
    const loops = statement.kind === "for" || statement.kind === "while";
    return above(around, around.length, at, loops ? () => unknown : rest);
  };

  /** The value after a statement that changes the name. */
  const after = (statement: Stmt, rest: () => Known): Known => {
    switch (statement.kind) {
      case "assign":
        return assignment(statement, rest);
      case "if":
        return afterBranches(statement, rest);
      case "expression":
        return appended(statement.value, rest);
      case "compound": {
        const [only, another] = statement.bodies;
        // `with` runs its body once; `try` and `match` may not.
        return only && !another && statement.runsOnce ? above(only, only.length, Infinity, rest) : unknown;
      }
      default:
        return unknown;
    }
  };

  const assignment = (statement: Stmt & { kind: "assign" }, rest: () => Known): Known => {
    const { value, operator, targets } = statement;
    if (!value) return rest();
    if (operator !== "=") {
      const [target] = targets;
      if (!target || nameOf(target) !== name) return unknown;
      return binary(operator.slice(0, -1), rest(), evaluation.know(value));
    }
    for (const target of targets) {
      if (nameOf(target) === name) return evaluation.know(value);
      if (namesOf(target).includes(name)) return unpacked(target, value);
    }
    return changes(statement) ? unknown : rest();
  };

  /** `a, b = 3, 4`, `a, *b = sizes`, `(a, b), c = …`. */
  const unpacked = (target: Expr, value: Expr): Known => {
    if (target.kind !== "tuple" && target.kind !== "list") return unknown;
    const written = value.kind === "tuple" || value.kind === "list" ? value.items : undefined;
    const index = target.items.findIndex((item) => namesOf(item).includes(name));
    const item = target.items[index];
    const plainly = target.items.every((each) => each.kind !== "star");
    if (written && plainly && written.length === target.items.length) {
      const part = written[index];
      if (!item || !part || part.kind === "star") return unknown;
      return nameOf(item) === name ? evaluation.know(part) : unpacked(item, part);
    }
    const known = evaluation.know(value);
    if (known.kind !== "list" || !item || nameOf(item) !== name) return unknown;
    if (plainly)
      return known.items.length === target.items.length ? (known.items[index] ?? unknown) : unknown;
    const star = target.items.findIndex((each) => each.kind === "star");
    if (known.items.length < target.items.length - 1) return unknown;
    return known.items.at(index < star ? index : index - target.items.length) ?? unknown;
  };

  const appended = (expression: Expr, rest: () => Known): Known => {
    if (expression.kind !== "call" || expression.callee.kind !== "attribute") return unknown;
    const { object, name: method } = expression.callee;
    const [added] = expression.arguments;
    if (method !== "append" || nameOf(object) !== name || !added) return unknown;
    const known = rest();
    const item = evaluation.know(added.value);
    return known.kind === "list" && item.kind !== "instance" && item.kind !== "options"
      ? { kind: "list", items: [...known.items, item] }
      : unknown;
  };

  const afterBranches = (statement: IfStmt, rest: () => Known): Known => {
    const found: Known[] = [];
    for (const { test, body: branch } of statement.branches) {
      const taken = test ? evaluation.truth(test) : true;
      if (taken === false) continue;
      if (!leaves(branch)) found.push(above(branch, branch.length, Infinity, rest));
      if (taken) return common(found);
    }
    found.push(rest());
    return common(found);
  };

  if (offsets?.includes(withinExpression)) return unknown;
  return offsets ? above(body, body.length, before, outside) : outside();
}

/** Whether a branch never reaches the statement after it. */
export function leaves(branch: readonly Stmt[]): boolean {
  const last = branch.at(-1);
  return last?.kind === "return" || (last?.kind === "simple" && last.leaves);
}
