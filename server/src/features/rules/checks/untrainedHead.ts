/** A new classification head beside a LoRA that neither trains nor saves it. */
import { argumentAt, argumentsOfStep, callsTo, configOf, makerOf, peftModel } from "../origins";
import { setArgument } from "../repairs";
import type { Check } from "../rule";

const heads: readonly (readonly [RegExp, string])[] = [
  [/ForSequenceClassification\.from_pretrained$/, "SEQ_CLS"],
  [/ForTokenClassification\.from_pretrained$/, "TOKEN_CLS"],
];

export const untrainedHead: Check = (context) => {
  const { document } = context;
  return callsTo(context, peftModel).flatMap((step) => {
    const model = argumentAt(step, 0, "model");
    const made = model && makerOf(context, model.value, step);
    const [, task] = heads.find(([pattern]) => pattern.test(made?.call.qualified ?? "")) ?? [];
    const config = configOf(context, step);
    if (task === undefined || config === undefined) return [];
    const found = argumentsOfStep(context, config);
    const missing = ["task_type", "modules_to_save"].every((name) => {
      const setting = found.setting(name);
      return setting.kind === "default" || (setting.kind === "given" && setting.value.kind === "none");
    });
    if (!missing || !/^peft\..*Config$/.test(config.call.qualified ?? "")) return [];
    const repair = setArgument(found, document, "task_type", `"${task}"`);
    return [
      { range: config.call.name, words: { task }, ...(repair === undefined ? {} : { repairs: [repair] }) },
    ];
  });
};
