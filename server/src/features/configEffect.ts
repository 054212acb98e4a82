/** What a PEFT configuration does to the model that it is given: which layers it adapts and how much trains there. */
import { modelParameters } from "../adapters/budget";
import type { Found } from "../adapters/modelTargets";
import type { LibrarySymbol } from "../literature/catalogue";
import type { Call } from "../python/facts";
import { type CallStep, valuesOf } from "../python/values/values";
import { code } from "../render/markdown";
import { count, share } from "../render/numbers";
import type { FeatureContext, OpenDocument } from "./context";
import { besides, type Besides } from "./effect/besides";
import { chosenLayers, type Chosen } from "./effect/chosen";
import { type Costs, costsOf } from "./effect/cost";
import { familyLine } from "./effect/familyLine";
import { instancesOf } from "./effect/instances";
import { modelOf } from "./effect/model";
import { keepsHead, presetIs } from "./effect/presets";
import type { CallArguments } from "./rules/callArguments";
import { argumentsOfStep } from "./rules/origins";
import type { RuleContext } from "./rules/rule";
import { unpackedInto } from "./rules/unpacked";

export interface ConfigEffect {
  /** Name of the model's class. */
  readonly model: string;
  /** By the names that the configuration gives them, how often the model holds such a layer and what trains there. */
  readonly layers: readonly { readonly name: string; readonly uses: number; readonly trainable: number }[];
  /** What trains as well: modules whole, biases. */
  readonly besides: readonly Besides[];
  /** All that trains. */
  readonly trainable: number;
  /** Of all parameters of the model, where those are known. */
  readonly holds?: number;
}

/** Arguments that say which layers are adapted, and what trains besides. */
const places = /^(?:(?:target|exclude)_modules|modules_to_save|layers_to_transform|layers_pattern|bias)$/;

/** Whether an argument has a part in how much trains. */
export const affectsSize = (name: string): boolean =>
  places.test(name) ||
  /^(?:r|init_r|decompose_factor|boft_n_butterfly_factor|num_vectors|vector_length|use_dora|rank_pattern|feedforward_modules|variant|\w*block_size|n_frequency)$/.test(
    name,
  );

/** "12 layers of `GPT` (c_attn, c_proj), 294,912 parameters (0.2 %)." */
export function effectLine(
  context: FeatureContext,
  document: OpenDocument,
  symbol: LibrarySymbol,
  call: Call,
): string | undefined {
  const effect = configEffect(context, document, symbol, call);
  if (effect === undefined) return familyLine(context, document, call);
  const { model, layers, besides: further, trainable, holds } = effect;
  const names = layers.slice(0, 4).map(({ name }) => code(name));
  const part = holds === undefined ? "" : ` (${share(trainable, holds)})`;
  const adapted = layers.reduce((total, each) => total + each.trainable, 0);
  const whole =
    further.length === 0
      ? part
      : `; with ${further.map(({ what }) => what).join(" and ")} ${count(trainable)}${part}`;
  return `${layersText(effect)} of ${code(model)} (${names.join(", ")}${layers.length > 4 ? ", …" : ""}), ${count(adapted)} parameters${whole}.`;
}

/** "12 layers" */
export function layersText({ layers }: Pick<ConfigEffect, "layers">): string {
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
  // before the values are followed, which takes the whole file
  const mayHold = call.arguments.some(
    ({ keyword, star }) => keyword?.name === "target_modules" || star === "**",
  );
  if (symbol.kind !== "config" || !mayHold || !call.closed) return undefined;

  const values = valuesOf(document.python.facts);
  const rules: RuleContext = { ...context, document, values };
  const step = values.written(call.range);
  if (step === undefined) return undefined;
  const given = argumentsOfStep(rules, step);
  const costs = costsOf(context, symbol, given);
  if (costs === undefined || !hasNoOtherEffect(rules, costs, given)) return undefined;
  const model = modelOf(rules, step);
  return model && effectOn(model.model, model.found, costs, given);
}

function effectOn(
  model: string,
  found: readonly Found[],
  costs: Costs,
  given: CallArguments,
): ConfigEffect | undefined {
  const instances = instancesOf(found);
  const chosen = chosenLayers(instances, given);
  const further = chosen && besides(instances, chosen, given);
  const layers = chosen && costOfEach(chosen, costs);
  if (layers === undefined || further === undefined) return undefined;
  const holds = modelParameters(found);
  const trainable = [...layers, ...further].reduce((total, each) => total + each.trainable, 0);
  return { model, layers, besides: further, trainable, ...(holds === undefined ? {} : { holds }) };
}

/** What trains in the chosen layers, by name; what they share counts in the first. */
function costOfEach(chosen: readonly Chosen[], costs: Costs): ConfigEffect["layers"] | undefined {
  const layers = new Map<string, { name: string; uses: number; trainable: number }>();
  let first = true;
  for (const { name, key, layer, uses } of chosen) {
    const each = costs.of(layer, key);
    if (each === undefined || uses === undefined) return undefined;
    const known = layers.get(name) ?? { name, uses: 0, trainable: 0 };
    known.uses += uses;
    known.trainable += (each - costs.shared) * uses + (first ? costs.shared : 0);
    first = false;
    layers.set(name, known);
  }
  return [...layers.values()];
}

/** The layers that a configuration adapts in the model it is given; undefined where one may be out of sight. */
export function adaptedLayers(
  context: RuleContext,
  config: CallStep,
  given: CallArguments,
): readonly Chosen[] | undefined {
  const model = modelOf(context, config);
  return model && chosenLayers(instancesOf(model.found), given);
}

/** Fields that change how the update is computed and started, not where it goes or how large it is. */
const withoutCost =
  /dropout|^init_\w*weights$|^(?:lora_)?alpha$|^alpha_pattern$|^use_rslora$|^fan_in_fan_out$|^base_model_name_or_path$|^revision$|^(?:corda|lora_ga|loftq)_config$|^(?:use|num)_cayley_neumann|^(?:target_r|tinit|tfinal|deltaT|beta[12]|orth_reg_weight|total_step)$|^(?:oft_)?(?:coft|eps)$|^random_loc_seed$|^group_size$|^scaling$|^d_initial$|^delora_lambda$/;

/** Whether all arguments but those that are counted take their default, or have no part in the cost. */
function hasNoOtherEffect({ library, values }: RuleContext, costs: Costs, given: CallArguments): boolean {
  const { symbol, call } = given;
  const unpacked = unpackedInto(call, values);
  if (unpacked === undefined) return false;
  const forms = library
    .conversions()
    .flatMap(({ forms: each }) => each)
    .filter(({ config }) => config === symbol?.name)
    .flatMap(({ set = {} }) => Object.keys(set));
  const settled = new Set([...costs.arguments, ...forms]);
  const written = call.arguments.filter(({ star }) => star === undefined);
  return [...written, ...unpacked.values()].every(({ keyword, value: { value } }) => {
    if (keyword === undefined) return false;
    const { name } = keyword;
    // EVA shares the ranks out among the layers by what it measures
    if (value.kind === "string" && value.value === "eva") return false;
    if (places.test(name) || settled.has(name)) return true;
    if (name === "task_type") return keepsHead(value);
    if (withoutCost.test(name)) return true;
    const preset = symbol?.fields.find((field) => field.name === name)?.default;
    return preset !== undefined && presetIs(preset, value);
  });
}
