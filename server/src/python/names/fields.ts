/** What attributes hold: those of `self`, fields of config classes, options of an argument parser. */
import {
  type CallExpr,
  type ClassStmt,
  dottedPath,
  type Expr,
  type FunctionStmt,
  walkExpression,
  walkStatements,
} from "../tree/ast";
import { assignedIn, valueAt } from "./assigned";
import { argumentFor, evaluationIn, from, instanceOf, know, offsetIn } from "./constants";
import { knowReturned } from "./functions";
import type { Block } from "./block";
import type { Origin, Scope } from "./scope";
import { type Instance, type Known, type Place, unknown } from "./known";

/** More generations than any model has; ends cycles of half-written classes. */
const maximumGenerations = 12;

/** The constructor that a class itself defines. */
export function initOf({ body }: ClassStmt): FunctionStmt | undefined {
  return methodOf(body, "__init__");
}

function methodOf(body: ClassStmt["body"], name: string): FunctionStmt | undefined {
  return body.find((method): method is FunctionStmt => method.kind === "function" && method.name === name);
}

/** What `self.name` holds at an offset of the place's function. */
export function knowOwn(name: string, place: Place, offset: number, steps: number): Known {
  const { owner, function: within, block } = place;
  if (!owner || steps > maximumGenerations * 2) return unknown;
  const property = methodOf(owner.body, name);
  if (property)
    return property.decorators.some((each) => each.kind === "name" && each.name === "property")
      ? (knowReturned(property.body, { ...place, function: property }, steps + 1) ?? unknown)
      : unknown;
  const init = initOf(owner);
  const key = `self.${name}`;
  const others = owner.body.filter(
    (each): each is FunctionStmt =>
      each.kind === "function" && each !== init && each !== within && assignedIn(each, block).has(key),
  );
  const at = within ? offsetIn(within, offset) : Infinity;
  if (others.some((method) => within !== init || (init && calledAt(method, init, block) < at)))
    return unknown;
  const inherited = () => knowInherited(name, place, steps);
  const afterInit = () => {
    if (!init || !assignedIn(init, block).has(key)) return inherited();
    const { bound, ...rest } = place;
    const here: Place = { ...rest, function: init, ...(within === init && bound && { bound }) };
    return valueAt(key, init.body, Infinity, evaluationIn(init, here, steps), inherited);
  };
  if (!within || !assignedIn(within, block).has(key)) return afterInit();
  const outside = within === init ? inherited : afterInit;
  return valueAt(key, within.body, at, evaluationIn(within, place, steps), outside);
}

/** Offset of the first call of a method in the constructor. */
function calledAt(method: FunctionStmt, init: FunctionStmt, block: Block): number {
  const index = block.slice(init).indexOf(`self.${method.name}(`);
  return index < 0 ? Infinity : init.from + index;
}

/** What `self.name` is before the class's own constructor assigns it: a field of the class, or its parent's work. */
function knowInherited(name: string, { owner, scope, block }: Place, steps: number): Known {
  if (!owner) return unknown;
  const field = classField(name, owner);
  if (field) return know(field, { scope, block, owner }, steps + 1);
  const init = initOf(owner);
  for (const parent of parentsOf(owner, scope)) {
    const inner: Place = {
      scope: parent.scope,
      block: parent.block,
      owner: parent.node,
      function: initOf(parent.node),
    };
    const call = init && superCall(init);
    const known = call
      ? knowField(
          name,
          { ...instanceOf(parent), call: { node: call, place: { scope, block, owner, function: init } } },
          steps + 1,
        )
      : knowOwn(name, inner, Infinity, steps + 1);
    if (known.kind !== "unknown") return from(parent.scope, scope, known);
  }
  return unknown;
}

/** The classes of this file and of neighbours that a class derives from. */
export function parentsOf(node: ClassStmt, scope: Scope): (Origin & { kind: "class" })[] {
  return node.bases.flatMap(({ value, keyword }) => {
    const parts = keyword ? undefined : dottedPath(value.kind === "subscript" ? value.object : value);
    const parent = parts && scope.originOf(parts);
    return parent?.kind === "class" && parent.node !== node ? [parent] : [];
  });
}

/** `super().__init__(…)`. */
export function superCall(init: FunctionStmt): CallExpr | undefined {
  let found: CallExpr | undefined;
  walkStatements(init.body, (statement) => {
    if (statement.kind === "function" || statement.kind === "class") return false;
    if (statement.kind !== "expression" || statement.value.kind !== "call") return true;
    const { callee } = statement.value;
    if (callee.kind !== "attribute" || callee.name !== "__init__" || callee.object.kind !== "call")
      return true;
    if (callee.object.callee.kind === "name" && callee.object.callee.name === "super")
      found ??= statement.value;
    return true;
  });
  return found;
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

/** `Settings.rank`: what the body of a plain class gives a field, where nothing outside it assigns that field. */
export function knowClassField(
  qualified: string,
  name: string,
  { scope }: Place,
  steps: number,
): Known | undefined {
  const type = scope.definition(qualified);
  if (type?.kind !== "class" || !isPlain(type.node)) return undefined;
  const assigned = [scope, type.scope].some((each) => each.assigns(type.node.name, name));
  const field = assigned ? undefined : classField(name, type.node);
  if (field === undefined || !isUnmixed(field, type.node)) return undefined;
  return from(type.scope, scope, know(field, { scope: type.scope, block: type.block }, steps + 1));
}

/** Members of an enumeration are no plain values, and a decorator may make of them what it likes. */
const isPlain = ({ bases, decorators }: ClassStmt): boolean =>
  bases.length === 0 &&
  decorators.every((each) => dottedPath(each.kind === "call" ? each.callee : each)?.at(-1) === "dataclass");

/** Whether an expression of a class body speaks of no other field of that class. */
function isUnmixed(field: Expr, type: ClassStmt): boolean {
  let unmixed = true;
  walkExpression(field, (node) => {
    if (node.kind === "name" && classField(node.name, type)) unmixed = false;
  });
  return unmixed;
}

/** What a field of an instance holds. */
export function knowField(name: string, instance: Instance, steps: number): Known {
  const { type, block, scope, call } = instance;
  if (steps > maximumGenerations * 2) return unknown;
  // `GPTConfig(**options)` in a script: the defaults of the model's file are just what it replaces.
  const elsewhere = call && call.place.scope !== scope ? call.node.arguments : [];
  const given = elsewhere.some(({ keyword }) => keyword?.name === name);
  if (!given && elsewhere.some(({ star }) => star === "**")) return unknown;
  const init = initOf(type);
  if (init) {
    const bound = new Map<string, { value: Expr; place: Place }>();
    for (const parameter of init.parameters) {
      const argument = call ? argumentFor(call.node, init, parameter.name) : undefined;
      if (argument && argument !== "unclear" && call)
        bound.set(parameter.name, { value: argument, place: call.place });
      else if (parameter.default)
        bound.set(parameter.name, { value: parameter.default, place: { scope, block } });
    }
    return knowOwn(name, { scope, block, owner: type, function: init, bound }, Infinity, steps + 1);
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
  if (methodOf(type.body, name)) return knowOwn(name, { scope, block, owner: type }, Infinity, steps + 1);
  for (const parent of parentsOf(type, scope)) {
    const inherited = knowField(name, { ...instanceOf(parent), ...(call && { call }) }, steps + 1);
    if (inherited.kind !== "unknown") return from(parent.scope, scope, inherited);
  }
  return unknown;
}

/** Whether an object of a plain dataclass surely holds what it was made with: its file does nothing with it but read fields. */
export function isSettled({ type, call }: Instance, object: Expr, scope: Scope): boolean {
  if (call === undefined || call.node.arguments.some(({ star }) => star !== undefined)) return false;
  if (!isPlain(type) || type.decorators.length === 0 || object.kind !== "name") return false;
  if (type.body.some(({ kind }) => kind === "function")) return false;
  return scope.isOnlyRead(object.name);
}

/** `field(default=768)` of dataclasses. */
function fieldDefault(value: Expr): Expr {
  if (value.kind !== "call") return value;
  return value.arguments.find((argument) => argument.keyword?.name === "default")?.value ?? value;
}

/** `parser.add_argument("--dim", type=int, default=768)` gives `args.dim`, where the file adds it once. */
export function knowOption(name: string, { scope }: Place, steps: number): Known {
  const [only, another] = scope.options(name);
  if (!only || another) return unknown;
  const given = (keyword: string) =>
    only.call.arguments.find((argument) => argument.keyword?.name === keyword)?.value;
  const place: Place = { scope, block: only.block, owner: only.owner, function: only.function };
  const preset = given("default");
  if (preset) return know(preset, place, steps + 1);
  const action = given("action");
  const flag = action?.kind === "string" ? action.value : undefined;
  if (flag === "store_true" || flag === "store_false")
    return { kind: "boolean", value: flag === "store_false" };
  return unknown;
}
