/** An adapter loaded to be trained on and left frozen, because `is_trainable=True` was not given. */
import type { CallStep } from "../../../python/values";
import { argumentAt, argumentsOfStep, isCall, makerOf } from "../origins";
import { setArgument } from "../repairs";
import type { Check, RuleContext } from "../rule";

const loading = "peft.PeftModel.from_pretrained";
/** Positions of is_trainable after model, model_id and adapter_name. */
const trainableAt = 3;

export const frozenReload: Check = (context) => {
  const { values, document } = context;
  // somebody unfreezes by hand
  if (/requires_grad|set_requires_grad|set_adapter|is_trainable/.test(document.python.text)) return [];
  return values.calls.flatMap((step) => {
    const loaded = trainedModel(context, step);
    if (loaded === undefined || !isCall(context, loaded, loading)) return [];
    if (argumentAt(loaded, trainableAt, "is_trainable") !== undefined) return [];
    const found = argumentsOfStep(context, loaded);
    if (loaded.call.arguments.some(({ star }) => star !== undefined) || !loaded.call.closed) return [];
    const repair = setArgument(found, document, "is_trainable", "True");
    return [{ range: loaded.call.name, ...(repair === undefined ? {} : { repairs: [repair] }) }];
  });
};

/** The call that made the model which `trainer.train()` trains. */
function trainedModel(context: RuleContext, step: CallStep): CallStep | undefined {
  if (step.method !== "train" || step.receiver === undefined) return undefined;
  const trainer = context.values.maker(step.receiver, step);
  if (trainer === undefined || !/Trainer$/.test(trainer.method)) return undefined;
  if (argumentAt(trainer, 99, "peft_config") !== undefined) return undefined;
  const model = argumentAt(trainer, 0, "model");
  return model && makerOf(context, model.value, trainer);
}
