/** What the method of a configuration trains in one layer of each kind. */
import { tapsOf } from "../../adapters/budget";
import { evaluate, namesIn } from "../../literature/expression";
import type { LibrarySymbol } from "../../literature/catalogue";
import type { Method } from "../../literature/model";
import type { Layer } from "../../python/facts";
import { stateOf } from "../configs/form";
import type { FeatureContext } from "../context";
import type { CallArguments, Setting } from "../rules/callArguments";
import { any, isNamed, matches, namesIn as listed } from "./paths";

type Kind = "linear" | "conv" | "embedding";

/** A size that expressions name for layers of one kind alone. */
const sizeOf = { linear: "in_features", conv: "in_channels", embedding: "num_embeddings" } as const;

/** The layers that PEFT adapts as such, where their sizes are those of the expressions. */
const typeOf = {
  linear: /^(?:torch\.nn\.Linear|transformers\.(?:pytorch_utils\.)?Conv1D)$/,
  conv: /^torch\.nn\.Conv[123]d$/,
  embedding: /^torch\.nn\.Embedding$/,
} as const;

const isKind = (role: string): role is Kind => role in sizeOf;

/** An expression for what is trained, and for the part of it that all layers share. */
interface Cost {
  readonly trainable: string;
  readonly shared?: string;
  /** Where PEFT would compute something else, or not at all. */
  readonly requires: readonly string[];
  readonly method: Method;
}

export interface Costs {
  /** What one layer at a path trains; undefined where that is not certain. */
  readonly of: (layer: Layer, key: string) => number | undefined;
  /** What is counted once for the whole model and stands in the cost of every layer. */
  readonly shared: number;
  /** The arguments that these figures follow from. */
  readonly arguments: readonly string[];
}

/** Undefined where the method, or one of its hyperparameters, is not certain. */
export function costsOf(
  context: FeatureContext,
  symbol: LibrarySymbol,
  given: CallArguments,
): Costs | undefined {
  const method = methodOf(context, symbol, given);
  const linear = method && costOf(context, method, "linear");
  if (linear === undefined) return undefined;
  const settled = new Set<string>();
  const renamed = renamedBy(context, symbol);
  const costs = new Map<Kind, Cost | undefined>([["linear", linear]]);
  const options = optionsOf(linear, given, settled, renamed);
  for (const kind of ["conv", "embedding"] as const) {
    const cost = costOf(context, linear.method, kind);
    costs.set(kind, cost);
    // what only such layers depend on is understood too
    if (cost !== undefined) optionsOf(cost, given, settled, renamed);
  }
  const shared = linear.shared === undefined ? 0 : options && evaluate(linear.shared, options);
  if (options === undefined || shared === undefined) return undefined;
  const of = (layer: Layer, key: string): number | undefined => {
    const { role, type } = layer;
    if (!isKind(role) || !typeOf[role].test(type)) return undefined;
    if (role === "conv" && !isConvOf(symbol, layer)) return undefined;
    const cost = costs.get(role);
    const values = cost && optionsOf(cost, given, settled, renamed, key);
    if (cost === undefined || values === undefined) return undefined;
    const known = { ...values, ...sizesOf(layer) };
    const isSettled = (requirement: string): boolean =>
      [...namesIn(requirement)].some((name) => name !== "rank" && name in values);
    if (cost.requires.some((each) => isSettled(each) && evaluate(each, known) === 0)) return undefined;
    const trained = evaluate(cost.trainable, known);
    return trained === undefined || trained <= 0 ? undefined : Math.round(trained);
  };
  return { of, shared, arguments: [...settled, ...patternsOf(symbol)] };
}

/** Whether PEFT adapts such a convolution as ours does: the first of LoRA's two has no groups there. */
const isConvOf = ({ adapts = [] }: LibrarySymbol, { type, sizes, arguments: given }: Layer): boolean =>
  adapts.includes(type.replace(/.*\./, "")) && (given["groups"] === undefined || sizes["groups"] === 1);

/** The method that a configuration stands for, in the form that its arguments make it: DoRA with use_dora=True. */
function methodOf(context: FeatureContext, symbol: LibrarySymbol, given: CallArguments): Method | undefined {
  const { library } = context;
  const { kind, library: name, fields, methods, papers } = symbol;
  const has = (field: string): boolean => fields.some((each) => each.name === field);
  if (kind !== "config" || name !== "peft" || !has("target_modules")) return undefined;
  const plain = methods.flatMap((id) => library.method(id) ?? []).find(({ paper }) => paper === papers[0]);
  const cost = plain && costOf(context, plain, "linear");
  if (cost === undefined) return undefined;
  const forms = library
    .conversions()
    .flatMap((table) => (table.library === name ? table.forms : []))
    .filter(({ config, set }) => config === symbol.name && set !== undefined);
  let found = plain;
  for (const form of forms) {
    const other = library.methodsOf(form.paper).find(({ paper }) => paper === form.paper);
    const otherwise = other && costOf(context, other, "linear");
    if (other === undefined || otherwise?.trainable === cost.trainable) continue;
    const state = stateOf(form, given);
    if (state === "off") continue;
    if (state === "unknown" || otherwise === undefined || found !== plain) return undefined;
    found = other;
  }
  return found;
}

/** What the configuration calls hyperparameters of a method: block_size is oft_block_size. */
const renamedBy = ({ library }: FeatureContext, { name }: LibrarySymbol): ReadonlyMap<string, string> =>
  new Map(
    library
      .conversions()
      .flatMap(({ forms }) => forms)
      .filter(({ config }) => config === name)
      .flatMap(({ inserted }) => Object.entries(inserted?.arguments ?? {}))
      .map(([argument, hyperparameter]) => [hyperparameter, argument] as const),
  );

/** Of a method, or of another of its paper: LoRA for embeddings has a description of its own. */
function costOf({ library }: FeatureContext, method: Method, kind: Kind): Cost | undefined {
  const own = costIn(method, kind);
  if (own !== undefined || kind === "linear") return own;
  const others = library.methodsOf(method.paper).flatMap((each) => costIn(each, kind) ?? []);
  return others.length === 1 ? others[0] : undefined;
}

function costIn(method: Method, kind: Kind): Cost | undefined {
  const site = method.sites.find((each) => each.kind === kind && each.trainable !== undefined) ?? method;
  const { trainable, shared } = site;
  if (trainable === undefined) return undefined;
  if (site === method && !isOf(kind, trainable)) return undefined;
  const requires = "requires" in site ? (site.requires ?? []) : [];
  return { trainable, requires, method, ...(shared === undefined ? {} : { shared }) };
}

/** What a method without a place describes is of linear layers, if it does not name the sizes of others. */
function isOf(kind: Kind, trainable: string): boolean {
  const names = namesIn(trainable);
  return kind === "linear"
    ? !names.has(sizeOf.conv) && !names.has(sizeOf.embedding)
    : names.has(sizeOf[kind]);
}

/** The hyperparameters that a cost depends on, as the call gives them for the layer at a path. */
function optionsOf(
  { trainable, method }: Cost,
  given: CallArguments,
  settled: Set<string>,
  renamed: ReadonlyMap<string, string>,
  key?: string,
): Record<string, number> | undefined {
  const options: Record<string, number> = {};
  for (const name of namesIn(trainable)) {
    if (!method.hyperparameters.some((each) => each.name === name)) continue;
    const field = fieldOf(name, given, renamed);
    if (field === undefined) return undefined;
    settled.add(field.name);
    const value =
      field.layers === true
        ? namedIn(field.name, given, key)
        : (numberAt(field.name, given, key) ?? numberIn(given.setting(field.name), method, name));
    if (value === undefined) return undefined;
    options[name] = value;
  }
  return options;
}

/** The argument of PEFT that holds a hyperparameter; `layers`: a list of the layers of which it is true. */
function fieldOf(
  name: string,
  { symbol }: CallArguments,
  renamed: ReadonlyMap<string, string>,
): { readonly name: string; readonly layers?: true } | undefined {
  const has = (each: string): boolean => symbol?.fields.some((field) => field.name === each) === true;
  if (has(name)) return { name };
  const other = renamed.get(name);
  if (other !== undefined) return { name: other };
  // with a budget (init_r, target_r) r is not the rank that it starts with
  if (name === "rank" && has("init_r")) return { name: "init_r" };
  if (name === "rank" && has("r")) return { name: "r" };
  return name === "scale_input" && has("feedforward_modules")
    ? { name: "feedforward_modules", layers: true }
    : undefined;
}

/** A number for the layer at a path: what a pattern says, else what holds for all. */
function numberAt(name: string, given: CallArguments, key: string | undefined): number | undefined {
  const setting = given.setting(name);
  const value = setting.kind === "unknown" ? undefined : setting.value;
  if (value?.kind !== "number" && value?.kind !== "boolean") return undefined;
  const pattern = key === undefined ? undefined : given.setting(patternOf(name));
  if (key === undefined || pattern?.kind !== "given" || pattern.value.kind === "none")
    return Number(value.value);
  if (pattern.value.kind !== "dict") return undefined;
  for (const [at, entry] of pattern.value.entries) {
    if (at.kind !== "string" || entry.kind !== "number") return undefined;
    // a plain name is compared as such: its path may hold a number that is not known
    const is = /^\w+(?:\.\w+)*$/.test(at.value) ? isNamed(key, at.value) : matches(at.value, key, "end");
    if (is === "maybe") return undefined;
    if (is === "yes") return entry.value;
  }
  return Number(value.value);
}

/** The number of "road_2", where the method has that among the values of its hyperparameter. */
function numberIn(setting: Setting, { hyperparameters }: Method, name: string): number | undefined {
  const value = setting.kind === "unknown" ? undefined : setting.value;
  const number = value?.kind === "string" ? /^[a-z]+_(\d+)$/.exec(value.value)?.[1] : undefined;
  const choices = hyperparameters.find((each) => each.name === name)?.choices ?? [];
  return choices.map(Number).find((each) => each === Number(number));
}

const patternOf = (name: string): string => (name === "r" ? "rank_pattern" : `${name}_pattern`);

const patternsOf = ({ fields }: LibrarySymbol): string[] =>
  fields.map(({ name }) => name).filter((name) => /^\w+_pattern$/.test(name) && name !== "layers_pattern");

/** Whether an argument names the layer: 1 or 0. */
function namedIn(name: string, given: CallArguments, key: string | undefined): number | undefined {
  if (key === undefined) return 0;
  const setting = given.setting(name);
  const names = setting.kind === "given" ? listed(setting.value) : undefined;
  // PEFT compares the ends of paths as text: "proj" would name c_proj too
  const is = names && any(names.map((each) => isNamed(key, each)));
  if (is === "no" && names?.some((each) => key.endsWith(each)) === true) return undefined;
  return is === undefined || is === "maybe" ? undefined : Number(is === "yes");
}

/** Sizes as expressions name them: numbers alone, one for the sides of a square kernel. */
function sizesOf(layer: Layer): Record<string, number> {
  const { sizes, type } = layer;
  const numbers = Object.entries(sizes).flatMap(([name, size]) => {
    if (typeof size === "number") return [[name, size] as const];
    return typeof size === "object" && size.every((side) => side === size[0])
      ? [[name, size[0] ?? 0] as const]
      : [];
  });
  const known = Object.fromEntries(numbers);
  const { nf, nx } = known;
  const isUnknown = (name: string): boolean =>
    layer.arguments[name] !== undefined && sizes[name] === undefined;
  return {
    ...(isUnknown("groups") ? {} : { groups: 1 }),
    ...tapsOf(layer),
    ...known,
    ...(type.endsWith("Conv1D") && nf !== undefined && nx !== undefined
      ? { in_features: nx, out_features: nf }
      : {}),
    ...(isUnknown("bias") ? {} : { bias: sizes["bias"] === false ? 0 : 1 }),
  };
}
