/** What a configuration of PEFT trains besides its adapters: modules whole, and biases. */
import { modelParameters } from "../../adapters/budget";
import type { Layer } from "../../python/facts";
import type { CallArguments } from "../rules/callArguments";
import { biasUnknown, type Chosen } from "./chosen";
import type { Instance } from "./instances";
import { namesIn, pathsTo } from "./paths";

export interface Besides {
  /** In words: "`head` whole". */
  readonly what: string;
  readonly trainable: number;
}

/** Undefined where it is not certain. */
export function besides(
  instances: readonly Instance[],
  chosen: readonly Chosen[],
  given: CallArguments,
): Besides[] | undefined {
  const saved = savedModules(instances, given);
  const biases = saved && trainedBiases(instances, chosen, given, saved.paths);
  if (saved === undefined || biases === undefined) return undefined;
  return [...saved.modules, ...biases];
}

/** `modules_to_save`: PEFT trains a copy of each module whose path ends so, a name within a name included. */
function savedModules(
  instances: readonly Instance[],
  given: CallArguments,
): { readonly modules: readonly Besides[]; readonly paths: readonly string[] } | undefined {
  const setting = given.setting("modules_to_save");
  if (setting.kind === "unknown") return undefined;
  if (setting.kind === "default" || setting.value.kind === "none") return { modules: [], paths: [] };
  const names = namesIn(setting.value);
  if (names === undefined) return undefined;
  const all = new Set(instances.flatMap(({ key }) => pathsTo(key)));
  const paths: string[] = [];
  const modules: Besides[] = [];
  for (const name of names) {
    const own = [...all].filter((path) => path.endsWith(name));
    const within = instances.filter(({ key }) => pathsTo(key).some((path) => own.includes(path)));
    const trainable = parametersOf(within);
    const nested = own.some((path) => [...own, ...paths].some((other) => path.startsWith(`${other}.`)));
    if (own.length === 0 || nested || trainable === undefined || trainable === 0) return undefined;
    paths.push(...own);
    modules.push({ what: `\`${name}\` whole`, trainable });
  }
  const unclear = [...all].some((path) => path.endsWith("*")) && names.length > 0;
  return unclear || new Set(paths).size < paths.length ? undefined : { modules, paths };
}

function parametersOf(instances: readonly Instance[]): number | undefined {
  const unsure = instances.some(({ layer }) => layer.obstacle !== undefined || biasUnknown(layer));
  return unsure ? undefined : modelParameters(instances);
}

/** `bias="all"` trains those of the whole model, `bias="lora_only"` those of adapted layers. */
function trainedBiases(
  instances: readonly Instance[],
  chosen: readonly Chosen[],
  given: CallArguments,
  saved: readonly string[],
): Besides[] | undefined {
  const setting = given.setting("bias");
  if (setting.kind === "unknown") return undefined;
  const { value } = setting;
  if (value === undefined || value.kind === "none") return [];
  if (value.kind !== "string") return undefined;
  if (value.value === "none") return [];
  const all = value.value === "all";
  if (!all && !/^\w+_only$/.test(value.value)) return undefined;
  const isSaved = (key: string): boolean => pathsTo(key).some((path) => saved.includes(path));
  let trainable = 0;
  for (const { key, layer, uses } of all ? instances.filter((each) => !isSaved(each.key)) : chosen) {
    const each = biasesOf(layer);
    if (each === undefined || uses === undefined || key === "") return undefined;
    trainable += each * uses;
  }
  const what = all ? "all biases" : "their biases";
  return trainable === 0 ? [] : [{ what, trainable }];
}

/** How many biases a layer has; undefined where that is not known. */
function biasesOf(layer: Layer): number | undefined {
  const { role, type, sizes } = layer;
  const size = (name: string): number | undefined => {
    const value = sizes[name];
    if (typeof value === "object") return value.reduce((total, side) => total * side, 1);
    return typeof value === "number" ? value : undefined;
  };
  const has = sizes["bias"] !== false && sizes["affine"] !== false && sizes["elementwise_affine"] !== false;
  switch (role) {
    case "linear":
      return biasUnknown(layer) ? undefined : has ? (size("out_features") ?? size("nf")) : 0;
    case "conv":
      return biasUnknown(layer) ? undefined : has ? size("out_channels") : 0;
    case "norm": {
      if (/RMSNorm$/.test(type)) return 0;
      if (!/^torch\.nn\.(?:LayerNorm|BatchNorm\dd|GroupNorm)$/.test(type) || biasUnknown(layer))
        return undefined;
      return has ? (size("normalized_shape") ?? size("num_features") ?? size("num_channels")) : 0;
    }
    case "embedding":
    case "dropout":
    case "activation":
    case "container":
      return 0;
    default:
      return undefined;
  }
}
