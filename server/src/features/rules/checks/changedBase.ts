/** The base model asked for where the adapter has changed it: trained biases, or an initialisation that rewrites the weights. */
import type { CallStep } from "../../../python/values";
import { argumentsOfStep, configOf, receiverMaker } from "../origins";
import type { Check, RuleContext } from "../rule";

/** Methods that are meant to give the base model back; `unload` is also how its residual is saved. */
const returning = new Set(["disable_adapter", "disable_adapter_layers"]);

/** The initialisations that put the residual in place of the base weight. */
const rewriting = /^(?:pissa(?:_niter_\d+)?|olora|corda|lora_ga)$/i;

export const changedBiases: Check = (context) =>
  asked(context, (config) => {
    const bias = argumentsOfStep(context, config).setting("bias");
    const value = bias.kind === "given" ? bias.value : undefined;
    return value?.kind === "string" && value.value !== "none" ? { bias: value.value } : undefined;
  });

export const changedWeights: Check = (context) =>
  asked(context, (config) => {
    const found = argumentsOfStep(context, config).setting("init_lora_weights");
    const value = found.kind === "given" ? found.value : undefined;
    return value?.kind === "string" && rewriting.test(value.value) ? { init: value.value } : undefined;
  });

function asked(context: RuleContext, changes: (config: CallStep) => Record<string, string> | undefined) {
  return context.values.calls
    .filter(({ method }) => returning.has(method))
    .flatMap((step) => {
      const config = configOf(context, receiverMaker(context, step));
      const words = config && changes(config);
      return words === undefined ? [] : [{ range: step.call.name, words: { ...words, call: step.method } }];
    });
}
