/** Whether a sub-layer is attention or feed-forward: what its class does decides, its name only where that is unknown. */
import {
  type ClassStmt,
  type Expr,
  expressionsOf,
  type Stmt,
  walkExpression,
  walkStatements,
} from "../tree/ast";
import type { Block } from "../names/block";
import type { Layer, SublayerRole } from "../facts";
import type { Flow } from "./flow";
import { layersOf } from "../layers/layers";
import type { Scope } from "../names/scope";

const attentionName = /attn|attention|(?:^|_)(?:mha|msa|sa|mhsa|mixer|ssm|mamba)(?:_|$|\d)/i;
const feedForwardName = /mlp|ffn|feed_?forward|(?:^|_)(?:ff|fc|moe|experts?|intermediate|glu)(?:_|$|\d)/i;

/** The role of what `path` calls. */
export function sublayerRole(path: string, flow: Flow): SublayerRole {
  const { owner, block, scope } = flow;
  const method = owner.body.find((each) => each.kind === "function" && each.name === path);
  const layer = flow.layerAt(path);
  const evidence = method
    ? fromBody([method], flow.layers, scope)
    : layer
      ? fromLayer(layer, flow.layers, block, scope)
      : undefined;
  // Two projections are weaker evidence than a name: attention may be written with `F` of a library.
  const named = fromName(path);
  if (evidence === "feed-forward" && named === "attention") return named;
  return evidence ?? named ?? (layer && fromName(layer.type)) ?? "other";
}

function fromName(name: string): SublayerRole | undefined {
  const last = name.split(".").findLast((part) => /[a-z]/i.test(part)) ?? name;
  if (attentionName.test(last)) return "attention";
  return feedForwardName.test(last) ? "feed-forward" : undefined;
}

function fromLayer(
  layer: Layer,
  siblings: readonly Layer[],
  block: Block,
  scope: Scope,
): SublayerRole | undefined {
  if (layer.type === "torch.nn.MultiheadAttention") return "attention";
  const declaration = scope.definition(layer.type);
  const inside = siblings.filter((each) => each.path.startsWith(`${layer.path}.`));
  const own =
    declaration?.kind === "class"
      ? fromClass(declaration.node, declaration.block, declaration.scope)
      : undefined;
  if (own) return own;
  for (const each of inside) {
    if (each.path === layer.path) continue;
    const nested = fromLayer(each, [], block, scope);
    if (nested) return nested;
  }
  return fromLayers(inside) ?? (declaration ? undefined : fromName(layer.type));
}

let depth = 0;

function fromClass(node: ClassStmt, block: Block, scope: Scope): SublayerRole | undefined {
  if (depth > 8) return undefined;
  depth++;
  try {
    return scope.derive(block.memory.roles, node, () => {
      const { layers } = layersOf(node, block, scope);
      return fromBody(node.body, layers, scope) ?? fromName(node.name);
    });
  } finally {
    depth--;
  }
}

/** Softmax over a product is attention; two projections around a non-linearity are a feed-forward net. */
function fromBody(body: readonly Stmt[], layers: readonly Layer[], scope: Scope): SublayerRole | undefined {
  const seen = { product: false, softmax: false, fused: false, activation: false };
  const look = (expression: Expr) => {
    if (expression.kind === "binary" && expression.operator === "@") seen.product = true;
    if (expression.kind !== "call") return;
    const { callee } = expression;
    const name = callee.kind === "attribute" || callee.kind === "name" ? callee.name : "";
    if (/scaled_dot_product_attention|flash_attn|xformers|memory_efficient_attention/.test(name))
      seen.fused = true;
    else if (/^(?:matmul|bmm|einsum|baddbmm)$/.test(name)) seen.product = true;
    else if (/^softmax$/i.test(name)) seen.softmax = true;
    else if (
      /^(?:relu|gelu|silu|swish|tanh|act|act_fn|activation|activation_fn|mish|leaky_relu|glu)$/i.test(name)
    )
      seen.activation = true;
  };
  walkStatements(body, (statement) => {
    for (const expression of expressionsOf(statement)) walkExpression(expression, look);
  });
  const called = new Set<string>();
  walkStatements(body, (statement) => {
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (node) => {
        if (node.kind === "attribute" && node.object.kind === "name" && node.object.name === "self")
          called.add(node.name);
      });
  });
  const used = layers.filter((layer) => called.has(layer.path.split(".")[0] ?? ""));
  const attends = used.some(
    (layer) =>
      layer.type === "torch.nn.MultiheadAttention" ||
      layer.role === "attention" ||
      scopeAttention(layer, scope),
  );
  const softmaxLayer = used.some((layer) => layer.type === "torch.nn.Softmax");
  if (seen.fused || attends || (seen.product && (seen.softmax || softmaxLayer))) return "attention";
  return fromLayers(used, seen.activation);
}

function scopeAttention(layer: Layer, scope: Scope): boolean {
  const declaration = scope.definition(layer.type);
  return (
    declaration?.kind === "class" &&
    fromClass(declaration.node, declaration.block, declaration.scope) === "attention"
  );
}

function fromLayers(layers: readonly Layer[], activation = false): SublayerRole | undefined {
  const projections = layers.filter(
    (layer) => layer.role === "linear" || /Conv1[dD]$/.test(layer.type),
  ).length;
  const active =
    activation || layers.some((layer) => layer.role === "activation" && layer.type !== "torch.nn.Softmax");
  return projections >= 2 && active ? "feed-forward" : undefined;
}

const spatialNorm = /\.(?:GroupNorm|BatchNorm\dd|InstanceNorm\dd)$/;

/** Whether a class works on (B, C, H, W): convolutions beyond a patch embedding, its own or those of its parts. */
export function convolves(node: ClassStmt, block: Block, scope: Scope): boolean {
  if (depth > 8) return false;
  depth++;
  try {
    return scope.derive(block.memory.convolves, node, () => {
      const { layers } = layersOf(node, block, scope);
      return layers.some((layer) => {
        if (spatialNorm.test(layer.type) || /Up|Down|UNet/.test(layer.type)) return true;
        if (layer.role === "conv") return !/patch|embed|proj/i.test(layer.path);
        const declaration = scope.definition(layer.type);
        return (
          declaration?.kind === "class" && convolves(declaration.node, declaration.block, declaration.scope)
        );
      });
    });
  } finally {
    depth--;
  }
}

/** Whether a class works on (B, C, L): its convolutions, or those of its parts, run along one dimension. */
export function isOneDimensional(node: ClassStmt, block: Block, scope: Scope, left = 4): boolean {
  const { layers } = layersOf(node, block, scope);
  return layers.some(({ type }) => {
    if (/\.Conv(?:Transpose)?1d$/.test(type)) return true;
    const part = left > 0 ? scope.definition(type) : undefined;
    return part?.kind === "class" && isOneDimensional(part.node, part.block, part.scope, left - 1);
  });
}

/** Whether the layer at a path is a class of the file that works on (B, C, H, W). */
export function isConvolutional(path: string, flow: Flow): boolean {
  const type = flow.layerAt(path)?.type ?? "";
  const declaration = flow.scope.definition(type);
  return declaration?.kind === "class" && convolves(declaration.node, declaration.block, declaration.scope);
}
