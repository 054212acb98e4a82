/** A new classification head beside an adapter that neither trains nor saves it. */
import type { CallStep } from "../../../python/values/values";
import type { CallArguments } from "../callArguments";
import { argumentsOfStep, givenConfigs } from "../origins";
import { setArgument } from "../repairs";
import type { Check } from "../rule";

interface Head {
  readonly model: RegExp;
  /** The task for which PEFT trains the head as well; without one it must be named in `modules_to_save`. */
  readonly task?: string;
}

const heads: readonly Head[] = [
  { model: /ForSequenceClassification\.from_pretrained$/, task: "SEQ_CLS" },
  { model: /ForTokenClassification\.from_pretrained$/, task: "TOKEN_CLS" },
  { model: /For(?:Image|Audio)Classification\.from_pretrained$/ },
];

/** What makes the head a new one, where the checkpoint may have one. */
const renewing = ["num_labels", "id2label", "label2id", "ignore_mismatched_sizes"];

const isNew = ({ call }: CallStep): boolean =>
  call.arguments.some(({ keyword }) => keyword !== undefined && renewing.includes(keyword.name));

const isMissing = ({ setting }: CallArguments, name: string): boolean => {
  const found = setting(name);
  return found.kind === "default" || (found.kind === "given" && found.value.kind === "none");
};

/** Tasks for which PEFT keeps everything but the adapter as it is. */
const headless = new Set(["CAUSAL_LM", "SEQ_2_SEQ_LM", "FEATURE_EXTRACTION"]);

/** The names that heads have, where an adapter may be meant for them too. */
const heading = /^(?:score|classifier|classification_head|head|qa_outputs)$/;

const adaptsHead = ({ setting }: CallArguments): boolean => {
  const found = setting("target_modules");
  return (
    found.kind === "given" &&
    found.value.kind === "list" &&
    found.value.items.some((item) => item.kind === "string" && heading.test(item.value))
  );
};

export const untrainedHead: Check = (context) => {
  // somebody trains it by hand
  if (/requires_grad\s*=(?!=)|requires_grad_\s*\(/.test(context.document.python.text)) return [];
  return givenConfigs(context).flatMap(({ base, config }) => {
    const head = heads.find(({ model }) => model.test(base?.qualified ?? ""));
    if (head === undefined || base === undefined) return [];
    if (head.task === undefined && !isNew(base)) return [];
    if (!/^peft\..*Config$/.test(config.qualified ?? "")) return [];
    const found = argumentsOfStep(context, config);
    const task = found.setting("task_type");
    const others = task.kind === "given" && task.value.kind === "string" && headless.has(task.value.value);
    if (
      adaptsHead(found) ||
      !isMissing(found, "modules_to_save") ||
      !(isMissing(found, "task_type") || others)
    )
      return [];
    const repair =
      head.task === undefined
        ? undefined
        : setArgument(found, context.document, "task_type", `"${head.task}"`);
    return [{ range: config.call.name, ...(repair === undefined ? {} : { repairs: [repair] }) }];
  });
};
