/** What else a class does with its layers: uses that go past an adapted layer, or that break it. */
import {
  type CallExpr,
  type ClassStmt,
  dottedPath,
  type Expr,
  expressionsOf,
  forEachChild,
  type FunctionStmt,
  selfPath,
  walkExpression,
  walkStatements,
} from "../tree/ast";
import { wrapperObstacle } from "./layerTypes";
import type { Scope } from "../names/scope";

/** Why layers of the class, by path, cannot be adapted by subclassing; `*` speaks of all of them. */
export function obstaclesIn(node: ClassStmt, scope: Scope): ReadonlyMap<string, string> {
  const obstacles = new Map<string, string>();
  const note = (path: string, reason: string): void => {
    if (!obstacles.has(path)) obstacles.set(path, reason);
  };
  ofBases(node, scope, note);
  for (const member of node.body) {
    if (member.kind === "assign") tiedKeys(member.targets, member.value, note);
    if (member.kind !== "function") continue;
    if (/^get_output_embeddings$/.test(member.name)) outputEmbeddings(member, note);
    const held = heldLayers(member);
    walkStatements(member.body, (statement) => {
      if (statement.kind === "assign" && statement.value) {
        const owner = weightOwner(statement.value);
        for (const target of statement.targets) {
          const other = weightOwner(target);
          if (owner === undefined || other === undefined) continue;
          obstacles.set(other, tied(other, owner));
          obstacles.set(owner, tied(owner, other));
        }
      }
      for (const expression of expressionsOf(statement)) {
        walkExpression(expression, (inner) => {
          if (inner.kind === "call") wrapped(inner, scope, note);
        });
        // `w = self.proj.weight` is for computing with
        const isKept =
          statement.kind === "assign" && expression === statement.value && isLocal(statement.targets);
        if (!isPreparation(member)) weightReads(expression, isKept ? "=" : undefined, scope, note, held);
      }
    });
  }
  return obstacles;
}

type Note = (path: string, reason: string) => void;

/** Layers of torch's own that read the weights of their parts: what a subclass builds in their place is read too. */
const fused: Readonly<Record<string, readonly string[]>> = {
  "torch.nn.TransformerEncoderLayer": ["linear1", "linear2"],
  "torch.nn.MultiheadAttention": ["out_proj"],
};

function ofBases(node: ClassStmt, scope: Scope, note: Note): void {
  const forward = node.body.find(
    (each): each is FunctionStmt => each.kind === "function" && each.name === "forward",
  );
  for (const { value, keyword } of node.bases) {
    const base = keyword ? undefined : scope.resolve(value);
    if (base === undefined) continue;
    if (forward === undefined)
      for (const part of fused[base] ?? [])
        note(
          part,
          `\`${part}\` is read by the fused path of \`${base.replace(/^torch\.nn/, "nn")}\`, which goes past an adapted one. Write a forward that calls it, or adapt the block's output.`,
        );
    if (base === "torch.jit.ScriptModule") note("*", scripted(node.name));
  }
  const compiled = [forward, node].some((each) =>
    each?.decorators.some((decorator) =>
      /^torch\.jit\.script(?:_method)?$/.test(scope.resolve(decorator) ?? ""),
    ),
  );
  if (compiled) note("*", scripted(node.name));
}

const scripted = (name: string): string =>
  `\`torch.jit.script\` compiles \`${name}\`, and an adapted layer is no TorchScript. Take the script away, or trace the adapted model.`;

/** `_tied_weights_keys = ["lm_head.weight"]`, as transformers has it. */
function tiedKeys(targets: readonly Expr[], value: Expr | undefined, note: Note): void {
  if (value === undefined) return;
  if (!targets.some((target) => target.kind === "name" && target.name === "_tied_weights_keys")) return;
  walkExpression(value, (inner) => {
    const path = inner.kind === "string" ? /^([\w.]+)\.weight$/.exec(inner.value ?? "")?.[1] : undefined;
    if (path !== undefined) note(path, listed(path, "_tied_weights_keys"));
  });
}

function outputEmbeddings(method: FunctionStmt, note: Note): void {
  for (const statement of method.body) {
    const path = statement.kind === "return" && statement.value ? selfPath(statement.value) : undefined;
    if (path !== undefined) note(path, listed(path, "get_output_embeddings"));
  }
}

const listed = (path: string, by: string): string =>
  `\`${by}\` says that \`${path}\` may share its weight with the input embeddings, which an adapted one would break. Adapt another layer.`;

const wrappers =
  /^torch\.(?:nn\.utils\.(?:parametrizations\.)?(?:weight_norm|spectral_norm|orthogonal)|nn\.utils\.parametrize\.register_parametrization|nn\.utils\.prune\.\w+|jit\.script)$/;

/** `weight_norm(self.head)` after the layer was built. */
function wrapped(call: CallExpr, scope: Scope, note: Note): void {
  const path = call.arguments[0] && layerPath(call.arguments[0].value);
  if (path === undefined) return;
  const qualified = scope.resolve(call.callee) ?? "";
  if (wrappers.test(qualified)) note(path, wrapperObstacle(qualified));
}

/** Functions that set weights and do not compute with them: whatever they read is the weight itself. */
const isPreparation = ({ name }: FunctionStmt): boolean =>
  /init|reset|load|tie|from_pretrained|to_\w+|extra_repr|prune|freeze|parameters|weights?$/i.test(name) &&
  name !== "__init__";

/** What a weight tells about itself, which an adapted layer's weight tells as well. */
const aspects = new Set(
  "dtype device shape size ndim dim numel requires_grad requires_grad_ grad is_cuda is_meta layout new_zeros new_ones new_empty new_full new_tensor element_size data_ptr register_hook".split(
    " ",
  ),
);

/** Calls that look at a weight or write to it: `x.to(self.fc.weight)`, `nn.init.zeros_(self.fc.weight)`. */
const isHarmless = (call: CallExpr, scope: Scope): boolean => {
  const { callee } = call;
  const name = callee.kind === "attribute" || callee.kind === "name" ? callee.name : "";
  return (
    /_$|^(?:to|type_as|isinstance|hasattr|getattr|len|print|id|Parameter|cast|is_tensor|finfo)$/.test(name) ||
    /init/i.test(name) ||
    /\.init\./.test(scope.resolve(callee) ?? "")
  );
};

/** Methods that give the weight as it is, or a figure of it: what is done with that decides. */
const passing =
  /^(?:to|type_as|type|float|half|bfloat16|double|detach|clone|contiguous|cuda|cpu|norm|abs|mean|sum|std|max|min|pow|item)$/;

/** Weights that an expression computes with. */
function weightReads(
  expression: Expr,
  assigned: string | undefined,
  scope: Scope,
  note: Note,
  held: ReadonlyMap<string, string>,
): void {
  /** `by` names what the expression is handed to; undefined where that does not compute. */
  const look = (inner: Expr, by: string | undefined): void => {
    const path = weightOwner(inner, held);
    if (path !== undefined) {
      if (by !== undefined) note(path, read(path, by));
      return;
    }
    switch (inner.kind) {
      case "call": {
        const { callee } = inner;
        const harmless = isHarmless(inner, scope);
        const qualified = scope.resolve(callee) ?? dottedPath(callee)?.join(".") ?? "a function";
        // a method of the weight: `.t()` computes, `.data.normal_()` does not
        if (callee.kind === "attribute" && !aspects.has(callee.name) && !/_$/.test(callee.name))
          look(callee.object, passing.test(callee.name) ? by : `.${callee.name}()`);
        for (const { value } of inner.arguments) look(value, harmless ? undefined : qualified);
        return;
      }
      case "attribute":
        if (!aspects.has(inner.name)) look(inner.object, by);
        return;
      case "binary": {
        const computes = /^(?:@|\*\*?|\/\/?|\+|-|%)$/.test(inner.operator) ? inner.operator : undefined;
        look(inner.left, computes);
        look(inner.right, computes);
        return;
      }
      default:
        forEachChild(inner, (child) => look(child, by));
    }
  };
  look(expression, assigned);
}

const isLocal = (targets: readonly Expr[]): boolean =>
  targets.every(({ kind }) => kind === "name" || kind === "tuple");

const read = (path: string, by: string): string =>
  `The weight of \`${path}\` is used directly (\`${by}\`), so the layer is not called there and an adapted one would be ignored. Call ${/\.(?:\*|\d)/.test(path) ? "the layer itself" : `\`self.${path}(…)\``} instead, or adapt the block's output.`;

/** Weights by name, those that an attention holds for its projections among them. */
const weightName = /\.(?:(?:out_proj\.)?weight|(?:in|q|k|v)_proj_weight)$/;

/** `self.a.b.weight` gives `a.b`, `self.attn.in_proj_weight` gives `attn`; `held` says what names of the method hold. */
function weightOwner(expression: Expr, held?: ReadonlyMap<string, string>): string | undefined {
  const path = layerPath(expression, held);
  return path !== undefined && weightName.test(path) ? path.replace(weightName, "") : undefined;
}

/** `self.net[0]` gives `net.0`, `self.net[i]` gives `net.*`. */
function layerPath(expression: Expr, held?: ReadonlyMap<string, string>): string | undefined {
  if (expression.kind === "name") return held?.get(expression.name);
  if (expression.kind === "attribute") {
    if (expression.object.kind === "name" && expression.object.name === "self") return expression.name;
    const path = layerPath(expression.object, held);
    return path === undefined ? undefined : `${path}.${expression.name}`;
  }
  if (expression.kind !== "subscript") return undefined;
  const path = layerPath(expression.object, held);
  const [item] = expression.items;
  const key = item?.kind === "number" ? item.value : item?.kind === "string" ? item.value : undefined;
  return path === undefined ? undefined : `${path}.${key ?? "*"}`;
}

/** Names of a method that hold a layer: `head = self.head`, `for layer in self.layers`. */
function heldLayers({ body }: FunctionStmt): ReadonlyMap<string, string> {
  const held = new Map<string, string>();
  const hold = (target: Expr | undefined, path: string | undefined): void => {
    if (target?.kind === "name" && path !== undefined) held.set(target.name, path);
  };
  walkStatements(body, (statement) => {
    if (statement.kind === "assign" && statement.value)
      for (const target of statement.targets) hold(target, layerPath(statement.value, held));
    if (statement.kind !== "for") return;
    const { target, iterable } = statement;
    const targets = target.kind === "tuple" ? target.items : [target];
    const lists = iterable.kind === "call" ? iterable.arguments.map(({ value }) => value) : [iterable];
    // enumerate counts first, zip goes side by side
    const shift = targets.length - lists.length;
    for (const [index, list] of lists.entries()) {
      const path = layerPath(list, held);
      if (shift >= 0) hold(targets[index + shift], path === undefined ? undefined : `${path}.*`);
    }
  });
  return held;
}

/** What is said of a layer: `net.*` speaks of `net.0` as well. */
export function obstacleOf(obstacles: ReadonlyMap<string, string>, path: string): string | undefined {
  const found = obstacles.get(path) ?? obstacles.get("*");
  if (found !== undefined) return found;
  const parts = path.split(".");
  for (const [other, reason] of obstacles) {
    const others = other.split(".");
    const isSame = others.every(
      (part, index) => part === parts[index] || part === "*" || parts[index] === "*",
    );
    if (others.length === parts.length && isSame) return reason;
  }
  return undefined;
}

function tied(path: string, other: string): string {
  return `\`${path}\` shares its weight with \`${other}\`, so adapting one would change both or break the tie. Adapt another layer.`;
}
