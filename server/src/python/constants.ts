/**
 * What an expression evaluates to without running anything: literals, arithmetic, locals, module constants,
 * parameters with defaults or with the arguments the file passes, and the fields of config classes. Constants and
 * config classes may be those of a neighbouring file that this one imports.
 */
import type { CallExpr, ClassStmt, Expr, FunctionStmt, ParameterNode, Stmt } from "./ast";
import { dottedPath, walkStatements } from "./ast";
import type { Block, Construction } from "./block";
import type { Value } from "./facts";
import type { Origin, Scope } from "./scope";

/** A value, or an instance of a class of this file or a neighbour whose fields can be asked for. */
export type Known = Value | Instance;
export interface Instance {
  readonly kind: "instance";
  readonly type: ClassStmt;
  readonly block: Block;
  /** Of the file that defines the class. */
  readonly scope: Scope;
  readonly call?: { readonly node: CallExpr; readonly place: Place };
}

const unknown = { kind: "unknown" } as const;
/** Chains of names longer than this are given up, which also ends cycles. */
const maximumSteps = 12;

/** Where an expression stands: what its names may mean. */
export interface Place {
  readonly scope: Scope;
  readonly block: Block;
  readonly owner?: ClassStmt | undefined;
  readonly function?: FunctionStmt | undefined;
  /** Names bound by the caller: the arguments of a factory, a loop's variable. */
  readonly bound?: ReadonlyMap<string, { readonly value: Expr; readonly place: Place }>;
}

/** The value of an expression at a place. */
export function evaluate(expression: Expr, place: Place): Value {
  const known = know(expression, place, 0);
  return known.kind === "instance" ? unknown : known;
}

function number(value: number): Value {
  return Number.isFinite(value) ? { kind: "number", value } : unknown;
}

function plain(known: Known): Value {
  return known.kind === "instance" ? unknown : known;
}

function know(expression: Expr, place: Place, steps: number): Known {
  if (steps > maximumSteps) return unknown;
  const again = (node: Expr) => know(node, place, steps + 1);
  switch (expression.kind) {
    case "number":
      return number(expression.value);
    case "string":
      return expression.value === undefined ? unknown : { kind: "string", value: expression.value };
    case "constant":
      return expression.value === null ? { kind: "none" } : { kind: "boolean", value: expression.value };
    case "tuple":
    case "list":
    case "set":
      return { kind: "list", items: expression.items.map((item) => plain(again(item))) };
    case "dict":
      return {
        kind: "dict",
        entries: expression.entries.flatMap(({ key, value }) =>
          key ? [[plain(again(key)), plain(again(value))] as const] : [],
        ),
      };
    case "unary":
      return unary(expression.operator, again(expression.operand));
    case "binary":
      return binary(expression.operator, again(expression.left), again(expression.right));
    case "conditional": {
      const test = truth(again(expression.test));
      if (test !== undefined) return again(test ? expression.then : expression.otherwise);
      const then = again(expression.then);
      return agree(then, again(expression.otherwise)) ? then : unknown;
    }
    case "name":
      return knowName(expression.name, place, steps, expression.from) ?? reference(expression, place);
    case "attribute":
      return knowAttribute(expression, place, steps);
    case "subscript": {
      const object = again(expression.object);
      const index = expression.items[0] && again(expression.items[0]);
      return index ? subscript(object, index) : unknown;
    }
    case "call":
      return knowCall(expression, place, steps);
    case "comprehension":
    case "lambda":
    case "star":
    case "other":
      return unknown;
  }
}

function reference(expression: Expr, place: Place): Value {
  const qualified = place.scope.resolve(expression);
  return qualified === undefined ? unknown : { kind: "reference", qualified };
}

function unary(operator: string, operand: Known): Value {
  if (operator === "not") {
    const value = truth(operand);
    return value === undefined ? unknown : { kind: "boolean", value: !value };
  }
  if (operand.kind !== "number") return unknown;
  if (operator === "-") return number(-operand.value);
  return operator === "+" ? operand : unknown;
}

function binary(operator: string, left: Known, right: Known): Value {
  if (left.kind === "number" && right.kind === "number") return arithmetic(operator, left.value, right.value);
  if (operator === "or" || operator === "and") {
    const value = truth(left);
    return value === undefined ? unknown : plain(value === (operator === "or") ? left : right);
  }
  const equality = operator === "==" || operator === "is";
  if (equality || operator === "!=" || operator === "isnot") {
    if (!certain(left) || !certain(right)) return unknown;
    return { kind: "boolean", value: agree(left, right) === equality };
  }
  if (operator === "+" && left.kind === "list" && right.kind === "list")
    return { kind: "list", items: [...left.items, ...right.items] };
  if (operator === "+" && left.kind === "string" && right.kind === "string")
    return { kind: "string", value: left.value + right.value };
  if (operator === "*" && left.kind === "list" && right.kind === "number" && right.value <= 64)
    return { kind: "list", items: Array.from({ length: Math.max(0, right.value) }, () => left.items).flat() };
  return unknown;
}

function arithmetic(operator: string, left: number, right: number): Value {
  switch (operator) {
    case "+":
      return number(left + right);
    case "-":
      return number(left - right);
    case "*":
      return number(left * right);
    case "/":
      return number(left / right);
    case "//":
      return number(Math.floor(left / right));
    case "%":
      return number(left - Math.floor(left / right) * right);
    case "**":
      return number(left ** right);
    case "<<":
      return number(left * 2 ** right);
    case ">>":
      return number(Math.floor(left / 2 ** right));
    case "<":
      return { kind: "boolean", value: left < right };
    case ">":
      return { kind: "boolean", value: left > right };
    case "<=":
      return { kind: "boolean", value: left <= right };
    case ">=":
      return { kind: "boolean", value: left >= right };
    case "==":
    case "is":
      return { kind: "boolean", value: left === right };
    case "!=":
      return { kind: "boolean", value: left !== right };
    case "or":
      return number(left === 0 ? right : left);
    case "and":
      return number(left === 0 ? left : right);
    default:
      return unknown;
  }
}

function certain(value: Known): boolean {
  return (
    value.kind === "number" || value.kind === "string" || value.kind === "boolean" || value.kind === "none"
  );
}

function truth(value: Known): boolean | undefined {
  switch (value.kind) {
    case "boolean":
      return value.value;
    case "number":
      return value.value !== 0;
    case "string":
      return value.value !== "";
    case "none":
      return false;
    case "list":
      return value.items.length > 0;
    case "instance":
    case "dict":
    case "reference":
    case "unknown":
      return undefined;
  }
}

function agree(one: Known, other: Known): boolean {
  if (one.kind === "instance" || other.kind === "instance") return one === other;
  return one.kind !== "unknown" && JSON.stringify(one) === JSON.stringify(other);
}

function subscript(object: Known, index: Known): Known {
  if (object.kind === "list" && index.kind === "number") return object.items.at(index.value) ?? unknown;
  if (object.kind === "dict") return object.entries.find(([key]) => agree(key, index))?.[1] ?? unknown;
  return unknown;
}

function knowCall(call: CallExpr, place: Place, steps: number): Known {
  const parts = dottedPath(call.callee);
  const [first, second] = call.arguments;
  if (parts?.length === 1 && first && !first.star) {
    const value = know(first.value, place, steps + 1);
    switch (parts[0] ?? "") {
      case "int":
        return value.kind === "number" ? number(Math.trunc(value.value)) : unknown;
      case "float":
        return value.kind === "number" ? value : unknown;
      case "round":
        return value.kind === "number" && !second ? number(Math.round(value.value)) : unknown;
      case "len":
        return value.kind === "list" ? number(value.items.length) : unknown;
      case "list":
      case "tuple":
        return value.kind === "list" ? value : unknown;
      case "max":
      case "min": {
        const values = call.arguments.map((argument) => know(argument.value, place, steps + 1));
        const numbers = values.flatMap((each) => (each.kind === "number" ? [each.value] : []));
        if (numbers.length !== values.length || values.length < 2) return unknown;
        return number(parts[0] === "max" ? Math.max(...numbers) : Math.min(...numbers));
      }
      default:
        break;
    }
  }
  if (place.scope.resolve(call.callee) === "functools.partial" && first)
    return know(first.value, place, steps + 1);
  const type = parts && place.scope.originOf(parts);
  return type?.kind === "class" ? { ...instanceOf(type), call: { node: call, place } } : unknown;
}

/** What a bare name holds where the expression stands; undefined when it is no variable of the file. */
function knowName(name: string, place: Place, steps: number, before: number): Known | undefined {
  const bound = place.bound?.get(name);
  if (bound) return know(bound.value, bound.place, steps + 1);
  if (place.function) {
    const local = localAssignment(name, place.function, place.block, before);
    if (local === "several") return unknown;
    if (local) return know(local, place, steps + 1);
    const parameter = place.function.parameters.find((each) => each.name === name);
    if (parameter)
      return place.scope.derive(place.scope.parameters, parameter, () =>
        knowParameter(parameter, place, steps),
      );
  }
  return knowOrigin(place.scope.origin(name), place, steps);
}

/** What a variable at the top level of this file or a neighbour holds. */
function knowOrigin(origin: Origin | undefined, { scope }: Place, steps: number): Known | undefined {
  if (origin?.kind !== "variable" || !origin.value) return undefined;
  return from(
    origin.scope,
    scope,
    know(origin.value, { scope: origin.scope, block: origin.block }, steps + 1),
  );
}

/** A value as another file may speak of it: names of the file it comes from mean nothing there. */
function from(source: Scope, reader: Scope, known: Known): Known {
  return source === reader || known.kind === "instance" ? known : abroad(known, source);
}

function abroad(value: Value, source: Scope): Value {
  switch (value.kind) {
    case "reference":
      return source.isLibrary(value.qualified) ? value : unknown;
    case "list":
      return { kind: "list", items: value.items.map((item) => abroad(item, source)) };
    case "dict":
      return {
        kind: "dict",
        entries: value.entries.map(([key, item]) => [abroad(key, source), abroad(item, source)] as const),
      };
    default:
      return value;
  }
}

function instanceOf({ node, block, scope }: Origin & { kind: "class" }): Instance {
  return { kind: "instance", type: node, block, scope };
}

export interface Local {
  readonly from: number;
  readonly value?: Expr;
}

/** Every assignment to a local name; without a value where it is a loop's variable or speaks of itself. */
function localsOf(within: FunctionStmt, block: Block): ReadonlyMap<string, readonly Local[]> {
  const known = block.memory.locals.get(within);
  if (known) return known;
  const found = new Map<string, Local[]>();
  block.memory.locals.set(within, found);
  const note = (name: string, from: number, value: Expr | undefined) => {
    // `dim = dim or 64` speaks of the parameter in its own value: give up.
    const sound = value && !mentions(value, name);
    const local = { from, ...(sound && { value }) };
    const known = found.get(name);
    if (known) known.push(local);
    else found.set(name, [local]);
  };
  walkStatements(within.body, (statement) => {
    if (statement.kind === "function" || statement.kind === "class") return false;
    if (statement.kind === "for") for (const name of namesIn(statement.target)) note(name, -1, undefined);
    if (statement.kind !== "assign") return true;
    const { value, operator, from } = statement;
    for (const target of statement.targets) {
      if (target.kind === "name") note(target.name, from, operator === "=" ? value : undefined);
      else if (target.kind === "tuple") {
        const parts = value?.kind === "tuple" || value?.kind === "list" ? value.items : [];
        for (const [index, item] of target.items.entries())
          for (const name of namesIn(item)) note(name, from, item.kind === "name" ? parts[index] : undefined);
      }
    }
    return true;
  });
  return found;
}

function namesIn(target: Expr): string[] {
  if (target.kind === "name") return [target.name];
  return target.kind === "tuple" || target.kind === "list" ? target.items.flatMap(namesIn) : [];
}

/** The one value that a function assigns to a name; "several" when which one holds cannot be told. */
function localAssignment(
  name: string,
  within: FunctionStmt,
  block: Block,
  before: number,
): Expr | "several" | undefined {
  const all = localsOf(within, block).get(name);
  if (!all) return undefined;
  const inside = before >= within.from && before <= within.to;
  const above = inside ? all.filter(({ from }) => from < before) : all;
  const [only] = above;
  if (!only) return undefined;
  return above.length === 1 ? (only.value ?? "several") : "several";
}

function mentions(expression: Expr, name: string): boolean {
  if (expression.kind === "name") return expression.name === name;
  if (expression.kind === "tuple" || expression.kind === "list")
    return expression.items.some((item) => mentions(item, name));
  if (expression.kind === "binary")
    return mentions(expression.left, name) || mentions(expression.right, name);
  if (expression.kind === "conditional")
    return (
      mentions(expression.then, name) ||
      mentions(expression.test, name) ||
      mentions(expression.otherwise, name)
    );
  return false;
}

/** What parameters that hold a config are called. */
export const configNames = /^_?(?:config|cfg|conf|configuration|hparams)$/;

/** A parameter: its annotation's config class, else what the file passes wherever it constructs, else the default. */
function knowParameter(parameter: ParameterNode, place: Place, steps: number): Known {
  const { scope, owner } = place;
  const annotated = parameter.annotation && annotatedClass(parameter.annotation, scope);
  if (owner && place.function?.name === "__init__") {
    const passed = agreed(
      scope.constructions(owner.name).flatMap((construction) => {
        const argument = argumentFor(construction.call, place.function, parameter.name);
        if (argument === "unclear") return [];
        // The function's own default speaks where a construction says nothing.
        const value = argument ?? parameter.default;
        if (!value) return [];
        return [
          argument ? know(value, placeOf(construction, scope), steps + 1) : know(value, place, steps + 1),
        ];
      }),
    );
    if (passed && passed.kind !== "unknown") return passed;
    if (passed) return annotated ?? customaryConfig(parameter, scope) ?? unknown;
  }
  if (annotated) return annotated;
  if (parameter.default && parameter.default.kind !== "constant")
    return know(parameter.default, place, steps + 1);
  if (parameter.default?.kind === "constant" && parameter.default.value !== null)
    return { kind: "boolean", value: parameter.default.value };
  return customaryConfig(parameter, scope) ?? unknown;
}

function placeOf(construction: Construction, scope: Scope): Place {
  return { scope, block: construction.block, owner: construction.owner, function: construction.function };
}

/** One value when all that are known agree, unknown when they differ, undefined when there are none. */
function agreed(values: readonly Known[]): Known | undefined {
  const known = values.filter((value) => value.kind !== "unknown");
  const [first] = known;
  if (!first) return undefined;
  if (first.kind === "instance")
    return known.every((value) => value.kind === "instance" && value.type === first.type) ? first : unknown;
  return known.every((value) => agree(first, value)) ? first : unknown;
}

/** In model files `config` without annotation is the file's only config class. */
function customaryConfig(parameter: ParameterNode, scope: Scope): Instance | undefined {
  if (!configNames.test(parameter.name)) return undefined;
  const only = scope.onlyConfig();
  return only && instanceOf(only);
}

function annotatedClass(annotation: Expr, scope: Scope): Instance | undefined {
  const text = annotation.kind === "string" ? annotation.value : undefined;
  const parts = text === undefined ? dottedPath(annotation) : text.split(".");
  const type = parts && scope.originOf(parts);
  return type?.kind === "class" ? instanceOf(type) : undefined;
}

/** The argument of a call for a parameter of `__init__`; "unclear" behind `*args` or `**kwargs`. */
export function argumentFor(
  call: CallExpr,
  init: FunctionStmt | undefined,
  name: string,
): Expr | "unclear" | undefined {
  const keyword = call.arguments.find((argument) => argument.keyword?.name === name);
  if (keyword) return keyword.value;
  const names =
    init?.parameters.filter((parameter) => !parameter.star).map((parameter) => parameter.name) ?? [];
  const index = names.indexOf(name) - 1; // without self
  const positional = call.arguments.filter((argument) => !argument.keyword && argument.star !== "**");
  const stars = positional.findIndex((argument) => argument.star === "*");
  if (stars >= 0 && stars <= index) return "unclear";
  const found = index >= 0 ? positional[index] : undefined;
  if (found) return found.value;
  return call.arguments.some((argument) => argument.star === "**") ? "unclear" : undefined;
}

function knowAttribute(expression: Expr & { kind: "attribute" }, place: Place, steps: number): Known {
  const { object } = expression;
  if (object.kind === "name" && object.name === "self" && place.owner) {
    const assigned = selfAssignment(expression.name, place.owner);
    if (assigned) return know(assigned.value, { ...place, function: assigned.within }, steps + 1);
    const field = classField(expression.name, place.owner);
    return field ? know(field, { scope: place.scope, block: place.block }, steps + 1) : unknown;
  }
  const known = know(object, place, steps + 1);
  if (known.kind === "instance")
    return from(known.scope, place.scope, knowField(expression.name, known, steps));
  if (known.kind !== "reference") return reference(expression, place);
  const qualified = `${known.qualified}.${expression.name}`;
  return knowOrigin(place.scope.definition(qualified), place, steps) ?? { kind: "reference", qualified };
}

/** `self.name = value`, if it is assigned just once in the class. */
function selfAssignment(name: string, owner: ClassStmt): { value: Expr; within: FunctionStmt } | undefined {
  let found: { value: Expr; within: FunctionStmt } | undefined;
  let count = 0;
  for (const method of owner.body) {
    if (method.kind !== "function") continue;
    walkStatements(method.body, (statement: Stmt) => {
      if (statement.kind !== "assign") return;
      for (const target of statement.targets) {
        const pairs =
          target.kind === "tuple" && statement.value?.kind === "tuple"
            ? target.items.map(
                (item, index) =>
                  [
                    item,
                    statement.value?.kind === "tuple" ? statement.value.items[index] : undefined,
                  ] as const,
              )
            : [[target, statement.value] as const];
        for (const [item, value] of pairs) {
          if (item.kind !== "attribute" || item.name !== name) continue;
          if (item.object.kind !== "name" || item.object.name !== "self") continue;
          count++;
          if (value && statement.operator === "=") found = { value, within: method };
        }
      }
    });
  }
  return count === 1 ? found : undefined;
}

/** A field of the class body: `n_embd: int = 768`. */
function classField(name: string, type: ClassStmt): Expr | undefined {
  for (const statement of type.body) {
    if (statement.kind !== "assign" || !statement.value) continue;
    if (statement.targets.some((target) => target.kind === "name" && target.name === name))
      return statement.value;
  }
  return undefined;
}

function knowField(name: string, { type, block, scope, call }: Instance, steps: number): Known {
  const init = type.body.find(
    (method): method is FunctionStmt => method.kind === "function" && method.name === "__init__",
  );
  if (init) {
    const assigned = selfAssignment(name, type);
    if (!assigned) return unknown;
    const bound = new Map<string, { value: Expr; place: Place }>();
    for (const parameter of init.parameters) {
      const argument = call ? argumentFor(call.node, init, parameter.name) : undefined;
      if (argument && argument !== "unclear" && call)
        bound.set(parameter.name, { value: argument, place: call.place });
      else if (parameter.default)
        bound.set(parameter.name, { value: parameter.default, place: { scope, block } });
    }
    return know(assigned.value, { scope, block, owner: type, function: assigned.within, bound }, steps + 1);
  }
  if (call) {
    const fields = type.body.flatMap((statement) =>
      statement.kind === "assign" && statement.annotation && statement.targets[0]?.kind === "name"
        ? [statement.targets[0].name]
        : [],
    );
    const keyword = call.node.arguments.find((argument) => argument.keyword?.name === name);
    const positional = call.node.arguments.filter((argument) => !argument.keyword && !argument.star);
    const given = keyword ?? positional[fields.indexOf(name)];
    if (given) return know(given.value, call.place, steps + 1);
  }
  const field = classField(name, type);
  if (field) return know(fieldDefault(field), { scope, block, owner: type }, steps + 1);
  for (const base of type.bases) {
    const parts = dottedPath(base.value);
    const parent = parts && scope.originOf(parts);
    if (parent?.kind !== "class" || parent.node === type || steps > maximumSteps) continue;
    const inherited = knowField(name, { ...instanceOf(parent), ...(call && { call }) }, steps + 1);
    if (inherited.kind !== "unknown") return from(parent.scope, scope, inherited);
  }
  return unknown;
}

/** `field(default=768)` of dataclasses. */
function fieldDefault(value: Expr): Expr {
  if (value.kind !== "call") return value;
  return value.arguments.find((argument) => argument.keyword?.name === "default")?.value ?? value;
}
