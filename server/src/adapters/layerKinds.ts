/** Kinds of layers that an adapted layer can stand for. */
import type { Layer } from "../python/facts";

/** What layers of a kind are called in menus, and the classes that adapters subclass; by default the first. */
export const layerKinds = {
  linear: { plural: "linear layers", types: ["torch.nn.Linear"] },
  conv: { plural: "convolutions", types: ["torch.nn.Conv2d", "torch.nn.Conv1d", "torch.nn.Conv3d"] },
  embedding: { plural: "embeddings", types: ["torch.nn.Embedding"] },
  norm: { plural: "norms", types: ["torch.nn.LayerNorm"] },
  attention: { plural: "attentions", types: ["torch.nn.MultiheadAttention"] },
} as const;

export type LayerKind = keyof typeof layerKinds & Layer["role"];

export const isLayerKind = (kind: string): kind is LayerKind => kind in layerKinds;

/** The classes that adapters of a kind subclass. */
export const typesOf = (kind: LayerKind): readonly string[] => layerKinds[kind].types;

export const allLayerKinds: readonly LayerKind[] = Object.keys(layerKinds).filter(isLayerKind);
