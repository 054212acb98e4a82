/** Training around AdaLoRA that never reallocates its ranks: a loop of one's own, or a plain trainer without a callback. */
import { givenConfigs, isCall, isTrainer } from "../origins";
import type { Check } from "../rule";

export const adaloraAllocation: Check = (context) => {
  const { values, document } = context;
  const { facts, text } = document.python;
  if (/update_and_allocate|add_callback/.test(text)) return [];
  const steps = facts.training.some(({ step, backward }) => step !== undefined && backward !== undefined);
  const plainTrainer = values.calls.some(
    (step) =>
      isTrainer(step) &&
      step.call.arguments.every(({ keyword, star }) => star === undefined && keyword?.name !== "callbacks"),
  );
  if (!steps && !plainTrainer) return [];
  const configs = givenConfigs(context).filter(({ config }) => isCall(context, config, "peft.AdaLoraConfig"));
  return [...new Set(configs.map(({ config }) => config))].map(({ call }) => ({ range: call.name }));
};
