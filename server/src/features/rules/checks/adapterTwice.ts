/** One model given an adapter twice, methods mixed in one model, and a wrapped model given to a trainer that wraps it. */
import { edit } from "../../../adapters/edits";
import type { CallStep } from "../../../python/values/values";
import {
  callsTo,
  argumentAt,
  argumentsOfStep,
  configOf,
  isAdapted,
  isCall,
  makerOf,
  peftModel,
  receiverMaker,
} from "../origins";
import { removeArgument } from "../repairs";
import type { Check, RuleContext } from "../rule";

export const adapterTwice: Check = (context) =>
  callsTo(context, ...peftModel).flatMap((step) => {
    const model = argumentAt(step, 0, "model");
    const made = model && makerOf(context, model.value, step);
    return isAdapted(context, made) || (model !== undefined && changedBefore(context, model.value.text, step))
      ? [{ range: step.call.name, words: { model: model?.value.text ?? "" } }]
      : [];
  });

/** Whether a call before has put an adapter into this very model: `get_peft_model` changes the one it is given. */
export function changedBefore(context: RuleContext, model: string, step: CallStep): boolean {
  const { values, document } = context;
  if (!/^[\w.]+$/.test(model) || /\bunload\b|merge_and_unload|delete_adapter/.test(document.python.text))
    return false;
  return values.calls.some((each) => {
    if (each === step || !isCall(context, each, ...peftModel)) return false;
    if (argumentAt(each, 0, "model")?.value.text !== model) return false;
    // prompts and prefixes leave the layers as they are
    const config = configOf(context, each);
    if (config === undefined || !layered.test(config.method)) return false;
    return values.surelyBefore(each, step) && values.unchanged(model, each, step);
  });
}

const layered = /^(?!Prompt|Prefix|Multitask|CPT|Cartridge|AdaptionPrompt)\w+Config$/;

/** The name of a configuration's class, `LoraConfig`. */
const className = ({ library }: RuleContext, config: CallStep): string | undefined =>
  library.symbol(config.qualified ?? "")?.kind === "config" ? config.method : undefined;

export const mixedMethods: Check = (context) =>
  context.values.calls
    .filter(({ method }) => method === "add_adapter")
    .flatMap((step) => {
      const made = receiverMaker(context, step);
      // `mixed=True` makes a PeftMixedModel, which is for just that
      if (made === undefined || argumentAt(made, 99, "mixed") !== undefined) return [];
      const first = configOf(context, made);
      const argument = argumentAt(step, 1, "peft_config");
      const second = argument && makerOf(context, argument.value, step);
      const [one, other] = [first, second].map((config) => config && className(context, config));
      if (argument === undefined || one === undefined || other === undefined || one === other) return [];
      return [{ range: argument.range, words: { first: one, second: other } }];
    });

export const wrappedTwice: Check = (context) =>
  context.values.calls
    .filter(({ call }) => /^trl\.(?:\w+\.)*\w+Trainer$/.test(call.qualified ?? ""))
    .flatMap((step) => {
      const config = argumentAt(step, 99, "peft_config");
      const model = argumentAt(step, 0, "model");
      const made = model && makerOf(context, model.value, step);
      if (config === undefined || !isCall(context, made, ...peftModel)) return [];
      if (config.value.value.kind === "none") return [];
      const repair = removeArgument(argumentsOfStep(context, step), context.document, "peft_config");
      return [{ range: config.range, ...(repair === undefined ? {} : { repairs: [repair] }) }];
    });

export const mergeDropped: Check = (context) =>
  context.values.calls
    .filter(({ method, dropped }) => method === "merge_and_unload" && dropped)
    .filter((step) => isAdapted(context, receiverMaker(context, step)))
    .map(({ call, receiver = "" }) => ({
      range: call.name,
      words: { model: receiver },
      repairs: [
        {
          title: `Assign it to \`${receiver}\``,
          edits: [edit(call.range.from, call.range.from, `${receiver} = `)],
        },
      ],
    }));
