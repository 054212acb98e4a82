/**
 * What an expression evaluates to without running anything: literals, arithmetic, locals, module constants,
 * parameters with defaults or with the arguments the file passes, fields of config classes and options of an argument
 * parser. Constants and config classes may be those of a neighbouring file that this one imports.
 */
import type { CallExpr, ClassStmt, Expr, FunctionStmt, ParameterNode } from "../tree/ast";
import { dottedPath, expressionsOf, selfPath, walkExpression, walkStatements } from "../tree/ast";
import { assignedIn, type Evaluation, valueAt } from "./assigned";
import type { Block, Construction } from "./block";
import type { Value } from "../facts";
import { isSettled, knowClassField, knowField, knowOption, knowOwn } from "./fields";
import { knowCall } from "./functions";
import type { OwnCalls } from "../memory";
import type { Origin, Scope } from "./scope";
import {
  agree,
  binary,
  common,
  type Instance,
  type Known,
  type Options,
  type Place,
  plain,
  number,
  subscript,
  truth,
  unary,
  unknown,
} from "./known";

export type { Known, Place } from "./known";

/** Chains of names longer than this are given up, which also ends cycles. */
const maximumSteps = 20;
/** Parameters that rest on one another: through so many constructors a value is followed. */
const maximumParameters = 32;
let parameters = 0;

/** How often a value has come from a parameter, a field or an option, which may be given another. */
let assumptions = 0;

/** The value of an expression at a place, and whether it rests on something that may be given another. */
export function weigh(expression: Expr, place: Place): { readonly value: Value; readonly assumed?: true } {
  const before = assumptions;
  const value = evaluate(expression, place);
  return assumptions > before ? { value, assumed: true } : { value };
}

/** The value of an expression at a place. */
export function evaluate(expression: Expr, place: Place): Value {
  return plain(know(expression, place, 0));
}

/** What an expression holds at a place, `steps` names after the one that was asked for. */
export function know(expression: Expr, place: Place, steps: number): Known {
  if (steps > maximumSteps) return unknown;
  const again = (node: Expr) => know(node, place, steps + 1);
  switch (expression.kind) {
    case "number":
      return number(expression.value);
    case "string":
      return expression.value === undefined
        ? knowFormatted(expression, place, again)
        : { kind: "string", value: expression.value };
    case "constant":
      return expression.value === null ? { kind: "none" } : { kind: "boolean", value: expression.value };
    case "tuple":
    case "list":
    case "set":
      return knowItems(expression.items, again);
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
      return common([again(expression.then), again(expression.otherwise)]);
    }
    case "name":
      return knowName(expression.name, place, steps, expression.from) ?? reference(expression, place);
    case "attribute":
      return knowAttribute(expression, place, steps);
    case "subscript": {
      const object = again(expression.object);
      const index = expression.items[0] && again(expression.items[0]);
      return index && expression.items.length === 1 ? subscript(object, index) : unknown;
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

/** `f"pissa_niter_{steps}"` of texts and whole numbers, without formats, escapes or other quotes. */
function knowFormatted(
  { from: start, to, parts }: Expr & { kind: "string" },
  { block: { text } }: Place,
  again: (node: Expr) => Known,
): Known {
  if (!/^f(["'])(?!\1)/i.test(text.slice(start, start + 3))) return unknown;
  let [value, at] = ["", start + 2];
  for (const part of parts) {
    const [before, known] = [text.slice(at, part.from), again(part)];
    const isWhole = known.kind === "number" && Number.isInteger(known.value);
    if (!/^[^{}\\"']*\{$/.test(before) || text.charAt(part.to) !== "}") return unknown;
    if (known.kind !== "string" && !isWhole) return unknown;
    value += before.slice(0, -1) + String(known.value);
    at = part.to + 1;
  }
  const rest = text.slice(at, to - 1);
  return /[{}\\"']/.test(rest) ? unknown : { kind: "string", value: value + rest };
}

function knowItems(items: readonly Expr[], again: (node: Expr) => Known): Known {
  const values: Value[] = [];
  for (const item of items) {
    const known = again(item.kind === "star" ? item.value : item);
    if (item.kind !== "star") values.push(plain(known));
    else if (known.kind === "list") values.push(...known.items);
    else return unknown;
  }
  return { kind: "list", items: values };
}

function reference(expression: Expr, place: Place): Value {
  const qualified = place.scope.resolve(expression);
  return qualified === undefined ? unknown : { kind: "reference", qualified };
}

/** What a bare name holds where the expression stands; undefined when it is no variable of the file. */
function knowName(name: string, place: Place, steps: number, before: number): Known | undefined {
  if (place.varying?.has(name)) return unknown;
  const { function: within, block } = place;
  if (!within || !assignedIn(within, block).has(name)) return knowOutside(name, place, steps);
  const evaluation = evaluationIn(within, place, steps);
  const outside = () => knowOutside(name, place, steps) ?? unknown;
  return valueAt(name, within.body, offsetIn(within, before), evaluation, outside);
}

/** The offset, or the end of the function where the expression stands elsewhere. */
export function offsetIn(within: FunctionStmt, offset: number): number {
  return offset >= within.from && offset <= within.to ? offset : Infinity;
}

/** How assignments of a function are evaluated. */
export function evaluationIn(within: FunctionStmt, place: Place, steps: number): Evaluation {
  const here: Place = { ...place, function: within };
  return {
    know: (expression) => know(expression, here, steps + 1),
    truth: (expression) => truth(know(expression, here, steps + 1)),
    assigned: assignedIn(within, place.block),
  };
}

/** What a name holds before the function assigns it: an argument, or a variable of the file. */
function knowOutside(name: string, place: Place, steps: number): Known | undefined {
  const bound = place.bound?.get(name);
  if (bound) return know(bound.value, bound.place, steps + 1);
  const parameter = place.function?.parameters.find((each) => each.name === name);
  if (parameter) assumptions++;
  if (parameter)
    return place.scope.derive(place.scope.parameters, parameter, () =>
      parameter.star || parameters >= maximumParameters ? unknown : knowParameter(parameter, place),
    );
  return knowOrigin(place.scope.origin(name), place, steps);
}

/** What a variable at the top level of this file or a neighbour holds. */
export function knowOrigin(origin: Origin | undefined, { scope }: Place, steps: number): Known | undefined {
  if (origin?.kind !== "variable" || !origin.value) return undefined;
  return from(
    origin.scope,
    scope,
    know(origin.value, { scope: origin.scope, block: origin.block }, steps + 1),
  );
}

/** A value as another file may speak of it: names of the file it comes from mean nothing there. */
export function from(source: Scope, reader: Scope, known: Known): Known {
  if (source === reader || known.kind === "instance") return known;
  return known.kind === "options" ? unknown : abroad(known, source);
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

export function instanceOf({ node, block, scope }: Origin & { kind: "class" }): Instance {
  return { kind: "instance", type: node, block, scope };
}

/** What parameters that hold a config are called. */
export const configNames = /^_?(?:config|cfg|conf|configuration|hparams|args|opts?|options|flags)$/;

/** What a parameter holds is kept, so it must not depend on how long the way was on which it was asked for first. */
function knowParameter(parameter: ParameterNode, place: Place): Known {
  parameters++;
  try {
    return given(parameter, place);
  } finally {
    parameters--;
  }
}

/** A parameter: its annotation's config class, else what the file passes wherever it constructs, else the default. */
function given(parameter: ParameterNode, place: Place): Known {
  const { scope, owner } = place;
  const annotated = parameter.annotation && annotatedClass(parameter.annotation, scope);
  if (owner && place.function?.name === "__init__") {
    const passed = scope.constructions(owner.name).map((construction) => {
      const argument = argumentFor(construction.call, place.function, parameter.name);
      if (argument === "unclear") return unknown;
      if (argument) return know(argument, placeOf(construction, scope), 1);
      // The function's own default speaks where a construction says nothing.
      return parameter.default ? know(parameter.default, { scope, block: place.block }, 1) : unknown;
    });
    // Of what another file passes and nobody knows, a customary value would be a guess.
    if (passed.length > 0 && scope.user) return agreed(passed) ?? unknown;
    if (passed.length > 0) return agreed(passed) ?? annotated ?? customaryConfig(parameter, scope) ?? unknown;
  }
  if (annotated) return annotated;
  const customary = customaryConfig(parameter, scope);
  if (customary) return customary;
  const helper = owner && place.function;
  const calls = helper ? (ownCalls(owner, place.block).get(helper.name) ?? []) : [];
  if (
    helper &&
    calls.some(({ within }) => within.name === "__init__") &&
    calls.every(({ within }) => within !== helper)
  ) {
    const passed = calls.map(({ call, within }) => {
      const argument = argumentFor(call, helper, parameter.name) ?? parameter.default;
      return argument === undefined || argument === "unclear"
        ? unknown
        : know(argument, { scope, block: place.block, owner, function: within }, 1);
    });
    return agreed(passed) ?? unknown;
  }
  return parameter.default ? know(parameter.default, { scope, block: place.block }, 1) : unknown;
}

/** The calls of a class's methods on `self`, by method, with the method that each stands in. */
function ownCalls(owner: ClassStmt, block: Block): OwnCalls {
  const known = block.memory.ownCalls.get(owner);
  if (known) return known;
  const found = new Map<string, { readonly call: CallExpr; readonly within: FunctionStmt }[]>();
  for (const within of owner.body) {
    if (within.kind !== "function") continue;
    walkStatements(within.body, (statement) => {
      for (const expression of expressionsOf(statement))
        walkExpression(expression, (call) => {
          if (call.kind !== "call") return;
          const name = selfPath(call.callee);
          if (name === undefined) return;
          const calls = found.get(name);
          if (calls) calls.push({ call, within });
          else found.set(name, [{ call, within }]);
        });
      return true;
    });
  }
  block.memory.ownCalls.set(owner, found);
  return found;
}

function placeOf(construction: Construction, scope: Scope): Place {
  return {
    scope: construction.scope ?? scope,
    block: construction.block,
    owner: construction.owner,
    function: construction.function,
  };
}

/** One value when all agree; instances of one class agree, whatever else is passed on from elsewhere. */
function agreed(values: readonly Known[]): Known | undefined {
  const instances = values.filter((value) => value.kind === "instance");
  const [first] = instances;
  if (first) return instances.every(({ type }) => type === first.type) ? first : undefined;
  const value = common(values);
  return value.kind === "unknown" ? undefined : value;
}

/** In model files `config` without annotation is the file's only config class, or what its argument parser gives. */
function customaryConfig(parameter: ParameterNode, scope: Scope): Instance | Options | undefined {
  if (!configNames.test(parameter.name)) return undefined;
  const only = scope.onlyConfig();
  if (only) return instanceOf(only);
  return scope.hasOptions() ? { kind: "options" } : undefined;
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
  const { object, name } = expression;
  if (object.kind === "name" && object.name === "self" && place.owner) {
    assumptions++;
    return knowOwn(name, place, expression.from, steps);
  }
  const known = know(object, place, steps + 1);
  if (known.kind === "options" || (known.kind === "instance" && !isSettled(known, object, place.scope)))
    assumptions++;
  if (known.kind === "instance") return from(known.scope, place.scope, knowField(name, known, steps));
  if (known.kind === "options") return knowOption(name, place, steps);
  // The items of a `SimpleNamespace` are its attributes.
  if (known.kind === "dict")
    return known.entries.find(([key]) => agree(key, { kind: "string", value: name }))?.[1] ?? unknown;
  if (known.kind !== "reference") return reference(expression, place);
  const qualified = `${known.qualified}.${name}`;
  return (
    knowOrigin(place.scope.definition(qualified), place, steps) ??
    knowClassField(known.qualified, name, place, steps) ?? { kind: "reference", qualified }
  );
}
