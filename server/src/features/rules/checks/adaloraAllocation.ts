/** A training loop of one's own around AdaLoRA that never reallocates its ranks. */
import { callsTo, peftModel } from "../origins";
import type { Check } from "../rule";

export const adaloraAllocation: Check = (context) => {
  const { facts, text } = context.document.python;
  if (text.includes("update_and_allocate")) return [];
  if (!facts.training.some(({ step, backward }) => step !== undefined && backward !== undefined)) return [];
  if (callsTo(context, peftModel).length === 0) return [];
  return callsTo(context, "peft.AdaLoraConfig").map(({ call }) => ({ range: call.name }));
};
