/** `prepare_model_for_kbit_training` on a model that has its adapter already: it freezes the adapter too. */
import { edit } from "../../../adapters/edits";
import type { Expression, Range } from "../../../python/facts";
import type { CallStep } from "../../../python/values/values";
import { callsTo, argumentAt, argumentsOfStep, isCall, loadsAdapter, makerOf, peftModel } from "../origins";
import type { Check, Repair, RuleContext } from "../rule";
import { changedBefore } from "./adapterTwice";

const preparations = ["peft.prepare_model_for_kbit_training", "peft.prepare_model_for_int8_training"];

/** Whether a call gives a model with an adapter that is there to be trained. */
const trains = (context: RuleContext, made: CallStep): boolean => {
  if (loadsAdapter(made) === undefined) return isCall(context, made, ...peftModel);
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
    const name = model?.value.text ?? "";
    if (addsBefore(context, name, step) || changedBefore(context, name, step))
      return [{ range: step.call.name }];
    if (made === undefined || !trains(context, made)) return [];
    return [{ range: step.call.name, repairs: swapped(context.document.python.text, made, step) }];
  });

/** The two lines in the other order, where they follow each other and each rebinds the model. */
function swapped(text: string, wrapping: CallStep, preparing: CallStep): Repair[] {
  const [first, second] = [wrapping.call.statement, preparing.call.statement];
  const [base, wrapped] = [wrapping, preparing].map((step) => argumentAt(step, 0, "model")?.value);
  const target = wrapping.call.assignedTo;
  if (text.slice(first.to, second.from).trim() !== "" || first.from === second.from) return [];
  if (target === undefined || target !== preparing.call.assignedTo) return [];
  if (base === undefined || wrapped?.text !== target) return [];
  const written = ({ from, to }: Range, { range }: Expression, model: string): string =>
    text.slice(from, range.from) + model + text.slice(range.to, to);
  return [
    {
      title: "Prepare the model before it gets its adapter",
      edits: [
        edit(first.from, first.to, written(second, wrapped, base.text)),
        edit(second.from, second.to, written(first, base, target)),
      ],
    },
  ];
}
