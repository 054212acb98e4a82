/**
 * Attributes of what a call gave, `model.merge_and_unload` after `model = get_peft_model(…)`: read when asked for, since
 * they rest on the statements before them.
 */
import {
  bodiesOf,
  dottedPath,
  expressionsOf,
  type Attribute,
  type CallExpr,
  type Expr,
  type Stmt,
  walkExpression,
} from "../tree/ast";
import { callFact } from "../names/calls";
import type { Place } from "../names/constants";
import type { Call, Range, Reference } from "../facts";
import type { Placed } from "../reading";
import type { Scope } from "../names/scope";
import { moveCall } from "../shift";

/** What stands at an offset; qualified names have brackets for what a call gives: `peft.get_peft_model().eval`. */
export interface MembersAt {
  readonly reference?: Reference;
  /** Calls of such attributes around the offset, outer first. */
  readonly calls: readonly Call[];
}

/** Methods of a module that return the module. */
const returnsItself = new Set(["to", "cuda", "cpu", "half", "float", "bfloat16", "train", "eval"]);
/** Chains longer than this are given up, which also ends cycles. */
const maximumSteps = 8;

/** The attribute at `offset` of the file and the calls of attributes around it, in the block that stands there. */
export function membersAt({ block, from }: Placed, scope: Scope, offset: number): MembersAt {
  const at = offset - from;
  const found = innermost(block.statements, at, { scope, block });
  if (!found) return { calls: [] };
  const { statement, place } = found;
  let attribute: Attribute | undefined;
  const callsAround: CallExpr[] = [];
  for (const expression of expressionsOf(statement))
    walkExpression(expression, (node) => {
      if (!covers(node, at)) return;
      if (node.kind === "call" && node.callee.kind === "attribute") callsAround.push(node);
      if (node.kind === "attribute" && node.nameFrom <= at) attribute = node;
    });
  const calls = callsAround.flatMap((call) => {
    const qualified = ofResult(call.callee, place);
    return qualified === undefined ? [] : [{ ...callFact(call, statement, place), qualified }];
  });
  const qualified = attribute && ofResult(attribute, place);
  const reference =
    attribute && qualified !== undefined
      ? {
          range: { from: attribute.nameFrom + from, to: attribute.nameFrom + attribute.name.length + from },
          qualified,
        }
      : undefined;
  return {
    calls: calls.map((call) => moveCall(call, from)),
    ...(reference && { reference }),
  };
}

const covers = ({ from, to }: Range, offset: number): boolean => from <= offset && offset <= to;

/** The statement at an offset that no other is nested in there. */
function innermost(
  statements: readonly Stmt[],
  at: number,
  place: Place,
): { readonly statement: Stmt; readonly place: Place } | undefined {
  const statement = statements.findLast((each) => covers(each, at));
  if (!statement) return undefined;
  const inside: Place =
    statement.kind === "class"
      ? { ...place, owner: statement, function: undefined }
      : statement.kind === "function"
        ? { ...place, function: statement }
        : place;
  for (const body of bodiesOf(statement)) {
    const nested = innermost(body, at, inside);
    if (nested) return nested;
  }
  return { statement, place };
}

/** The path of an attribute of what a call gave; undefined for any other and where it is not certain. */
function ofResult(expression: Expr, place: Place): string | undefined {
  if (expression.kind !== "attribute") return undefined;
  const object = origin(expression.object, place, 0);
  return object === undefined ? undefined : `${object}.${expression.name}`;
}

/** What an expression holds, as the call that gave it: `peft.get_peft_model()`. */
function origin(expression: Expr, place: Place, steps: number): string | undefined {
  if (steps > maximumSteps) return undefined;
  switch (expression.kind) {
    case "call":
      return originOfCall(expression, place, steps);
    case "attribute": {
      const object = origin(expression.object, place, steps + 1);
      return object === undefined ? undefined : `${object}.${expression.name}`;
    }
    case "name":
      return originOfName(expression.name, expression.from, place, steps);
    default:
      return undefined;
  }
}

function originOfCall({ callee }: CallExpr, place: Place, steps: number): string | undefined {
  const qualified = dottedPath(callee) && place.scope.resolve(callee);
  if (qualified !== undefined) return qualified.includes(".") ? `${qualified}()` : undefined;
  if (callee.kind !== "attribute") return undefined;
  const object = origin(callee.object, place, steps + 1);
  if (object === undefined || returnsItself.has(callee.name)) return object;
  return `${object}.${callee.name}()`;
}

function originOfName(name: string, before: number, place: Place, steps: number): string | undefined {
  const { scope, function: within } = place;
  if (within) {
    const local = bindings(name, within.body);
    if (local.length > 0) return follow(latest(local, before), place, steps);
    const parameter = within.parameters.find((each) => each.name === name);
    if (parameter) {
      const type = parameter.annotation && scope.resolve(parameter.annotation);
      return type?.includes(".") === true ? `${type}()` : undefined;
    }
    // the function may run at any time: only a name that is bound once means the same then
    const constant = scope.constant(name);
    return constant && origin(constant.value, { scope, block: constant.block }, steps + 1);
  }
  const here = scope.placed.findIndex(({ block }) => block === place.block);
  for (let index = here; index >= 0; index--) {
    const block = scope.placed[index]?.block;
    if (!block?.text.includes(name)) continue;
    const found = bindings(name, block.statements);
    const last = latest(found, index === here ? before : Infinity);
    if (last) return follow(last, { scope, block }, steps);
  }
  return undefined;
}

interface Bound {
  readonly from: number;
  /** Absent where it is not known what the name holds. */
  readonly value?: Expr;
  /** The bodies that it stands in: within them it holds, and after them perhaps. */
  readonly within: readonly Range[];
}

/** The last binding before an offset, where it holds there for certain. */
function latest(found: readonly Bound[], before: number): Bound | undefined {
  const last = found.findLast(({ from }) => from < before);
  return last?.within.every((body) => covers(body, before)) === false
    ? { from: last.from, within: [] }
    : last;
}

const follow = (bound: Bound | undefined, place: Place, steps: number): string | undefined =>
  bound?.value && origin(bound.value, place, steps + 1);

/** Whatever binds a name in statements, in source order, without those of functions and classes inside. */
function bindings(name: string, statements: readonly Stmt[], within: readonly Range[] = []): Bound[] {
  return statements.flatMap((statement): Bound[] => {
    const bound = (value?: Expr): Bound => ({ from: statement.to, within, ...(value && { value }) });
    switch (statement.kind) {
      case "assign": {
        if (!statement.targets.some((target) => mentions(target, name))) return [];
        const plain = statement.targets.some((target) => target.kind === "name" && target.name === name);
        return [bound(plain && statement.operator === "=" ? statement.value : undefined)];
      }
      case "class":
      case "function":
        return statement.name === name ? [bound()] : [];
      case "import":
        return statement.names.some(({ parts, alias }) => (alias ?? parts.at(-1))?.name === name)
          ? [bound()]
          : [];
      case "for":
      case "compound": {
        const header = statement.kind === "for" ? [statement.target] : statement.expressions;
        const rebound = header.some((each) => each.kind !== "call" && mentions(each, name));
        // one body and a header: a with statement, whose body always runs
        const certain = statement.kind === "compound" && statement.bodies.length === 1;
        return [
          ...(rebound ? [{ from: statement.from, within }] : []),
          ...bodiesOf(statement).flatMap((body) =>
            bindings(name, body, certain ? within : [...within, rangeOf(body)]),
          ),
        ];
      }
      default:
        return bodiesOf(statement).flatMap((body) => bindings(name, body, [...within, rangeOf(body)]));
    }
  });
}

const rangeOf = (body: readonly Stmt[]): Range => ({ from: body[0]?.from ?? 0, to: body.at(-1)?.to ?? 0 });

function mentions(target: Expr, name: string): boolean {
  if (target.kind === "name") return target.name === name;
  if (target.kind === "tuple" || target.kind === "list")
    return target.items.some((item) => mentions(item, name));
  return target.kind === "star" && mentions(target.value, name);
}
