/** Whether what a method writes suits a place. */
import type { Method as Paper, MethodSite } from "../literature/model";
import type { Layer, Method } from "../python/facts";
import { missingVariable, unwritableStep } from "./callSites/variables";
import { isLayerKind, layerKinds, typesOf } from "./layerKinds";
import type { BlockStackPlace, LayerPlace, ModelPlace, Place } from "./place";

/** The class a place belongs to, by name; empty for free code. */
export const ownerOf = (place: Place): string =>
  "module" in place
    ? place.module.name
    : place.kind === "generation-step"
      ? (place.step.className ?? "")
      : "";

/** Whether a site of a method is meant for such a place, sub-layer placements included. */
export function suits(site: MethodSite, place: Place): boolean {
  if (place.kind === "model-layers") {
    const { of, type, chosen } = place;
    return site.kind === of && baseOf(site) === type && isNamed(site, chosen);
  }
  if (site.kind !== place.kind) return false;
  if (isLayerPlace(place)) {
    return isNamed(site, pathsOf(place)) && (isToldOf(site, place) || mismatch(site, place) === undefined);
  }
  // `{model} = Wrapped({model})` needs a line that binds the model
  if (place.kind === "model" && site.after?.startsWith("{model} =") === true)
    return place.built !== undefined;
  if (place.kind !== "block-output" && place.kind !== "block-input") return true;
  if (site.placements === undefined) return true;
  const { placements } = site;
  const meant = place.branches.filter(
    (branch) => branch.role !== "other" && placements.includes(branch.role),
  );
  return meant.length === place.branches.length;
}

/** Whether a method is shown where layers are of another class than its own, with that as the reason: of several classes one is. */
const isToldOf = (site: MethodSite, place: LayerPlace): boolean =>
  place.kind === "linear" ||
  (place.kind === "conv" && baseOf(site) === typesOf("conv")[0] && isOfOtherConvs(place));

/** Whether no method has a class for such convolutions: transposed ones, or those of a class of the user's. */
const isOfOtherConvs = ({ kind, layers }: LayerPlace): boolean =>
  kind === "conv" && layers.every(({ type }) => !typesOf("conv").includes(type));

/** Whether all layers of a place bear one of the names that the site is meant for. */
const isNamed = ({ named }: MethodSite, paths: readonly string[]): boolean =>
  named === undefined || paths.every((path) => named.includes(path.split(".").at(-1) ?? path));
/** The attributes that a place adapts, each once. */
export const pathsOf = ({ layers }: Pick<LayerPlace, "layers">): string[] => [
  ...new Set(layers.map(({ path }) => path)),
];

export const isLayerPlace = (place: Place): place is LayerPlace => isLayerKind(place.kind);

/** The layer that a site's class subclasses; undefined for a module of its own. */
export const baseOf = ({ kind, adapts }: MethodSite): string | undefined =>
  isLayerKind(kind) ? (adapts ?? layerKinds[kind].types[0]) : undefined;

/** Why a site's class cannot stand for the layers of a place: it subclasses another layer. */
export function mismatch(site: MethodSite, place: LayerPlace): string | undefined {
  const type = baseOf(site);
  const other = place.layers.find((layer) => layer.type !== type);
  if (other === undefined) return undefined;
  return otherType(other, isOfOtherConvs(place) ? "torch.nn.Conv1d, Conv2d or Conv3d" : (type ?? "layer"));
}

/** Why a layer of another class is none that a method's own can stand for. */
export const otherType = ({ path, type }: Pick<Layer, "path" | "type">, wanted: string): string =>
  `\`${path}\` is a ${type}, not a ${wanted}${type.includes(".") ? "." : ", and may compute in a way of its own. Build it as one, or adapt the block's output."}`;

/** Why a site's class cannot stand for layers whose weight the code computes with: it has no other to offer. */
export function unreadable(
  { python }: Paper,
  { symbol }: MethodSite,
  { layers }: LayerPlace,
): string | undefined {
  const reason = layers.find(({ weightReads }) => weightReads !== undefined)?.weightReads?.reason;
  if (reason === undefined) return undefined;
  const definition = python.flatMap(({ definitions }) => definitions).find(({ name }) => name === symbol);
  return definition?.source.includes("def merged_weight(self)") === true ? undefined : reason;
}

/** Why what a site writes does not fit the code of a place that is sound for others. */
export function unwritable(site: MethodSite, place: Place): string | undefined {
  const { call } = site;
  if (place.kind === "block-stack") return unwritableStack(site, place);
  if (place.kind === "training-step" || place.kind === "loss") return unwritableStep(site, place);
  if (place.kind === "model") return unwritableModel(site, place);
  if (place.kind !== "block-output" || call?.includes("{stream}") !== true) return undefined;
  const unnamed = place.branches.find(({ stream, repeats = [] }) =>
    [{ stream }, ...repeats].some((each) => each.stream === undefined),
  );
  return unnamed === undefined
    ? undefined
    : `What \`${unnamed.layer}\` is added to has no name; assign it to a variable, which the adapter reads too.`;
}

/** The method that runs a stack of blocks. */
export const functionAround = ({ module, stack }: BlockStackPlace): Method | undefined =>
  module.methods.find(({ range }) => range.from <= stack.statement.from && stack.statement.to <= range.to);

function unwritableStack(site: MethodSite, place: BlockStackPlace): string | undefined {
  const { before, after, inside, insideFirst, parameters, looksAhead } = site;
  const { loop, input, layer, variable } = place.stack;
  if (before?.includes("{x}") === true && place.entersUnnamed === true)
    return `What enters \`${layer}\` has no name of its own; assign it to \`${variable}\` first, in a line above.`;
  // prompts make the sequence longer, and strip what they added
  if (/\bstrip\w*\(/.test(after ?? "") && place.fixedLength !== undefined) return place.fixedLength;
  if ([inside, insideFirst].some(Boolean) && loop === undefined && input === undefined)
    return `\`${layer}\` is not run block by block here; write \`for block in self.${layer}:\` with the body on lines of its own.`;
  if (parameters !== undefined && functionAround(place)?.name !== "forward")
    return `\`${layer}\` does not run in \`forward\`, which would have to take what this needs.`;
  const taken = functionAround(place)?.parameters.find(
    ({ name }) => parameters?.match(new RegExp(`\\b${name}\\s*=`)) != null,
  );
  if (taken !== undefined) return `\`forward\` has a parameter \`${taken.name}\` already.`;
  if (looksAhead !== true) return undefined;
  return (
    place.futureIsHidden ??
    (place.fixedLength?.startsWith("The blocks also get a mask") === true
      ? "The blocks also get a mask, which this would not see; hand it over by hand."
      : place.fixedLength)
  );
}

function unwritableModel(
  site: MethodSite,
  { module, names, roles, handed = [], built }: ModelPlace,
): string | undefined {
  const { has = [], hasLayer } = site;
  const missing = has.filter((attribute) => module?.layers.some(({ path }) => path === attribute) !== true);
  if (module === undefined && has.length > 0)
    return `The class is in another file; this needs one with ${has.join(", ")}.`;
  if (missing.length > 0) return `\`${module?.name ?? ""}\` has no ${missing.join(", ")}.`;
  if (hasLayer !== undefined && roles?.has(hasLayer) === false)
    return `\`${module?.name ?? ""}\` has no ${hasLayer === "bias" ? "layers with biases" : `${hasLayer} layers with weights`}.`;
  if (hasLayer !== undefined && handed.length > 0 && built === undefined)
    return `\`${module?.name ?? ""}\` is handed its parts (${handed.join(", ")}), of which nothing is known here; put this where the model is built.`;
  return missingVariable(site, names);
}
