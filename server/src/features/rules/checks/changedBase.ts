/** The base model asked for where the adapter has changed it: trained biases, or an initialisation that rewrites the weights. */
import type { CallStep } from "../../../python/values/values";
import { argumentAt, argumentsOfStep, configOf, makerOf, receiverMaker } from "../origins";
import type { Check, RuleContext } from "../rule";

/** Methods that are meant to give the base model back; `unload` is also how its residual is saved. */
const returning = new Set(["disable_adapter", "disable_adapter_layers"]);

/** The initialisations that put the residual in place of the base weight. */
const rewriting = /^(?:pissa(?:_niter_\d+)?|olora|corda|lora_ga)$/i;

const biasOf = (context: RuleContext, config: CallStep) => {
  const bias = textOf(context, config, "bias");
  return bias === "none" ? undefined : bias;
};

const startOf = (context: RuleContext, config: CallStep) => {
  const start = textOf(context, config, "init_lora_weights");
  return start !== undefined && rewriting.test(start) ? start : undefined;
};

export const changedBiases: Check = (context) =>
  asked(context, (config) => {
    const bias = biasOf(context, config);
    return bias === undefined ? undefined : { bias };
  });

export const changedWeights: Check = (context) =>
  asked(context, (config) => {
    const init = startOf(context, config);
    return init === undefined ? undefined : { init };
  });

/** A second adapter where the biases are trained: each would need biases of its own. */
export const secondBiases: Check = (context) =>
  added(context).flatMap(({ step, first, second }) => {
    const bias = second && biasOf(context, second);
    const one = first && biasOf(context, first);
    return bias === undefined || one === undefined ? [] : [{ range: step.call.name, words: { bias } }];
  });

/** A second adapter on the residual that the first one's initialisation left. */
export const secondOnResidual: Check = (context) =>
  added(context).flatMap(({ step, first }) => {
    const init = first && startOf(context, first);
    return init === undefined ? [] : [{ range: step.call.name, words: { init } }];
  });

/** Calls of `add_adapter` with the configurations of the adapter that is there and of the new one. */
const added = (context: RuleContext) =>
  context.values.calls
    .filter(({ method }) => method === "add_adapter")
    .map((step) => {
      const argument = argumentAt(step, 1, "peft_config");
      const second = argument && makerOf(context, argument.value, step);
      return { step, first: configOf(context, receiverMaker(context, step)), second };
    });

function textOf(context: RuleContext, config: CallStep, name: string): string | undefined {
  const found = argumentsOfStep(context, config).setting(name);
  return found.kind === "given" && found.value.kind === "string" ? found.value.value : undefined;
}

function asked(context: RuleContext, changes: (config: CallStep) => Record<string, string> | undefined) {
  return context.values.calls
    .filter(({ method }) => returning.has(method))
    .flatMap((step) => {
      const config = configOf(context, receiverMaker(context, step));
      const words = config && changes(config);
      return words === undefined ? [] : [{ range: step.call.name, words: { ...words, call: step.method } }];
    });
}
