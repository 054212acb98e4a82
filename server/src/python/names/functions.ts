/** What calls give: builtins, `math`, config classes, argument parsers, and functions of the file that only compute. */
import {
  type CallExpr,
  dottedPath,
  type Expr,
  type FunctionStmt,
  type ParameterNode,
  type Stmt,
} from "../tree/ast";
import { leaves } from "./assigned";
import { instanceOf, know } from "./constants";
import type { Value } from "../facts";
import { common, type Known, number, type Place, plain, truth, unknown } from "./known";

/** Calls within calls beyond this are given up. */
const maximumSteps = 16;

/** The value of a call. */
export function knowCall(call: CallExpr, place: Place, steps: number): Known {
  const parts = dottedPath(call.callee);
  const last = parts?.at(-1) ?? "";
  if (last === "parse_args" || last === "parse_known_args")
    return place.scope.hasOptions() ? { kind: "options" } : unknown;
  if (!parts) return unknown;
  const origin = place.scope.originOf(parts);
  if (origin?.kind === "class") return { ...instanceOf(origin), call: { node: call, place } };
  if (origin?.kind === "function") {
    if (origin.node.decorators.length > 0) return unknown;
    return knowFunction(
      call,
      origin.node.parameters,
      place,
      { ...origin, function: origin.node },
      steps,
      (inner) => knowReturned(origin.node.body, inner, steps + 1),
    );
  }
  if (origin?.kind === "variable" && origin.value?.kind === "lambda") {
    const { parameters, body } = origin.value;
    return knowFunction(call, parameters, place, origin, steps, (inner) => know(body, inner, steps + 1));
  }
  const qualified = place.scope.resolve(call.callee) ?? (parts.length === 1 ? last : "");
  const [first] = call.arguments;
  if (qualified === "functools.partial" && first) return know(first.value, place, steps + 1);
  if (/^(?:dict|(?:types\.)?SimpleNamespace|(?:argparse\.)?Namespace)$/.test(qualified))
    return knowDict(call, place, steps);
  if (call.arguments.some(({ keyword, star }) => keyword ?? star)) return unknown;
  if (qualified === "isinstance") return knowType(call, place, steps);
  const values = call.arguments.map(({ value }) => know(value, place, steps + 1));
  return builtin(qualified.replace(/^builtins\./, ""), values);
}

/** A function's body evaluated with a call's arguments; unknown where those are passed on by `*` or `**`. */
function knowFunction(
  call: CallExpr,
  parameters: readonly ParameterNode[],
  place: Place,
  source: Pick<Place, "scope" | "block"> & { readonly function?: FunctionStmt },
  steps: number,
  body: (inner: Place) => Known | undefined,
): Known {
  const plainly = call.arguments.every((argument) => !argument.star) && parameters.every(({ star }) => !star);
  // What a function of another file gives may speak of that file's names.
  if (!plainly || steps > maximumSteps || source.scope !== place.scope) return unknown;
  const bound = new Map<string, { value: Expr; place: Place }>();
  let position = 0;
  for (const { keyword, value } of call.arguments) {
    const name = keyword?.name ?? parameters[position++]?.name;
    if (name !== undefined) bound.set(name, { value, place });
  }
  const { scope, block } = source;
  for (const { name, default: preset } of parameters)
    if (preset && !bound.has(name)) bound.set(name, { value: preset, place: { scope, block } });
  return body({ scope, block, function: source.function, bound }) ?? unknown;
}

/** What statements return; undefined where they may come to their end. */
export function knowReturned(statements: readonly Stmt[], place: Place, steps: number): Known | undefined {
  for (const [index, statement] of statements.entries()) {
    switch (statement.kind) {
      case "return":
        return statement.value ? know(statement.value, place, steps + 1) : { kind: "none" };
      case "if": {
        // of several in a row each way past one would lead past all the others
        if (statement.branches.every(({ body }) => passes(body))) break;
        const found: Known[] = [];
        for (const { test, body } of statement.branches) {
          const taken = test ? truth(know(test, place, steps + 1)) : true;
          if (taken === false) continue;
          const rest = statements.slice(index + 1);
          if (!leaves(body) || body.at(-1)?.kind === "return")
            found.push(knowReturned([...body, ...(leaves(body) ? [] : rest)], place, steps + 1) ?? unknown);
          if (taken) return common(found);
        }
        found.push(knowReturned(statements.slice(index + 1), place, steps + 1) ?? unknown);
        return common(found);
      }
      case "for":
      case "while":
      case "compound":
        return unknown;
      default:
    }
  }
  return undefined;
}

/** Whether statements surely come to their end, whichever way they take. */
const passes = (body: readonly Stmt[]): boolean =>
  !leaves(body) &&
  body.every((statement) =>
    statement.kind === "if"
      ? statement.branches.every((branch) => passes(branch.body))
      : !["return", "for", "while", "compound"].includes(statement.kind),
  );

/** `dict(dim=64)`, `SimpleNamespace(dim=64)`. */
function knowDict(call: CallExpr, place: Place, steps: number): Value {
  const entries: (readonly [Value, Value])[] = [];
  for (const { keyword, value, star } of call.arguments) {
    if (!keyword || star) return unknown;
    entries.push([{ kind: "string", value: keyword.name }, plain(know(value, place, steps + 1))]);
  }
  return { kind: "dict", entries };
}

/** `isinstance(size, (tuple, list))`; a tuple and a list read the same here, so only both together can be told. */
function knowType({ arguments: [subject, type] }: CallExpr, place: Place, steps: number): Known {
  if (!subject || !type) return unknown;
  const value = know(subject.value, place, steps + 1);
  const types = type.value.kind === "tuple" ? type.value.items : [type.value];
  const names = new Set(types.map((each) => dottedPath(each)?.at(-1) ?? "?"));
  const either = (found: boolean): Value => ({ kind: "boolean", value: found });
  const collections =
    names.has("tuple") || names.has("list") || names.has("Iterable") || names.has("Sequence");
  switch (value.kind) {
    case "number":
      if (names.has("int") || names.has("float") || names.has("Number")) {
        const whole = Number.isInteger(value.value);
        if (names.has("Number") || (names.has("int") && names.has("float"))) return either(true);
        // 2.0 reads as 2.
        return whole ? (names.has("int") ? either(true) : unknown) : either(names.has("float"));
      }
      return names.has("?") ? unknown : either(false);
    case "list":
      if (collections)
        return names.has("Iterable") || names.has("Sequence") || (names.has("tuple") && names.has("list"))
          ? either(true)
          : unknown;
      return names.has("?") ? unknown : either(false);
    case "string":
      return names.has("?")
        ? unknown
        : either(names.has("str") || names.has("Iterable") || names.has("Sequence"));
    case "none":
      return names.has("?") ? unknown : either(names.has("NoneType"));
    case "boolean":
      return names.has("?") ? unknown : either(names.has("bool") || names.has("int"));
    default:
      return unknown;
  }
}

const unaryFunctions: Readonly<Record<string, (value: number) => number>> = {
  int: Math.trunc,
  float: (value) => value,
  abs: Math.abs,
  "math.sqrt": Math.sqrt,
  "math.floor": Math.floor,
  "math.ceil": Math.ceil,
  "math.log": Math.log,
  "math.log2": Math.log2,
  "math.exp": Math.exp,
};

/** A function of Python that only computes. */
function builtin(name: string, values: readonly Known[]): Known {
  const [first, second] = values;
  if (!first) return unknown;
  const compute = unaryFunctions[name];
  if (compute) return first.kind === "number" && !second ? number(compute(first.value)) : unknown;
  switch (name) {
    case "round":
      return first.kind === "number" && !second ? number(roundHalfEven(first.value)) : unknown;
    case "len":
      return first.kind === "list" ? number(first.items.length) : unknown;
    case "list":
    case "tuple":
      return first.kind === "list" ? first : unknown;
    case "range":
      return knowRange(values);
    case "sum":
    case "math.prod": {
      const numbers = numbersOf(first.kind === "list" ? first.items : undefined);
      if (!numbers || second) return unknown;
      return number(
        numbers.reduce(
          (total, each) => (name === "sum" ? total + each : total * each),
          name === "sum" ? 0 : 1,
        ),
      );
    }
    case "max":
    case "min": {
      const numbers = numbersOf(second ? values : first.kind === "list" ? first.items : undefined);
      if (!numbers || numbers.length === 0) return unknown;
      return number(name === "max" ? Math.max(...numbers) : Math.min(...numbers));
    }
    case "inspect.isfunction":
    case "callable":
      return first.kind === "number" || first.kind === "none" || first.kind === "list"
        ? { kind: "boolean", value: false }
        : unknown;
    default:
      return unknown;
  }
}

function numbersOf(values: readonly Known[] | undefined): readonly number[] | undefined {
  const numbers = values?.flatMap((each) => (each.kind === "number" ? [each.value] : []));
  return numbers?.length === values?.length ? numbers : undefined;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

const longestRange = 256;

function knowRange(values: readonly Known[]): Known {
  const numbers = numbersOf(values);
  if (!numbers) return unknown;
  const [from, to, step = 1] = numbers.length === 1 ? [0, numbers[0] ?? 0] : numbers;
  if (from === undefined || to === undefined || step === 0) return unknown;
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (length > longestRange) return unknown;
  return { kind: "list", items: Array.from({ length }, (_, index): Value => number(from + index * step)) };
}
