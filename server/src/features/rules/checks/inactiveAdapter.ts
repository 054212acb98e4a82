/** A second adapter that is added before training and never made active, so that it stays as it was made. */
import { argumentAt, isAdapted, receiverMaker } from "../origins";
import type { Check } from "../rule";

/** Anything that may make it active, or train it in another way. */
const activates =
  /set_adapter|active_adapter|load_adapter|adapter_names|weighted_adapter|requires_grad|ref_adapter|model_adapter_name|enable_adapter|inference_mode|XLora|Poly|mixed\s*=|delete_adapter/;

export const inactiveAdapter: Check = (context) => {
  const { values, document } = context;
  if (activates.test(document.python.text)) return [];
  const trainers = values.calls.filter(({ method }) => /Trainer$/.test(method));
  return values.calls
    .filter(({ method }) => method === "add_adapter")
    .flatMap((step) => {
      const name = argumentAt(step, 0, "adapter_name");
      if (name?.value.value.kind !== "string" || step.receiver === undefined) return [];
      if (!isAdapted(context, receiverMaker(context, step))) return [];
      const trained = trainers.some(
        (trainer) =>
          argumentAt(trainer, 0, "model")?.value.text === step.receiver &&
          values.surelyBefore(step, trainer) &&
          values.unchanged(step.receiver ?? "", step, trainer),
      );
      return trained ? [{ range: name.range, words: { adapter: name.value.value.value } }] : [];
    });
};
