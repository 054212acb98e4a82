/** Adapters that cannot be merged, and prefixes beside gradient checkpointing. */
import { argumentAt, argumentsOfStep, callsTo, configOf, isCall, peftModel, receiverMaker } from "../origins";
import type { Check } from "../rule";

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

export const checkpointedPrefix: Check = (context) => {
  const { values } = context;
  return callsTo(context, peftModel).flatMap((step) => {
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
    return enabled ? [{ range: step.call.name, words: { config: config.method } }] : [];
  });
};
