/** An adapter loaded to be trained on and left frozen, because `is_trainable=True` was not given. */
import type { CallStep } from "../../../python/values/values";
import { argumentAt, argumentsOfStep, loadsAdapter, makerOf, receiverMaker } from "../origins";
import { setArgument } from "../repairs";
import type { Check, RuleContext } from "../rule";

/** Positions of is_trainable after model, model_id and adapter_name, or after the path and adapter_name. */
const trainableAt = { onto: 3, auto: 2 };

/** Somebody unfreezes by hand, or another adapter is added and trained. */
const unfreezes =
  /requires_grad\s*=(?!=)|requires_grad_\s*\(|set_requires_grad|set_adapter|add_adapter|load_adapter/;

export const frozenReload: Check = (context) => {
  const { values, document } = context;
  if (unfreezes.test(document.python.text)) return [];
  const found = new Set<CallStep>();
  for (const step of values.calls) for (const model of trainedModels(context, step)) found.add(model);
  return [...found].flatMap((loaded) => {
    const kind = loadsAdapter(loaded);
    if (kind === undefined || !loaded.call.closed) return [];
    if (loaded.call.arguments.some(({ star }) => star !== undefined)) return [];
    const given = argumentAt(loaded, trainableAt[kind], "is_trainable")?.value.value;
    if (given !== undefined && !(given.kind === "boolean" && !given.value)) return [];
    const repair = setArgument(argumentsOfStep(context, loaded), document, "is_trainable", "True");
    return [{ range: loaded.call.name, ...(repair === undefined ? {} : { repairs: [repair] }) }];
  });
};

/** The calls that made the models which a call trains: `trainer.train()`, or an optimizer in a file that steps one. */
function trainedModels(context: RuleContext, step: CallStep): CallStep[] {
  const made = (model: { readonly value: Parameters<typeof makerOf>[1] } | undefined, at: CallStep) => {
    const maker = model && makerOf(context, model.value, at);
    return maker === undefined ? [] : [maker];
  };
  if (step.method === "train") {
    const trainer = receiverMaker(context, step);
    if (trainer === undefined || !/Trainer$/.test(trainer.method)) return [];
    if (argumentAt(trainer, 99, "peft_config") !== undefined) return [];
    return made(argumentAt(trainer, 0, "model"), trainer);
  }
  if (!/^torch\.optim\.\w+$|^transformers\.(?:\w+\.)*AdamW$/.test(step.qualified ?? "")) return [];
  if (!context.document.python.facts.training.some(({ backward }) => backward !== undefined)) return [];
  const parameters = argumentAt(step, 0, "params");
  const call = parameters && context.values.written(parameters.value.range);
  const maker = call?.method === "parameters" ? receiverMaker(context, call) : undefined;
  return maker === undefined ? [] : [maker];
}
