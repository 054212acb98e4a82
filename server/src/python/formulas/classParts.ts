/** The methods and layers of a class with those that it has from its bases, of this file or a neighbour. */
import {
  type ClassStmt,
  dottedPath,
  type Expr,
  type FunctionStmt,
  selfPath,
  type Stmt,
  walkStatements,
} from "../tree/ast";
import type { Block } from "../names/block";
import { callFact } from "../names/calls";
import type { Layer } from "../facts";
import { layersOf } from "../layers/layers";
import { isNumber } from "./parameters";
import type { Scope } from "../names/scope";

/** A class and where it stands. */
export interface Declared {
  readonly node: ClassStmt;
  readonly block: Block;
  readonly scope: Scope;
}

/** A function and the names of its file. */
export interface Callable {
  readonly node: FunctionStmt;
  readonly scope: Scope;
}

export interface ClassParts {
  readonly methods: ReadonlyMap<string, Callable>;
  /** Attributes that are the forward of another: org_forward of org_module. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Attributes that are steps of an `nn.Sequential` as well, by the step: `adapter.1` is `act`. */
  readonly steps: ReadonlyMap<string, string>;
  /** By path; of two that one path may hold, the last. */
  readonly layers: ReadonlyMap<string, Layer>;
  /** Paths of what is not trained: buffers, and what `requires_grad` was taken from. */
  readonly frozen: ReadonlySet<string>;
}

/** Bases are followed so deep. */
const deepest = 4;

export function partsOfClass(declared: Declared, depth = 0): ClassParts {
  const { node, block, scope } = declared;
  const inherited = depth < deepest ? basesOf(declared).map((base) => partsOfClass(base, depth + 1)) : [];
  const buffers = buffersOf(declared);
  return {
    methods: new Map([
      ...inherited.toReversed().flatMap(({ methods }) => [...methods]),
      ...node.body.flatMap((each) =>
        each.kind === "function" && !isFurther(each) ? [[each.name, { node: each, scope }] as const] : [],
      ),
    ]),
    aliases: new Map([...inherited.flatMap(({ aliases }) => [...aliases]), ...aliasesIn(declared)]),
    steps: new Map([...inherited.flatMap(({ steps }) => [...steps]), ...stepsIn(declared)]),
    layers: new Map([
      ...inherited.toReversed().flatMap(({ layers }) => [...layers]),
      ...buffers,
      ...chosen(layersOf(node, block, scope).layers, node).map((layer) => [layer.path, layer] as const),
    ]),
    frozen: new Set([
      ...inherited.flatMap(({ frozen }) => [...frozen]),
      ...buffers.map(([path]) => path),
      ...frozenIn(declared),
    ]),
  };
}

/**
 * Of layers of one container that stand in two branches of one `if`, the last; of what one path may hold, a plain number
 * before what a setting makes of it, and else the last.
 */
function chosen(layers: readonly Layer[], { body }: ClassStmt): readonly Layer[] {
  const choices: (readonly (readonly Stmt[])[])[] = [];
  walkStatements(body, (statement) => {
    if (statement.kind === "if" && statement.branches.some(({ test }) => test === undefined))
      choices.push(statement.branches.map((branch) => branch.body));
  });
  const container = ({ path }: Layer): string => path.slice(0, Math.max(0, path.lastIndexOf(".")));
  const branchOf = ({ call }: Layer, branches: readonly (readonly Stmt[])[]): number =>
    branches.findIndex((each) => each.some(({ from, to }) => from <= call.range.from && call.range.to <= to));
  const isReplaced = (layer: Layer): boolean =>
    choices.some((branches) => {
      const branch = branchOf(layer, branches);
      return (
        branch >= 0 &&
        layers.some((other) => container(other) === container(layer) && branchOf(other, branches) > branch)
      );
    });
  return layers
    .filter((layer) => container(layer) === "" || !isReplaced(layer))
    .toSorted((a, b) => Number(isNumber(a)) - Number(isNumber(b)));
}

function basesOf({ node, scope }: Declared): Declared[] {
  return node.bases.flatMap(({ value, keyword }) => {
    const name = keyword ? undefined : scope.resolve(value);
    const origin = name === undefined ? undefined : scope.definition(name);
    return origin?.kind === "class" && origin.node !== node ? [origin] : [];
  });
}

/** Beside the definition that counts: `@weight.setter`, `@overload`. */
const isFurther = ({ decorators }: FunctionStmt): boolean =>
  decorators.some((each) => /^(?:setter|deleter|overload)$/.test(dottedPath(each)?.at(-1) ?? ""));

/** `self.org_forward = self.org_module[0].forward` */
function aliasesIn({ node }: Declared): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  walkStatements(node.body, (statement) => {
    if (statement.kind !== "assign" || statement.value?.kind !== "attribute") return;
    const { object, name } = statement.value;
    const of = selfPath(object.kind === "subscript" ? object.object : object);
    const [alias] = statement.targets.map(selfPath);
    if (name === "forward" && of !== undefined && alias !== undefined) found.push([alias, of]);
  });
  return found;
}

/** `nn.Sequential(self.down, self.act, self.up)`, `nn.Sequential(*steps)` after `steps.append(self.act)`. */
function stepsIn({ node, scope }: Declared): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  const lists = new Map<string, Expr[]>();
  walkStatements(node.body, (statement) => {
    if (statement.kind === "expression" && statement.value.kind === "call") {
      const { callee, arguments: given } = statement.value;
      if (callee.kind === "attribute" && callee.name === "append" && callee.object.kind === "name")
        lists.get(callee.object.name)?.push(...given.map(({ value }) => value));
      return;
    }
    if (statement.kind !== "assign" || statement.value === undefined) return;
    const { value, operator } = statement;
    const [target] = statement.targets;
    if (target?.kind === "name" && (value.kind === "list" || value.kind === "tuple")) {
      if (operator === "+=") lists.get(target.name)?.push(...value.items);
      else lists.set(target.name, [...value.items]);
    }
    const path = target && selfPath(target);
    if (path === undefined || value.kind !== "call" || scope.resolve(value.callee) !== "torch.nn.Sequential")
      return;
    const items = value.arguments.flatMap((argument) =>
      argument.star && argument.value.kind === "name"
        ? (lists.get(argument.value.name) ?? [argument.value])
        : [argument.value],
    );
    for (const [index, item] of items.entries()) {
      const step = selfPath(item);
      if (step !== undefined) found.push([`${path}.${index}`, step]);
    }
  });
  return found;
}

/** Buffers that hold numbers of a kind that no position, mask or scale is: random ones, or what was computed. */
const noMatrix =
  /\b(?:ones|zeros|full|arange|linspace|[tT]ensor|eye|tri[ul]|None|True|False)\b|freq|cos|sin|mask|stat|mean|var|scal|alpha|ids?\b|index/;

function buffersOf({ node, block, scope }: Declared): (readonly [string, Layer])[] {
  const found: (readonly [string, Layer])[] = [];
  walkStatements(node.body, (statement) => {
    if (statement.kind !== "expression" || statement.value.kind !== "call") return;
    const { value: call } = statement;
    const [name, value] = call.arguments.map((argument) => argument.value);
    if (
      call.callee.kind !== "attribute" ||
      call.callee.name !== "register_buffer" ||
      name?.kind !== "string" ||
      name.value === undefined ||
      value === undefined ||
      noMatrix.test(block.slice(value)) ||
      noMatrix.test(name.value)
    )
      return;
    const fact = callFact(call, statement, { scope, block, owner: node });
    found.push([
      name.value,
      {
        path: name.value,
        role: "parameter",
        form: "add-module",
        call: { ...fact, arguments: fact.arguments.slice(1) },
        type: "torch.Tensor",
        sizes: {},
        arguments: {},
      },
    ]);
  });
  return found;
}

/** `self.A.weight.requires_grad = False`, `self.A.requires_grad_(False)`, nn.Parameter(…, requires_grad=False). */
function frozenIn({ node, block }: Declared): string[] {
  const found: string[] = [];
  const note = (path: string | undefined): void => {
    if (path !== undefined) found.push(path.replace(/\.weight$/, ""));
  };
  walkStatements(node.body, (statement) => {
    if (statement.kind === "assign" && statement.value !== undefined)
      for (const target of statement.targets) {
        const [object, value] =
          target.kind === "attribute" && target.name === "requires_grad"
            ? [target.object, statement.value]
            : [target, undefined];
        const freezes =
          value === undefined
            ? /requires_grad_?\s*(?:=|\()\s*False/.test(block.slice(statement.value))
            : value.kind === "constant" && value.value === false;
        if (freezes) note(selfPath(object));
      }
    if (
      statement.kind === "expression" &&
      statement.value.kind === "call" &&
      statement.value.callee.kind === "attribute" &&
      statement.value.callee.name === "requires_grad_" &&
      statement.value.arguments[0]?.value.kind === "constant" &&
      statement.value.arguments[0].value.value === false
    )
      note(selfPath(statement.value.callee.object));
  });
  return found;
}
