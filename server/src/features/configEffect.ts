/** What a PEFT configuration does to the model that it is given: which layers it adapts and how much trains there. */
import { modelParameters } from "../adapters/budget";
import { type Found, layersOf } from "../adapters/modelTargets";
import { evaluate, namesIn } from "../literature/expression";
import type { LibrarySymbol } from "../literature/catalogue";
import type { Method } from "../literature/model";
import type { Call, ModuleClass, PythonFacts, Value } from "../python/facts";
import { around, moduleOfType } from "../python/local";
import { type CallStep, valuesOf } from "../python/values/values";
import { code } from "../render/markdown";
import { count, share } from "../render/numbers";
import type { FeatureContext, OpenDocument } from "./context";
import { type CallArguments } from "./rules/callArguments";
import { argumentAt, argumentsOfStep, callsTo, makerOf, peftModel, sameModule } from "./rules/origins";
import type { RuleContext } from "./rules/rule";

export interface ConfigEffect {
  /** Name of the model's class. */
  readonly model: string;
  /** By the names that the configuration gives them, and how often the model holds such a layer. */
  readonly layers: readonly { readonly name: string; readonly uses: number }[];
  readonly trainable: number;
  /** Of all parameters of the model, where those are known. */
  readonly holds?: number;
}

/** "Here: 12 layers of `GPT` (c_attn, c_proj), 294,912 parameters (0.2 %)." */
export function effectLine(
  context: FeatureContext,
  document: OpenDocument,
  symbol: LibrarySymbol,
  call: Call,
): string | undefined {
  const effect = configEffect(context, document, symbol, call);
  if (effect === undefined) return undefined;
  const { model, layers, trainable, holds } = effect;
  const names = layers.slice(0, 4).map(({ name }) => code(name));
  const part = holds === undefined ? "" : ` (${share(trainable, holds)})`;
  return `Here: ${layersText(effect)} of ${code(model)} (${names.join(", ")}${layers.length > 4 ? ", …" : ""}), ${count(trainable)} parameters${part}.`;
}

/** "12 layers" */
export function layersText({ layers }: ConfigEffect): string {
  const uses = layers.reduce((total, each) => total + each.uses, 0);
  return `${count(uses)} ${uses === 1 ? "layer" : "layers"}`;
}

/** Undefined wherever a value, the model or one of its layers is not certain. */
export function configEffect(
  context: FeatureContext,
  document: OpenDocument,
  symbol: LibrarySymbol,
  call: Call,
): ConfigEffect | undefined {
  const method = countedMethod(context, symbol);
  // before the values are followed, which takes the whole file
  const names = call.arguments.map(({ keyword }) => keyword?.name);
  if (method === undefined || !names.includes("target_modules") || !call.closed) return undefined;

  const { facts } = document.python;
  const values = valuesOf(facts);
  const rules: RuleContext = { ...context, document, values };
  const step = values.written(call.range);
  if (step === undefined) return undefined;
  const given = argumentsOfStep(rules, step);
  const options = optionsOf(method, given);
  if (options === undefined || !hasNoOtherEffect(method, given)) return undefined;

  const model = modelFor(rules, step);
  const found = model && completeLayers(facts, model);
  const chosen = found && adapted(found, given);
  const trainable = chosen && trainableIn(method, chosen, options);
  if (model === undefined || found === undefined || chosen === undefined || trainable === undefined)
    return undefined;
  const layers = new Map<string, number>();
  for (const { name, uses } of chosen) layers.set(name, (layers.get(name) ?? 0) + uses);
  const holds = modelParameters(found);
  return {
    model: model.name,
    layers: [...layers].map(([name, uses]) => ({ name, uses })),
    trainable,
    ...(holds === undefined ? {} : { holds }),
  };
}

/** All layers of the model that a configuration is given with; undefined where one may be out of sight. */
export function configuredModel(
  context: FeatureContext,
  document: OpenDocument,
  call: Call,
): { readonly model: string; readonly found: readonly Found[] } | undefined {
  const { facts } = document.python;
  const values = valuesOf(facts);
  const step = values.written(call.range);
  const model = step && modelFor({ ...context, document, values }, step);
  const found = model && completeLayers(facts, model);
  return found && { model: model.name, found };
}

/** The linear layers of a model by the ends of their paths that name them and nothing else; undefined where there are none such. */
export function linearNames(found: readonly Found[]): string[] | undefined {
  const linear = found.filter(({ layer }) => layer.role === "linear");
  if (linear.some(({ layer }) => layer.type !== "torch.nn.Linear")) return undefined;
  const above = found.flatMap(({ key }) =>
    key.split(".").map((_, index, parts) => parts.slice(0, index).join(".")),
  );
  const isOwn = (name: string): boolean =>
    found.every((each) => {
      const is = isNamed(each.key, name);
      return is === "no" || (is === "yes" && linear.includes(each));
    }) && above.every((path) => isNamed(path, name) !== "yes");
  const ofLayers = linear.map(({ key }) => {
    const ends = key.split(".").map((_, index, parts) => parts.slice(-1 - index));
    return ends
      .filter(([first = ""]) => !/^(?:\*|\d+)$/.test(first))
      .map((parts) => parts.join("."))
      .find((name) => !name.includes("*") && isOwn(name));
  });
  const unique = [...new Set(ofLayers)].filter((name) => name !== undefined);
  return ofLayers.includes(undefined) || unique.length === 0 ? undefined : unique;
}

/** The layers that a configuration adapts in the model it is given; undefined where one may be out of sight. */
export function adaptedLayers(
  context: RuleContext,
  config: CallStep,
  given: CallArguments,
): readonly Chosen[] | undefined {
  const model = modelFor(context, config);
  const found = model && completeLayers(context.document.python.facts, model);
  return found && adapted(found, given);
}

/** The method that a configuration stands for, where it says what it trains in a linear layer. */
function countedMethod({ library }: FeatureContext, symbol: LibrarySymbol): Method | undefined {
  const { kind, library: name, fields, methods, papers } = symbol;
  const has = (field: string): boolean => fields.some((each) => each.name === field);
  // with a budget (init_r, target_r) r is not the rank that it starts with
  if (kind !== "config" || name !== "peft" || !has("target_modules") || has("init_r")) return undefined;
  const method = methods.flatMap((id) => library.method(id) ?? []).find(({ paper }) => paper === papers[0]);
  return method && costOf(method).trainable === undefined ? undefined : method;
}

/** What one linear layer costs, as an expression. */
const costOf = (method: Method): Pick<Method, "trainable" | "shared"> =>
  method.sites.find(({ kind, trainable }) => kind === "linear" && trainable !== undefined) ?? method;

/** The name that PEFT has for a hyperparameter. */
const fieldOf = (name: string, { symbol }: CallArguments): string | undefined =>
  [name, ...(name === "rank" ? ["r"] : [])].find((each) =>
    symbol?.fields.some((field) => field.name === each),
  );

type Options = Readonly<Record<string, number>>;

/** The hyperparameters that the cost depends on, as this call gives them. */
function optionsOf(method: Method, given: CallArguments): Options | undefined {
  const options: Record<string, number> = {};
  for (const name of namesIn(costOf(method).trainable ?? "")) {
    if (!method.hyperparameters.some((each) => each.name === name)) continue;
    const field = fieldOf(name, given);
    const setting = field === undefined ? undefined : given.setting(field);
    const value = setting === undefined || setting.kind === "unknown" ? undefined : setting.value;
    if (value?.kind !== "number" && value?.kind !== "boolean") return undefined;
    options[name] = Number(value.value);
  }
  return options;
}

/** Fields that change how the update is computed and started, not where it goes or how large it is. */
const withoutCost =
  /dropout|^init_\w*weights$|^(?:lora_)?alpha$|^use_rslora$|^fan_in_fan_out$|^base_model_name_or_path$|^revision$/;

/** Whether all arguments but the targets and the hyperparameters take their default, or have no part in the cost. */
function hasNoOtherEffect(method: Method, given: CallArguments): boolean {
  const counted = [...namesIn(costOf(method).trainable ?? "")].map((name) => fieldOf(name, given));
  const settled = [...counted, "target_modules", "exclude_modules"];
  return given.call.arguments.every(({ keyword, star, value: { value } }) => {
    if (keyword === undefined || star !== undefined) return false;
    const { name } = keyword;
    if (settled.includes(name)) return true;
    if (name === "task_type") return keepsHead(value);
    // EVA shares the ranks out among the layers by what it measures
    if (withoutCost.test(name)) return !(value.kind === "string" && value.value === "eva");
    const preset = given.symbol?.fields.find((field) => field.name === name)?.default;
    return preset !== undefined && presetIs(preset, value);
  });
}

/** Of a classifier PEFT trains the head as well. */
export function keepsHead(value: Value): boolean {
  const name = value.kind === "string" ? value.value : value.kind === "reference" ? value.qualified : "";
  return value.kind === "none" || /(?:^|\.)(?:CAUSAL_LM|SEQ_2_SEQ_LM|FEATURE_EXTRACTION)$/.test(name);
}

export function presetIs(preset: string, value: Value): boolean {
  const bare = preset.replace(/^(["'])(.*)\1$/, "$2");
  switch (value.kind) {
    case "none":
      return bare === "None";
    case "boolean":
      return bare === (value.value ? "True" : "False");
    case "string":
      return bare === value.value && bare !== preset;
    case "number":
      return Number(bare) === value.value;
    default:
      return false;
  }
}

/** The class of the model that a configuration is given with, where that is one. */
function modelFor(context: RuleContext, config: CallStep): ModuleClass | undefined {
  const { facts } = context.document.python;
  const wrapping = new Set(callsTo(context, peftModel));
  const classes = context.values.calls.flatMap((step): (ModuleClass | undefined)[] => {
    const wraps = wrapping.has(step);
    if (!wraps && !step.keywords.includes("peft_config")) return [];
    const argument = argumentAt(step, wraps ? 1 : 99, "peft_config");
    if (argument === undefined || makerOf(context, argument.value, step) !== config) return [];
    const isTrainer = /^trl\.\w+(?:\.\w+)*Trainer$/.test(step.qualified ?? "");
    const model = wraps || isTrainer ? argumentAt(step, 0, "model") : undefined;
    const made = model && makerOf(context, model.value, step);
    const type = made?.qualified;
    if (
      made === undefined ||
      type === undefined ||
      !isUntouched(context, model?.value.text ?? "", made, step)
    )
      return [undefined];
    return [moduleOfType(facts, type)];
  });
  const [only] = classes;
  return classes.every((each) => each === only) ? only : undefined;
}

/** Methods that leave the layers of a module what they are. */
const keepsLayers = new RegExp(
  `${sameModule.source}|^(?:load_state_dict|state_dict|(?:named_)?(?:parameters|modules|buffers)|zero_grad)$`,
);

/** Whether nothing between two calls can have replaced layers of the model: no function gets it, no part is assigned. */
function isUntouched({ values }: RuleContext, name: string, made: CallStep, used: CallStep): boolean {
  // what the function that made it did with it is not looked at
  if (made.body !== used.body) return false;
  return values.calls
    .filter(({ order, body }) => body === used.body && made.order < order && order < used.order)
    .every(({ call, receiver, method }) => {
      if (receiver === name) return keepsLayers.test(method);
      if (receiver?.startsWith(`${name}.`) === true) return false;
      if (call.assignedTo?.startsWith(`${name}.`) === true) return false;
      return !call.arguments.some(({ value }) => value.text === name);
    });
}

/** All layers of a model; undefined where some of them may be out of sight. */
function completeLayers(facts: PythonFacts, model: ModuleClass): readonly Found[] | undefined {
  const seen = new Set<ModuleClass>();
  const lookup = (type: string, owner: ModuleClass): ModuleClass | undefined => {
    seen.add(owner);
    return moduleOfType(facts, type, owner);
  };
  seen.add(model);
  const found = layersOf(model, lookup, [], 1);
  const readable = [...seen].every(
    (module) =>
      module.bases.every((base) => base === "torch.nn.Module" || lookup(base, module) !== undefined) &&
      !takesFromHelper(facts, module),
  );
  const complete = found.every(({ key, layer }) => {
    if (layer.role === "attention") return false;
    if (layer.role === "container") return found.some((each) => each.key.startsWith(`${key}.`));
    return layer.role !== "module" || /^torch\.nn\.(?!Transformer)\w+$/.test(layer.type);
  });
  return readable && complete ? found : undefined;
}

/** Whether an attribute that is not known as a layer comes from a function, which may make one: `self.h = make_blocks()`. */
const takesFromHelper = (facts: PythonFacts, module: ModuleClass): boolean =>
  facts.modules.includes(module) &&
  around(facts, "calls", module.range.from, module.range.to).some(({ range, assignedTo, qualified = "" }) => {
    const attribute = /^self\.(\w+)$/.exec(assignedTo ?? "")?.[1];
    if (attribute === undefined || range.from < module.range.from || range.to > module.range.to) return false;
    if (module.layers.some(({ path }) => path.split(".")[0] === attribute)) return false;
    return (
      /(?:^|\.)[a-z]\w*$/.test(qualified) &&
      !/^(?:torch|math|numpy|copy)\./.test(qualified) &&
      (qualified.includes(".") || facts.functions.some(({ name }) => name === qualified))
    );
  });

interface Chosen {
  readonly name: string;
  readonly layer: Found["layer"];
  readonly uses: number;
}

/** The layers that `target_modules` names less those of `exclude_modules`. */
function adapted(found: readonly Found[], given: CallArguments): Chosen[] | undefined {
  const targets = given.setting("target_modules");
  const excluded = given.setting("exclude_modules");
  if (targets.kind !== "given" || excluded.kind === "unknown") return undefined;
  const without = excluded.value === undefined || excluded.value.kind === "none" ? [] : names(excluded.value);
  if (without === undefined) return undefined;
  const linear = found.filter(({ layer }) => layer.role === "linear");
  const all = targets.value.kind === "string" && targets.value.value.toLowerCase() === "all-linear";
  const wanted = all ? linear.map(({ key }) => lastName(key)) : names(targets.value);
  if (wanted === undefined || wanted.length === 0) return undefined;

  const chosen: Chosen[] = [];
  for (const { key, layer, uses } of all ? linear : found) {
    const named = [...new Set(wanted)].map((name) => ({ name, is: isNamed(key, name) }));
    const left = without.map((name) => isNamed(key, name));
    if (left.includes("maybe")) return undefined;
    const by = all ? lastName(key) : named.find(({ is }) => is === "yes")?.name;
    if (by === undefined && named.some(({ is }) => is === "maybe")) return undefined;
    if (by === undefined || left.includes("yes")) continue;
    if (layer.type !== "torch.nn.Linear" || uses === undefined) return undefined;
    chosen.push({ name: by, layer, uses });
  }
  // a name of no layer may be one of a module, which PEFT refuses
  const used = new Set(chosen.map(({ name }) => name));
  const isWhole = (name: string): boolean =>
    found.some(({ key }) => key.split(".").slice(0, -1).includes(lastName(name)));
  return all || wanted.every((name) => used.has(name) && !isWhole(name)) ? chosen : undefined;
}

const lastName = (key: string): string =>
  key.split(".").findLast((part) => !/^(?:\*|\d+)$/.test(part)) ?? key;

function names(value: Value): string[] | undefined {
  if (value.kind !== "list") return undefined;
  const texts = value.items.flatMap((item) => (item.kind === "string" ? [item.value] : []));
  return texts.length === value.items.length ? texts : undefined;
}

/** Whether the path ends with the name: `*` in a path stands for a number, or for a key that is not known. */
export function isNamed(key: string, name: string): "yes" | "no" | "maybe" {
  const parts = key.split(".");
  const wanted = name.split(".");
  if (wanted.length > parts.length) return "no";
  const pairs = wanted.map(
    (each, index) => [each, parts[parts.length - wanted.length + index] ?? ""] as const,
  );
  if (pairs.every(([each, part]) => each === part)) return "yes";
  return pairs.every(([each, part]) => each === part || part === "*") ? "maybe" : "no";
}

function trainableIn(method: Method, chosen: readonly Chosen[], options: Options): number | undefined {
  const { trainable = "", shared } = costOf(method);
  let total = 0;
  let all = 0;
  for (const { layer, uses } of chosen) {
    const sizes = Object.entries(layer.sizes).flatMap(([name, size]) =>
      typeof size === "number" ? [[name, size] as const] : [],
    );
    const bias = layer.sizes["bias"] === false ? 0 : 1;
    const each = evaluate(trainable, { ...options, ...Object.fromEntries(sizes), bias });
    if (each === undefined || each <= 0) return undefined;
    total += each * uses;
    all += uses;
  }
  const once = shared === undefined ? 0 : evaluate(shared, options);
  return once === undefined || all === 0 ? undefined : total - once * (all - 1);
}
