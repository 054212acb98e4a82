/** Kinds of layers that an adapted layer can stand for. */
import type { Layer } from "../python/facts";

/** What layers of a kind are called in menus, and the class an adapter of that kind subclasses by default. */
export const layerKinds = {
  linear: { plural: "linear layers", type: "torch.nn.Linear" },
  conv: { plural: "convolutions", type: "torch.nn.Conv2d" },
  embedding: { plural: "embeddings", type: "torch.nn.Embedding" },
  norm: { plural: "norms", type: "torch.nn.LayerNorm" },
  attention: { plural: "attentions", type: "torch.nn.MultiheadAttention" },
} as const;

export type LayerKind = keyof typeof layerKinds & Layer["role"];

export const isLayerKind = (kind: string): kind is LayerKind => kind in layerKinds;

export const allLayerKinds: readonly LayerKind[] = Object.keys(layerKinds).filter(isLayerKind);
