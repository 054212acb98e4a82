/** Adapters that cannot be merged, and prefixes beside gradient checkpointing. */
import type { CallStep } from "../../../python/values/values";
import {
  callsTo,
  argumentAt,
  argumentsOfStep,
  baseOf,
  configOf,
  isCall,
  makerOf,
  peftModel,
  receiverMaker,
} from "../origins";
import type { Check, RuleContext } from "../rule";
import { loadedBits } from "./mergedQuantised";

const merging = new Set(["merge_and_unload", "merge_adapter"]);

export const unmergeable: Check = (context) =>
  context.values.calls
    .filter(({ method }) => merging.has(method))
    .flatMap((step) => {
      const config = configOf(context, receiverMaker(context, step));
      if (config === undefined) return [];
      const tokens = argumentsOfStep(context, config).setting("alora_invocation_tokens");
      const activated = tokens.kind === "given" && tokens.value.kind === "list";
      const lily = isCall(context, config, "peft.LilyConfig");
      if (!activated && !lily) return [];
      return [
        { range: step.call.name, words: { method: lily ? "Lily" : "Activated LoRA", call: step.method } },
      ];
    });

/** `prepare_model_for_kbit_training` turns checkpointing on where the base is quantised. */
function preparedToCheckpoint(context: RuleContext, step: CallStep): boolean {
  const model = argumentAt(step, 0, "model");
  const prepared = model && makerOf(context, model.value, step);
  if (prepared === undefined || !isCall(context, prepared, "peft.prepare_model_for_kbit_training"))
    return false;
  const checkpointing = argumentAt(prepared, 1, "use_gradient_checkpointing")?.value.value;
  const on = checkpointing === undefined || (checkpointing.kind === "boolean" && checkpointing.value);
  return on && loadedBits(context, baseOf(context, step)) !== undefined;
}

export const checkpointedPrefix: Check = (context) => {
  const { values } = context;
  return callsTo(context, ...peftModel).flatMap((step) => {
    const config = configOf(context, step);
    const model = argumentAt(step, 0, "model")?.value.text;
    if (config === undefined || !isCall(context, config, "peft.PrefixTuningConfig", "peft.CartridgeConfig"))
      return [];
    const enabled = values.calls.some(
      (each) =>
        each.method === "gradient_checkpointing_enable" &&
        each.receiver === model &&
        values.surelyBefore(each, step) &&
        values.unchanged(model ?? "", each, step),
    );
    return enabled || preparedToCheckpoint(context, step)
      ? [{ range: step.call.name, words: { config: config.method } }]
      : [];
  });
};
