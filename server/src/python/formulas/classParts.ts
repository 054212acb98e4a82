/** The methods and layers of a class with those that it has from its bases, of this file or a neighbour. */
import { type ClassStmt, dottedPath, type FunctionStmt, selfPath, walkStatements } from "../tree/ast";
import type { Block } from "../names/block";
import { callFact } from "../names/calls";
import type { Layer } from "../facts";
import { layersOf } from "../layers/layers";
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
    layers: new Map([
      ...inherited.toReversed().flatMap(({ layers }) => [...layers]),
      ...buffers,
      ...layersOf(node, block, scope).layers.map((layer) => [layer.path, layer] as const),
    ]),
    frozen: new Set([
      ...inherited.flatMap(({ frozen }) => [...frozen]),
      ...buffers.map(([path]) => path),
      ...frozenIn(declared),
    ]),
  };
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
