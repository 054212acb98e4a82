/** `prepare_model_for_kbit_training` on a model that has its adapter already: it freezes the adapter too. */
import { edit } from "../../../adapters/edits";
import type { CallStep } from "../../../python/values/values";
import { callsTo, argumentAt, argumentsOfStep, isCall, loadsAdapter, makerOf, peftModel } from "../origins";
import type { Check, RuleContext } from "../rule";

const preparations = ["peft.prepare_model_for_kbit_training", "peft.prepare_model_for_int8_training"];

/** Whether a call gives a model with an adapter that is there to be trained. */
const trains = (context: RuleContext, made: CallStep): boolean => {
  if (loadsAdapter(made) === undefined) return isCall(context, made, peftModel);
  const trainable = argumentsOfStep(context, made).setting("is_trainable");
  return trainable.kind === "given" && trainable.value.kind === "boolean" && trainable.value.value;
};

/** Whether `model.add_adapter(LoraConfig(…))` of Transformers has surely been called on it. */
const addsBefore = (context: RuleContext, model: string, step: CallStep): boolean =>
  context.values.calls.some((each) => {
    const { values } = context;
    if (each.method !== "add_adapter" || each.receiver !== model) return false;
    const config = argumentAt(each, 0, "adapter_config");
    const made = config && makerOf(context, config.value, each);
    const added = /^peft\.(?:\w+\.)*\w+Config$/.test(made?.qualified ?? "");
    return added && values.surelyBefore(each, step) && values.unchanged(model, each, step);
  });

export const kbitAfterAdapter: Check = (context) =>
  callsTo(context, ...preparations).flatMap((step) => {
    const model = argumentAt(step, 0, "model");
    const made = model && makerOf(context, model.value, step);
    if (model !== undefined && addsBefore(context, model.value.text, step))
      return [{ range: step.call.name }];
    if (made === undefined || !trains(context, made)) return [];
    return [{ range: step.call.name, repairs: swapped(context.document.python.text, made.call, step.call) }];
  });

interface Written {
  readonly statement: { readonly from: number; readonly to: number };
}

/** The two lines in the other order, where they follow each other and each rebinds the model. */
function swapped(text: string, { statement: first }: Written, { statement: second }: Written) {
  const [one, other] = [first, second].map(({ from, to }) => text.slice(from, to));
  const target = /^([\w.]+)\s*=(?!=)/;
  const between = text.slice(first.to, second.from);
  if (one === undefined || other === undefined || between.trim() !== "" || first.from === second.from)
    return [];
  if (target.exec(one)?.[1] === undefined || target.exec(one)?.[1] !== target.exec(other)?.[1]) return [];
  return [
    {
      title: "Prepare the model before it gets its adapter",
      edits: [edit(first.from, first.to, other), edit(second.from, second.to, one)],
    },
  ];
}
