/** What an adapter costs: trainable parameters at a place, and what the layers there hold already. */
import { evaluate } from "../literature/expression";
import type { Method, MethodSite } from "../literature/model";
import type { Expression, Layer, ModuleClass } from "../python/facts";
import { layerKinds } from "./layerKinds";
import type { ModelLayersPlace } from "./modelLayers";
import type { Found } from "./modelTargets";
import type { Place } from "./place";

export type Options = Readonly<Record<string, number | boolean | string>>;

const numberOf = (expression: Expression | undefined): number | undefined =>
  expression?.value.kind === "number" ? expression.value.value : undefined;

/** Parameters of one layer, weight and bias; undefined where a size is not known. */
export function layerParameters(layer: Layer): number | undefined {
  const size = (name: string): number | undefined => {
    const value = layer.sizes[name];
    return typeof value === "number" ? value : undefined;
  };
  const product = (...factors: (number | undefined)[]): number | undefined =>
    factors.reduce<number | undefined>(
      (total, factor) => (total === undefined || factor === undefined ? undefined : total * factor),
      1,
    );
  const withBias = (weights: number | undefined, outputs: number | undefined): number | undefined =>
    weights === undefined || layer.sizes["bias"] === false ? weights : weights + (outputs ?? 0);

  switch (layer.role) {
    case "linear":
      return withBias(product(size("in_features"), size("out_features")), size("out_features"));
    case "embedding":
      return product(size("num_embeddings"), size("embedding_dim"));
    case "conv": {
      const groups = size("groups") ?? 1;
      const weights = product(size("in_channels"), size("out_channels"), tapsOf(layer).taps);
      return withBias(weights === undefined ? undefined : weights / groups, size("out_channels"));
    }
    case "norm": {
      const shape =
        layer.sizes["normalized_shape"] ?? layer.sizes["num_features"] ?? layer.sizes["num_channels"];
      const features =
        typeof shape === "number"
          ? shape
          : typeof shape === "object"
            ? shape.reduce((total, side) => total * side, 1)
            : undefined;
      const perFeature = /RMSNorm$/.test(layer.type) || layer.sizes["bias"] === false ? 1 : 2;
      return features === undefined ? undefined : features * perFeature;
    }
    case "attention": {
      const { embed_dim: width, kdim, vdim } = attentionSizes(layer);
      if (width === undefined || kdim === undefined || vdim === undefined) return undefined;
      const appended = layer.sizes["add_bias_kv"] === true ? 2 * width : 0;
      return withBias(width * (2 * width + kdim + vdim) + appended, 4 * width);
    }
    default:
      return 0;
  }
}

/** Sizes of an nn.MultiheadAttention or a subclass in the file, with what its constructor takes where they are not given. */
function attentionSizes({ type, sizes, arguments: given }: Layer): Sizes {
  if (type !== layerKinds.attention.types[0] && type.includes(".")) return {};
  const size = (name: string, preset?: number): number | undefined => {
    const value = sizes[name];
    const isLeft = given[name] === undefined || given[name].value.kind === "none";
    return typeof value === "number" ? value : isLeft ? preset : undefined;
  };
  const width = size("embed_dim");
  return { embed_dim: width, kdim: size("kdim", width), vdim: size("vdim", width) };
}

/** Known parameters of a class's own layers; undefined when one is unknown. */
export function moduleParameters(module: ModuleClass): number | undefined {
  let total = 0;
  for (const layer of module.layers) {
    if (layer.role === "module" || layer.role === "container") return undefined;
    const parameters = layerParameters(layer);
    if (parameters === undefined) return undefined;
    total += parameters * (layer.count ?? 1);
  }
  return total;
}

/** Parameters of a whole model from all its layers; undefined when those of one are not known. */
export function modelParameters(found: readonly Pick<Found, "layer" | "uses">[]): number | undefined {
  let total = 0;
  for (const { layer, uses } of found) {
    if (layer.role === "container" || layer.role === "dropout" || layer.role === "activation") continue;
    if (layer.role === "module" || layer.role === "parameter") return undefined;
    const parameters = layerParameters(layer);
    if (parameters === undefined || uses === undefined) return undefined;
    // Of two layers that share one weight each counts for half.
    total += (parameters * uses) / (layer.tie === undefined ? 1 : 2);
  }
  return total;
}

/** Values of a method's hyperparameters: defaults, overridden by options. */
export function hyperparameters(
  method: Method,
  options: Options = {},
): Record<string, number | boolean | string> {
  return Object.fromEntries(
    method.hyperparameters.map(({ name, default: preset }) => [name, options[name] ?? preset] as const),
  );
}

/**
 * The options with which a method suits a place: as given where that surely fits, else with the method's values for
 * layers that are small or of unknown size, or with the next smaller divisor of the sizes.
 */
export function fitted(method: Method, site: MethodSite, place: Place, options: Options = {}): Options {
  const { requires = [] } = site;
  const open = method.hyperparameters.filter(({ name }) => !(name in options));
  const small = open.flatMap(({ name, small: value }) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const divisors = open.filter(({ name }) => requires.some((each) => dividesBy(each, name)));
  if (small.length === 0 && divisors.length === 0) return options;
  const all = sizesAt(site, place);
  /** Whether all that is asked for surely holds; undefined where a size is not known. */
  const fits = (tried: Options, asked: readonly string[]): boolean | undefined => {
    const chosen = numbers(method, tried);
    const found = all.flatMap(({ sizes }) => asked.map((each) => evaluate(each, { ...chosen, ...sizes })));
    return found.includes(0) ? false : found.includes(undefined) ? undefined : true;
  };
  const touched = requires.filter((each) => small.some(([name]) => new RegExp(`\\b${name}\\b`).test(each)));
  const lesser = { ...Object.fromEntries(small), ...options };
  const usual = fits(options, touched) === true ? options : lesser;
  const divided = requires.filter((each) => divisors.some(({ name }) => dividesBy(each, name)));
  if (fits(usual, divided) !== false) return usual;
  // channels are multiples of powers of two; the 3 of an image divides what callers give by chance
  const isUsual = (value: number): boolean => site.kind !== "conv" || Number.isInteger(Math.log2(value));
  for (const { name, default: preset } of divisors)
    for (let value = Number(preset) - 1; value > 1; value--)
      for (const base of [options, lesser]) {
        const tried = { ...base, [name]: value };
        if (isUsual(value) && fits(tried, requires) === true) return tried;
      }
  return usual;
}

/** `in_features % block_size == 0`. */
const dividesBy = (requirement: string, name: string): boolean =>
  new RegExp(`% ${name}\\b`).test(requirement);

/** A head with as many outputs as there are classes, whose number is not known: it may be smaller than any rank. */
export const isOpenHead = ({ role, sizes, arguments: given }: Layer): boolean =>
  role === "linear" && sizes["out_features"] === undefined && classCount.test(textOf(given));

const classCount =
  /(?:num|nb|n)_?(?:labels|cls|tags|categories)\b|\b\w*class(?:es)?\b|\blen\([\w.]*labels\)/i;
export const textOf = (given: Layer["arguments"]): string => given["out_features"]?.text ?? "";

export type Sizes = Readonly<Record<string, number | undefined>>;

/** The constructions that the chosen targets of a place name. */
export const chosenLayers = ({
  targets,
  chosen,
}: ModelLayersPlace): ModelLayersPlace["targets"][number]["layers"] =>
  targets.filter(({ name }) => chosen.includes(name)).flatMap(({ layers }) => layers);

/** The sizes that expressions of a method.yaml speak of, once for every use of the site at the place. */
export function sizesAt(
  site: MethodSite,
  place: Place,
): { readonly sizes: Sizes; readonly uses: number; readonly label: string }[] {
  switch (place.kind) {
    case "linear":
    case "conv":
    case "embedding":
    case "norm":
    case "attention":
      return place.layers.map((layer) => ({
        sizes: layerSizes(layer),
        uses: layer.count ?? 1,
        label: layer.path,
      }));
    case "model-layers":
      return chosenLayers(place).map(({ layer, uses = 1 }) => ({
        sizes: layerSizes(layer),
        uses,
        label: layer.path,
      }));
    case "beside":
      return [{ sizes: layerSizes(place.layer), uses: place.layer.count ?? 1, label: place.label }];
    case "block-input":
    case "block-output":
      return branchesFor(site, place).map(({ width, layer }) => ({
        sizes: { width: numberOf(width) },
        uses: 1,
        label: layer,
      }));
    case "skip":
      return place.skips.map(({ channels }) => ({
        sizes: { channels: numberOf(channels) },
        uses: 1,
        label: "the skip",
      }));
    case "block-stack":
      return [
        {
          sizes: { width: numberOf(place.stack.width), depth: depthOf(place) },
          uses: 1,
          label: place.stack.layer,
        },
      ];
    default:
      return [{ sizes: {}, uses: 1, label: place.label }];
  }
}

/** How many blocks a stack has, where one construction makes them all. */
function depthOf({ module, stack }: Extract<Place, { kind: "block-stack" }>): number | undefined {
  const [blocks, others] = module.layers.filter(({ path }) => path.startsWith(`${stack.layer}.`));
  return others === undefined ? blocks?.count : undefined;
}

/** How many positions the kernel of a convolution sees, as expressions call it. */
export function tapsOf({
  role,
  type,
  sizes: { kernel_size: kernel },
}: Pick<Layer, "role" | "type" | "sizes">): {
  readonly taps?: number;
} {
  const dimensions = role === "conv" ? /(\d)d$/.exec(type)?.[1] : undefined;
  if (dimensions === undefined) return {};
  if (typeof kernel === "number") return { taps: kernel ** Number(dimensions) };
  return typeof kernel === "object" ? { taps: kernel.reduce((total, side) => total * side, 1) } : {};
}

function layerSizes(layer: Layer): Sizes {
  const sizes = Object.entries(layer.sizes).flatMap(([name, value]) => {
    if (typeof value === "number") return [[name, value] as const];
    // A square kernel is written as one number in `trainable` expressions.
    return typeof value === "object" && value.every((side) => side === value[0])
      ? [[name, value[0]] as const]
      : [];
  });
  return {
    groups: 1,
    ...tapsOf(layer),
    ...Object.fromEntries(sizes),
    ...(layer.role === "attention" && attentionSizes(layer)),
    bias: layer.sizes["bias"] === false ? 0 : 1,
  };
}

/** Hyperparameters as expressions see them: numbers alone. */
export function numbers(method: Method, options: Options): Record<string, number> {
  return Object.fromEntries(
    Object.entries(hyperparameters(method, options)).flatMap(([name, value]) =>
      typeof value === "string" ? [] : [[name, Number(value)] as const],
    ),
  );
}

/** Parameters that `site` trains at `place`; undefined where sizes are not known. */
export function trainableParameters(
  method: Method,
  site: MethodSite,
  place: Place,
  options: Options = {},
): number | undefined {
  const { trainable } = site;
  if (trainable === undefined) return undefined;
  // what else such a function builds is not looked for
  if ("layers" in place && place.layers.some(({ construction }) => construction?.free === true))
    return undefined;
  if (place.kind === "model-layers") {
    const layers = chosenLayers(place);
    if (layers.length === 0 || layers.some(({ uses }) => uses === undefined)) return undefined;
  }
  const chosen = numbers(method, fitted(method, site, place, options));
  const shared = site.shared === undefined ? 0 : (evaluate(site.shared, chosen) ?? 0);
  let total = 0;
  const counted = new Set<string>();
  for (const [index, { sizes, uses, label }] of sizesAt(site, place).entries()) {
    // of the constructions of one attribute the model has one
    if ("layers" in place && !label.includes("*") && counted.has(label)) continue;
    counted.add(label);
    const each = evaluate(trainable, { ...chosen, ...sizes });
    if (each === undefined) return undefined;
    total += each * uses - (index === 0 ? 0 : shared);
  }
  return total;
}

/** The branches of a place at which a site is put. */
export function branchesFor(
  site: MethodSite,
  place: Extract<Place, { kind: "block-output" | "block-input" }>,
): Extract<Place, { kind: "block-output" }>["branches"] {
  const { placements } = site;
  if (placements === undefined) return place.branches;
  return place.branches.filter((branch) => branch.role !== "other" && placements.includes(branch.role));
}
