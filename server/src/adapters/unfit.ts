/** Why the sizes of layers are none for a method. */
import { evaluate } from "../literature/expression";
import type { Method, MethodSite } from "../literature/model";
import type { Layer } from "../python/facts";
import {
  chosenLayers,
  fitted,
  isOpenHead,
  numbers,
  type Options,
  type Sizes,
  sizesAt,
  textOf,
} from "./budget";
import type { Place } from "./place";

/** Why the sizes of a place do not suit the method's own choice of hyperparameters; undefined where they do or are not known. */
export function unfit(
  method: Method,
  site: MethodSite,
  place: Place,
  options: Options = {},
): string | undefined {
  const chosen = numbers(method, fitted(method, site, place, options));
  for (const { sizes, label } of sizesAt(site, place)) {
    const broken = site.requires?.find((requirement) => isBroken(requirement, { ...chosen, ...sizes }));
    if (broken !== undefined) {
      const values = [...broken.matchAll(/[A-Za-z_]\w*/g)].flatMap(([name]) => {
        const value = sizes[name] ?? chosen[name];
        return value === undefined ? [] : [`${name} = ${value}`];
      });
      return `${method.name} at \`${label}\` needs ${broken}; here ${[...new Set(values)].join(", ")}.`;
    }
  }
  return openHead(method, site, place) ?? openSizes(method, site, place) ?? unproven(method, site, place);
}

/** Why a layer whose sizes are names is no place for a method that needs one to be so many times the other. */
function unproven({ name }: Method, { requires = [] }: MethodSite, place: Place): string | undefined {
  const [times] = requires.flatMap((each) => /^out_features == (\d+) \* in_features$/.exec(each)?.[1] ?? []);
  if (times === undefined) return undefined;
  const other = layersAt(place).find(({ sizes, arguments: given }) => {
    if (sizes["in_features"] !== undefined && sizes["out_features"] !== undefined) return false;
    const [from, to] = ["in_features", "out_features"].map(
      (each) => given[each]?.text.replace(/\s/g, "") ?? "",
    );
    return to !== `${times}*${from}` && to !== `${from}*${times}`;
  });
  return other === undefined
    ? undefined
    : `${name} needs out_features == ${times} * in_features, which ${textOf(other.arguments)} does not say of \`${other.path}\`.`;
}

/** The layers that a place adapts. */
const layersAt = (place: Place): readonly Layer[] =>
  place.kind === "linear"
    ? place.layers
    : place.kind === "model-layers"
      ? chosenLayers(place).map(({ layer }) => layer)
      : [];

/** Whether no value of the sizes that are not known could keep to a requirement: one output is too few for rank 8. */
function isBroken(requirement: string, sizes: Sizes): boolean {
  const value = evaluate(requirement, sizes);
  if (value !== undefined || !/<|>/.test(requirement)) return value === 0;
  const names = [...requirement.matchAll(/\b(?:\w+_features|width|channels)\b/g)].map(([name]) => name);
  const unknown = Object.fromEntries(names.map((name) => [name, large] as const));
  return evaluate(requirement, { ...unknown, ...withoutGaps(sizes) }) === 0;
}

/** Stands for a size that is not known where only its being large enough matters. */
const large = 2 ** 24;

const withoutGaps = (sizes: Sizes): Sizes =>
  Object.fromEntries(Object.entries(sizes).filter(([, size]) => size !== undefined));

/** Why a head with an unknown number of outputs is no place for a method that needs a certain number. */
function openHead({ name }: Method, { requires = [] }: MethodSite, place: Place): string | undefined {
  const needed = requires.find((requirement) => /\bout_features\b/.test(requirement));
  const layers = layersAt(place);
  const head = layers.find(isOpenHead);
  if (needed !== undefined && head !== undefined)
    return `${name} needs ${needed}, and how many outputs \`${head.path}\` has is not known here: ${textOf(head.arguments)}. Train the head whole, or give that a default.`;
  const few = needed === undefined ? undefined : layers.find(isOfHeads);
  return few === undefined
    ? undefined
    : `${name} needs ${needed ?? ""}, and \`${few.path}\` has as many outputs as there are heads, which may be few: ${textOf(few.arguments)}.`;
}

/** `nn.Linear(num_heads, num_heads)`, which mixes the heads of an attention. */
const isOfHeads = ({ role, sizes, arguments: given }: Layer): boolean =>
  role === "linear" &&
  sizes["out_features"] === undefined &&
  /^(?:\w+\.)*(?:num_|n_?)heads?$/.test(textOf(given));

/** Why layers whose sizes are open are no place for a method that must divide these. */
function openSizes({ name }: Method, { requires = [] }: MethodSite, place: Place): string | undefined {
  const needed = requires.find((requirement) => requirement.includes("%"));
  if (needed === undefined) return undefined;
  const layers =
    place.kind === "model-layers"
      ? chosenLayers(place).map(({ layer }) => layer)
      : "layers" in place
        ? place.layers
        : [];
  for (const layer of layers) {
    const { path, construction } = layer;
    if (construction?.free === true && place.kind !== "model-layers")
      return `${name} needs ${needed} of all that \`${construction.by}\` builds, whose sizes are not certain here.`;
    const { in_channels: from, out_channels: to } = layer.sizes;
    if (layer.role === "conv" && (from === undefined || to === undefined))
      return `${name} needs ${needed}, and the channels of \`${path}\` are for callers to say.`;
    const given = /\bgroups\b/.test(needed) ? openGroups(layer) : undefined;
    if (given !== undefined)
      return `${name} needs ${needed}, and the groups of \`${path}\` are not certain here: ${given}.`;
  }
  return undefined;
}

/** How a convolution's number of groups is written where it depends on what is passed. */
function openGroups({ role, call, construction }: Layer): string | undefined {
  if (role !== "conv") return undefined;
  const given = (construction?.call ?? call).arguments.find(
    ({ keyword }, index) => (keyword?.name ?? (index === 6 ? "groups" : "")) === "groups",
  )?.value;
  if (given === undefined || /^\d+$/.test(given.text)) return undefined;
  const isCertain = construction === undefined && given.assumed !== true && given.value.kind === "number";
  return isCertain ? undefined : given.text;
}
