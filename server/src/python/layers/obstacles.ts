/** What else a class does with its layers: uses that go past an adapted layer, or that break it. */
import type { Layer, Tie, WeightReads } from "../facts";
import {
  type CallExpr,
  type ClassStmt,
  type Expr,
  expressionsOf,
  type FunctionStmt,
  selfPath,
  walkExpression,
  walkStatements,
} from "../tree/ast";
import { wrapperObstacle } from "./layerTypes";
import { FoundReads, layerPath, weightOwner } from "./weightReads";
import type { Scope } from "../names/scope";

/** What a class does with its layers besides calling them, by path. */
export interface LayerUses {
  /** Why a layer cannot be adapted by subclassing; `*` speaks of all of them. */
  readonly obstacles: ReadonlyMap<string, string>;
  readonly reads: ReadonlyMap<string, WeightReads>;
  readonly ties: ReadonlyMap<string, Tie>;
}

export function layerUses(node: ClassStmt, scope: Scope): LayerUses {
  const obstacles = new Map<string, string>();
  const ties = new Map<string, Tie>();
  const note = (path: string, reason: string): void => {
    if (!obstacles.has(path)) obstacles.set(path, reason);
  };
  ofBases(node, scope, note);
  const found = new FoundReads(scope, note);
  for (const member of node.body) {
    if (member.kind === "assign") tiedKeys(member.targets, member.value, note);
    if (member.kind !== "function") continue;
    if (/^get_output_embeddings$/.test(member.name)) outputEmbeddings(member, note);
    walkStatements(member.body, (statement) => {
      if (statement.kind === "assign" && statement.value) {
        const owner = weightOwner(statement.value);
        for (const target of statement.targets) {
          const other = weightOwner(target);
          if (owner === undefined || other === undefined) continue;
          ties.set(other, { layer: owner, holds: false });
          ties.set(owner, { layer: other, holds: true });
        }
      }
      for (const expression of expressionsOf(statement)) {
        walkExpression(expression, (inner) => {
          if (inner.kind === "call") wrapped(inner, scope, note);
        });
      }
    });
    found.in(member);
  }
  return { obstacles, reads: found.reads, ties };
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

/** What is said of a layer: `net.*` speaks of `net.0` as well. */
function ofPath<T>(said: ReadonlyMap<string, T>, path: string): T | undefined {
  const found = said.get(path) ?? said.get("*");
  if (found !== undefined) return found;
  const parts = path.split(".");
  for (const [other, what] of said) {
    const others = other.split(".");
    const isSame = others.every(
      (part, index) => part === parts[index] || part === "*" || parts[index] === "*",
    );
    if (others.length === parts.length && isSame) return what;
  }
  return undefined;
}

/** A layer with what the class does with it. */
export function withUses(layer: Layer, { obstacles, reads, ties }: LayerUses): Layer {
  const own = reads.get(layer.path);
  // one layer of several that a read may mean is not to be told from the others
  const other = own === undefined ? ofPath(reads, layer.path)?.reason : undefined;
  const obstacle = layer.obstacle ?? ofPath(obstacles, layer.path) ?? other;
  const tie = ofPath(ties, layer.path);
  if (obstacle === undefined && own === undefined && tie === undefined) return layer;
  return {
    ...layer,
    ...(obstacle !== undefined && { obstacle }),
    ...(own !== undefined && { weightReads: own }),
    ...(tie !== undefined && { tie }),
  };
}
