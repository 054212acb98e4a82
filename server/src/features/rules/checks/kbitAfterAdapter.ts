/** `prepare_model_for_kbit_training` on a model that has its adapter already: it freezes the adapter too. */
import { edit } from "../../../adapters/edits";
import { argumentAt, callsTo, isCall, makerOf, peftModel } from "../origins";
import type { Check } from "../rule";

const preparation = "peft.prepare_model_for_kbit_training";

export const kbitAfterAdapter: Check = (context) =>
  callsTo(context, preparation).flatMap((step) => {
    const model = argumentAt(step, 0, "model");
    const made = model && makerOf(context, model.value, step);
    if (model === undefined || made === undefined || !isCall(context, made, peftModel)) return [];
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
