/** A training loop of one's own around AdaLoRA that never reallocates its ranks. */
import { isCall, peftModel } from "../origins";
import type { Check } from "../rule";

export const adaloraAllocation: Check = (context) => {
  const { values, document } = context;
  const { facts, text } = document.python;
  if (text.includes("update_and_allocate")) return [];
  if (!facts.training.some(({ step, backward }) => step !== undefined && backward !== undefined)) return [];
  if (!values.calls.some((step) => isCall(context, step, peftModel))) return [];
  return values.calls
    .filter((step) => isCall(context, step, "peft.AdaLoraConfig"))
    .map(({ call }) => ({ range: call.name }));
};
