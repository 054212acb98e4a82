/** An adapter merged into a base that was loaded in four or eight bits. */
import type { CallStep } from "../../../python/values/values";
import { argumentAt, argumentsOfStep, baseOf, isAdapted, makerOf, receiverMaker } from "../origins";
import type { Check, RuleContext } from "../rule";

export const mergedQuantised: Check = (context) =>
  context.values.calls
    .filter(({ method }) => method === "merge_and_unload" || method === "merge_adapter")
    .flatMap((step) => {
      const wrapped = receiverMaker(context, step);
      const bits =
        wrapped && isAdapted(context, wrapped) ? loadedBits(context, baseOf(context, wrapped)) : undefined;
      return bits === undefined ? [] : [{ range: step.call.name, words: { bits } }];
    });

/** In how few bits a call of `from_pretrained` surely loads the weights. */
export function loadedBits(context: RuleContext, made: CallStep | undefined): string | undefined {
  if (made?.method !== "from_pretrained") return undefined;
  const config = argumentAt(made, 99, "quantization_config");
  const dict = config?.value.value.kind === "dict";
  const source = config === undefined || dict ? made : makerOf(context, config.value, made);
  if (source === undefined || (source !== made && source.method !== "BitsAndBytesConfig")) return undefined;
  const found = argumentsOfStep(context, source);
  const on = (name: string): boolean => {
    const setting = found.setting(dict ? `quantization_config.${name}` : name);
    return setting.kind === "given" && setting.value.kind === "boolean" && setting.value.value;
  };
  return on("load_in_4bit") ? "4" : on("load_in_8bit") ? "8" : undefined;
}
