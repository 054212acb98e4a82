/** The layers of a whole model, and the names by which `replace_layers` can be told which to replace. */
import type { Layer, ModuleClass } from "../python/facts";
import { type LayerKind, typesOf } from "./layerKinds";
import { hasParts, partsOf } from "./parts";

/** Layers that one target names. */
export interface Target {
  /** End of their paths: `q_proj`, `mlp.0`. */
  readonly name: string;
  /** Each construction, and how often the model holds it; empty where only the name is known. */
  readonly layers: readonly { readonly layer: Layer; readonly uses?: number }[];
  /** Why these cannot be adapted. */
  readonly obstacle?: string;
}

/** The class that a layer's type stands for in the class that has the layer, where its source is at hand. */
export type Lookup = (type: string, owner: ModuleClass) => ModuleClass | undefined;

/** A layer somewhere below the model; numbers of lists are left out of its path where one construction fills the list. */
export interface Found {
  readonly path: readonly string[];
  /** The same with `*` for those numbers: `h.*.attn.c_attn`. */
  readonly key: string;
  readonly layer: Layer;
  readonly uses: number | undefined;
  /** For each `*` of the key, how many modules stand there, where those are numbered from 0. */
  readonly lengths?: readonly number[];
}

export function layersOf(
  module: ModuleClass,
  lookup: Lookup,
  prefix: readonly string[],
  times: number | undefined,
  above: readonly ModuleClass[] = [],
  around: readonly number[] | "unknown" = [],
): Found[] {
  if (above.includes(module)) return [];
  const bases = module.bases.flatMap((base) => lookup(base, module) ?? []);
  const inherited = bases.flatMap((base) =>
    layersOf(base, lookup, prefix, times, [...above, module], around),
  );
  // what is listed by its parts does not count again
  const isListed = ({ role, path }: Layer): boolean =>
    role === "module" && module.layers.some((other) => other.path.startsWith(`${path}.layers.`));
  const layers = module.layers
    .filter((layer) => !isListed(layer))
    .flatMap((layer) => partsOf(replaceable(layer, module)));
  const own = layers.flatMap((layer): Found[] => {
    const full = [...prefix, ...layer.path.split(".")];
    const named = isNamedAsBuilt(module, layer);
    const own = layer.path.split(".").flatMap((part) => (part !== "*" ? [part] : named ? [unknownName] : []));
    const path = [...prefix.filter((part) => part !== "*"), ...own];
    const each = layer.count ?? (isRepeated(layer) ? undefined : 1);
    const uses = each === undefined || times === undefined ? undefined : each * times;
    const part = lookup(layer.type, module);
    const inside = lengthsIn(module, layer);
    const lengths = around === "unknown" || inside === undefined ? "unknown" : [...around, ...inside];
    if (part === undefined || part === module)
      return [{ path, key: full.join("."), layer, uses, ...(lengths !== "unknown" && { lengths }) }];
    const below = named ? [...prefix, ...layer.path.replaceAll("*", unknownName).split(".")] : full;
    return layersOf(part, lookup, below, uses, [...above, module], lengths);
  });
  const overridden = new Set(own.map(({ path }) => path.join(".")));
  return [...inherited.filter(({ path }) => !overridden.has(path.join("."))), ...own];
}

/** Stands in a path for a name that is put together when the model is built; no target can say it. */
const unknownName = "?";

/** Whether the `*` of a layer's path is such a name, as in `self.add_module(f"conv{i}", …)`, and no number of a list. */
function isNamedAsBuilt({ layers }: ModuleClass, { form, path }: Layer): boolean {
  if (!path.includes("*")) return false;
  const list = path.slice(0, path.indexOf("*")).replace(/\.$/, "");
  const container = layers.find((layer) => layer.path === list);
  return form === "add-module" || form === "setattr" || /\.ModuleDict$/.test(container?.type ?? "");
}

/** `self.out = nn.Sequential(…)` in two branches, of which one has no such layer at this place but another one. */
function replaceable(layer: Layer, { layers }: ModuleClass): Layer {
  const { path, obstacle } = layer;
  const container = path.slice(0, Math.max(0, path.lastIndexOf(".")));
  const branches = layers.filter((each) => each.path === container && each.form === "conditional");
  const others = branches.some(
    ({ call: { range } }) =>
      !layers.some(
        (each) => each.path === path && range.from <= each.call.range.from && each.call.range.to <= range.to,
      ),
  );
  return obstacle !== undefined || !/\.\d+$/.test(path) || branches.length < 2 || !others
    ? layer
    : {
        ...layer,
        obstacle: `\`${path}\` is something else in another branch. Adapt the layer itself, where it is built.`,
      };
}

/** How many modules the list on a layer's path holds, where one construction makes all of them. */
function lengthsIn({ layers }: ModuleClass, { path }: Layer): number[] | undefined {
  if (!path.includes("*")) return [];
  const [list = "", ...further] = path.split(/\.\*(?:\.|$)/);
  const container = layers.find((layer) => layer.path === list);
  const within = layers.filter((layer) => layer.path.startsWith(`${list}.`));
  const [first] = within.filter((layer) => layer.path === `${list}.*`);
  const alone =
    within.every((layer) => layer.path.startsWith(`${list}.*`)) &&
    within.every((layer, index) => within.findIndex((other) => other.path === layer.path) === index);
  return further.length === 1 &&
    alone &&
    first?.count !== undefined &&
    /^torch\.nn\.(?:ModuleList|Sequential)$/.test(container?.type ?? "")
    ? [first.count]
    : undefined;
}

/** Whether a layer may have layers inside that `found` does not show. */
export const isOpen = ({ layer, key }: Found, found: readonly Found[]): boolean =>
  (layer.role === "module" && !isWhole(layer)) ||
  layer.role === "attention" ||
  (layer.role === "container" && !found.some((each) => each.key.startsWith(`${key}.`)));

/** What PyTorch has and builds of nothing else: `nn.MaxPool2d`, `nn.LSTM`. */
const isWhole = (layer: Layer): boolean =>
  /^torch\.nn\.(?!Module$|Transformer)\w+$/.test(layer.type) && !hasParts(layer);

/** Whether one construction may make any number of layers. */
const isRepeated = ({ form, path }: Layer): boolean =>
  path.includes("*") || ["comprehension", "append", "setattr", "conditional", "add-module"].includes(form);

/** How a target may be written. */
export const isPath = (name: string): boolean => /^[\p{L}_]\w*(?:\.\w+)*$/u.test(name);

const isNumber = (part: string): boolean => /^\d+$/.test(part);

/** Whether a target names a layer, as `replace_layers` decides it. */
function isNamed({ path }: Found, target: string): boolean {
  const short = path.filter((part) => !isNumber(part));
  return [path, short].some((parts) => `.${parts.join(".")}`.endsWith(`.${target}`));
}

/** Whether `replace_layers` leaves a layer as it is that bears the name of one to replace: `nn.ReLU` in a list. */
const isPassedBy = ({ layer: { type } }: Found, wanted: string): boolean =>
  /^torch\.nn\.(?!Lazy)\w+$/.test(type) && type !== wanted;

/** Layers of a class under the shortest names that name none but such layers; those without such a name carry the reason. */
export function targetsIn(found: readonly Found[], of: LayerKind, type: string): Target[] {
  const others = typesOf(of).filter((each) => each !== type);
  const fault = ({ layer }: Found): string | undefined =>
    (layer.obstacleTo === "construction" ? undefined : layer.obstacle) ??
    layer.weightReads?.reason ??
    (layer.tie === undefined
      ? undefined
      : `\`${layer.path}\` shares its weight with \`${layer.tie.layer}\`, so that would be frozen too. Adapt it by itself.`) ??
    (layer.type === type ? undefined : `\`${layer.path}\` is a ${layer.type}, not a ${type}.`);
  const names = new Map<string, string | undefined>();
  for (const each of found) {
    // a convolution over other dimensions has places of its own
    if (each.layer.role !== of || others.includes(each.layer.type)) continue;
    const ends = each.path
      .map((_, index) => each.path.slice(-1 - index))
      .filter(([first = ""]) => !isNumber(first));
    const writable = ends.map((parts) => parts.join(".")).filter(isPath);
    const sound = writable.find((name) =>
      found.every(
        (other) =>
          !isNamed(other, name) || fault(other) === undefined || (other !== each && isPassedBy(other, type)),
      ),
    );
    const name = sound ?? writable.at(-1);
    if (name !== undefined && !names.has(name))
      names.set(name, sound === undefined ? reason(found, name, fault) : undefined);
  }
  return [...names].map(([name, obstacle]) => ({
    name,
    layers: found
      .filter((each) => each.layer.role === of && isNamed(each, name))
      .filter((each) => obstacle !== undefined || !isPassedBy(each, type))
      .map(({ layer, uses }) => ({ layer, ...(uses === undefined ? {} : { uses }) })),
    ...(obstacle === undefined ? {} : { obstacle }),
  }));
}

const reason = (
  found: readonly Found[],
  name: string,
  fault: (each: Found) => string | undefined,
): string | undefined => found.flatMap((each) => (isNamed(each, name) ? (fault(each) ?? []) : []))[0];

/** Why choosing by names would miss what matters: the layers that repeat have names that no target can say. */
export function unnamedIn(found: readonly Found[], of: LayerKind): string | undefined {
  const layers = found.filter(({ layer }) => layer.role === of);
  const unnamed = layers.find(({ path }) => path.at(-1) === unknownName);
  const repeats = layers.some(({ key, path }) => /[*?]/.test(key) && path.at(-1) !== unknownName);
  return unnamed === undefined || repeats
    ? undefined
    : `The names of \`${unnamed.key}\` are put together when the model is built, so these layers cannot be chosen by name; adapt them where they are built.`;
}
