/** An adapter merged into a base that was loaded in four or eight bits. */
import type { CallStep } from "../../../python/values";
import { argumentAt, isCall, makerOf, peftModel, receiverMaker } from "../origins";
import type { Check, RuleContext } from "../rule";

export const mergedQuantised: Check = (context) =>
  context.values.calls
    .filter(({ method }) => method === "merge_and_unload" || method === "merge_adapter")
    .flatMap((step) => {
      const wrapped = receiverMaker(context, step);
      if (!isCall(context, wrapped, peftModel, "peft.PeftModel.from_pretrained")) return [];
      const base = wrapped && argumentAt(wrapped, 0, "model");
      const bits = base && loadedBits(context, baseOf(context, makerOf(context, base.value, wrapped)));
      return bits === undefined ? [] : [{ range: step.call.name, words: { bits } }];
    });

/** What `prepare_model_for_kbit_training` was given, else the call itself. */
function baseOf(context: RuleContext, made: CallStep | undefined): CallStep | undefined {
  if (made === undefined || !isCall(context, made, "peft.prepare_model_for_kbit_training")) return made;
  const model = argumentAt(made, 0, "model");
  return model && makerOf(context, model.value, made);
}

function loadedBits(context: RuleContext, made: CallStep | undefined): string | undefined {
  if (made?.method !== "from_pretrained") return undefined;
  const config = argumentAt(made, 99, "quantization_config");
  const source = config === undefined ? made : makerOf(context, config.value, made);
  if (config !== undefined && source?.method !== "BitsAndBytesConfig") return undefined;
  const on = (name: string): boolean => {
    const value = source && argumentAt(source, 99, name)?.value.value;
    return value?.kind === "boolean" && value.value;
  };
  return on("load_in_4bit") ? "4" : on("load_in_8bit") ? "8" : undefined;
}
