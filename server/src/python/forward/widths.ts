/** How wide the output of a layer is, written so that it is valid inside the constructor of the class that calls it. */
import { type FunctionStmt, walkStatements } from "../tree/ast";
import type { Expression, Layer } from "../facts";
import { Flow } from "./flow";
import type { Origin, Scope } from "../names/scope";

const byRole: Readonly<Record<string, readonly string[]>> = {
  linear: ["out_features", "nf", "output_features"],
  conv: ["out_channels"],
  embedding: ["embedding_dim"],
  attention: ["embed_dim"],
  norm: ["normalized_shape", "num_features", "num_channels"],
  module: ["d_model", "hidden_size"],
};
const maximumDepth = 6;

/** Output width of a layer of `flow`'s class; absent when it cannot be written down there. */
export function outputWidth(path: string, flow: Flow, depth = 0): Expression | undefined {
  if (depth > maximumDepth) return undefined;
  const layer = flow.layerAt(path);
  if (!layer) return undefined;
  return layerWidth(layer, flow, depth);
}

function layerWidth(layer: Layer, flow: Flow, depth: number): Expression | undefined {
  const { scope } = flow;
  const declaration = scope.definition(layer.type);
  if (layer.form === "factory") return inConstructor(factoryWidth(layer), flow);
  if (layer.role === "container") {
    const children = flow.layers.filter((each) => each.path.startsWith(`${layer.path}.`));
    const last = children.findLast((each) => byRole[each.role] !== undefined && each.role !== "norm");
    return last && layerWidth(last, flow, depth + 1);
  }
  if (declaration?.kind === "class") {
    if (layer.role === "norm") return inConstructor(normWidth(layer), flow);
    const inner = classWidth(declaration, depth + 1);
    return inner && inConstructor(substitute(inner, layer, flow, declaration.scope), flow);
  }
  const names = byRole[layer.role] ?? [];
  const written = names.map((name) => layer.arguments[name]).find((argument) => argument !== undefined);
  const shape = written ?? (layer.role === "norm" ? normWidth(layer) : undefined);
  return inConstructor(shape, flow);
}

/** What a norm of any class is as wide as: its first argument, unless that is named as something else. */
function normWidth({ arguments: given, call }: Layer): Expression | undefined {
  const named = Object.entries(given).find(([name]) => !/eps|affine|bias|group|device|dtype/.test(name));
  const [first] = call.arguments;
  return named?.[1] ?? (first && !first.keyword && !first.star ? first.value : undefined);
}

function factoryWidth(layer: Layer): Expression | undefined {
  const names = Object.keys(layer.arguments);
  const name = names.find((each) => /^(?:out|c_?out|dim_?out|output)/.test(each));
  return name === undefined ? undefined : layer.arguments[name];
}

/** The width a class gives out: that of the last layer its forward calls. */
function classWidth(
  { node, block, scope }: Origin & { kind: "class" },
  depth: number,
): Expression | undefined {
  if (node.bases.some(({ value }) => scope.resolve(value) === "torch.nn.Sequential")) return undefined;
  const forward = node.body.find(
    (each): each is FunctionStmt => each.kind === "function" && each.name === "forward",
  );
  if (!forward) return undefined;
  return scope.derive(block.memory.widths, node, () =>
    returnedWidth(new Flow(node, forward, block, scope), forward, depth),
  );
}

function returnedWidth(flow: Flow, forward: FunctionStmt, depth: number): Expression | undefined {
  let returned: string | undefined;
  walkStatements(forward.body, (statement) => {
    if (statement.kind === "function" || statement.kind === "class") return false;
    if (statement.kind === "return" && statement.value) {
      const first = statement.value.kind === "tuple" ? statement.value.items[0] : statement.value;
      returned = first && lastLayer(first, statement.from, flow, 0);
    }
    return true;
  });
  return returned === undefined ? undefined : outputWidth(returned, flow, depth);
}

type Node = Parameters<Flow["layerCall"]>[0];

/** Width of what an expression of `forward` holds, where a layer gives that. */
export function expressionWidth(expression: Node, before: number, flow: Flow): Expression | undefined {
  const path = lastLayer(expression, before, flow, 0);
  return path === undefined ? undefined : outputWidth(path, flow);
}

/** `x * gate`, where the gate is a layer's output, perhaps of one channel, and x is handed in: as wide as x. */
function isGated(expression: Extract<Node, { kind: "binary" }>, before: number, flow: Flow): boolean {
  if (expression.operator !== "*") return false;
  return [expression.left, expression.right].some(
    (each) =>
      each.kind === "name" &&
      !/mask/i.test(each.name) &&
      flow.latest(each.name, before) === undefined &&
      flow.method.parameters.some(({ name }) => name === each.name),
  );
}

/** The layer whose output an expression is, through dropout, norms, reshapes, residual sums and local names. */
function lastLayer(expression: Node, before: number, flow: Flow, depth: number): string | undefined {
  if (depth > 12) return undefined;
  if (expression.kind === "name") {
    const assigned = flow.latest(expression.name, before);
    return assigned && lastLayer(assigned.value, assigned.statement.from, flow, depth + 1);
  }
  if (expression.kind === "binary") {
    if (isGated(expression, before, flow)) return undefined;
    return (
      lastLayer(expression.right, before, flow, depth + 1) ??
      lastLayer(expression.left, before, flow, depth + 1)
    );
  }
  if (expression.kind === "conditional") return lastLayer(expression.then, before, flow, depth + 1);
  if (expression.kind === "subscript") return lastLayer(expression.object, before, flow, depth + 1);
  if (expression.kind !== "call") return undefined;
  const called = flow.layerCall(expression);
  if (called) {
    const role = flow.roleAt(called.path);
    if (role !== "dropout" && role !== "activation") return role === undefined ? undefined : called.path;
    const [first] = called.arguments;
    return first && lastLayer(first, before, flow, depth + 1);
  }
  const [first] = expression.arguments;
  if (expression.callee.kind === "attribute" && flow.scope.resolve(expression.callee) === undefined)
    return lastLayer(expression.callee.object, before, flow, depth + 1);
  return first && lastLayer(first.value, before, flow, depth + 1);
}

const identifier = /(?<![\w.])[A-Za-z_]\w*/g;

/** Rewrites an inner class's expression in terms of the arguments it is constructed with. */
function substitute(inner: Expression, layer: Layer, flow: Flow, source: Scope): Expression | undefined {
  const foreign: string[] = [];
  const text = inner.text.replace(identifier, (name) => {
    const given = layer.arguments[name];
    if (!given) {
      const shared = source === flow.scope && flow.scope.lookup(name) !== undefined;
      const atTop = shared || /^(?:int|round|max|min)$/.test(name);
      if (!atTop) foreign.push(name);
      return name;
    }
    return /^[\w.]+$/.test(given.text) || inner.text === name ? given.text : `(${given.text})`;
  });
  if (foreign.length > 0) return undefined;
  return { range: layer.call.range, text, value: inner.value };
}

/** The expression, if every name in it can be used at the end of the class's `__init__`. */
function inConstructor(expression: Expression | undefined, flow: Flow): Expression | undefined {
  const init = flow.owner.body.find(
    (each): each is FunctionStmt => each.kind === "function" && each.name === "__init__",
  );
  if (!expression || !init || expression.text.includes("\n")) return undefined;
  const available = new Set(["self", "int", "round", "max", "min"]);
  for (const parameter of init.parameters) available.add(parameter.name);
  for (const statement of init.body) {
    if (statement.kind !== "assign") continue;
    for (const target of statement.targets)
      for (const name of target.kind === "tuple" ? target.items : [target])
        if (name.kind === "name") available.add(name.name);
  }
  const names = expression.text.match(identifier) ?? [];
  return names.every((name) => available.has(name) || flow.scope.lookup(name)) ? expression : undefined;
}

/** The width of a class's residual stream: what its norms agree on, else what its embeddings do. */
export function streamWidth(flow: Flow): Expression | undefined {
  for (const role of ["norm", "embedding"]) {
    const widths = flow.layers
      .filter((layer) => layer.role === role)
      .map((layer) => layerWidth(layer, flow, 0));
    const [first] = widths;
    if (first && widths.every((width) => width?.text === first.text)) return first;
  }
  return undefined;
}

/** The width of the stream of a class, in terms of the class that constructs it as `path`. */
export function blockWidth(path: string, flow: Flow): Expression | undefined {
  const layer = flow.layerAt(path);
  const declaration = layer && flow.scope.definition(layer.type);
  if (!layer || declaration?.kind !== "class") return layer && layerWidth(layer, flow, 0);
  const { node, block, scope } = declaration;
  const forward = node.body.find((each): each is FunctionStmt => each.kind === "function");
  const inner = forward && streamWidth(new Flow(node, forward, block, scope));
  const outer = inner && substitute(inner, layer, flow, scope);
  return inConstructor(outer, flow) ?? layerWidth(layer, flow, 0);
}
