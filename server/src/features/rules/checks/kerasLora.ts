/** `enable_lora` where Keras refuses it: before the layer is built, beside a constraint, or a second time. */
import type { CallStep } from "../../../python/values/values";
import { receiverMaker } from "../origins";
import type { Check, RuleContext } from "../rule";

const layer = /^(?:keras|tensorflow\.keras|tf_keras)\.layers\.\w+$/;

export const kerasLora: Check = (context) =>
  context.values.calls
    .filter(({ method }) => method === "enable_lora")
    .flatMap((step) => {
      const made = receiverMaker(context, step);
      if (made === undefined || !layer.test(made.qualified ?? "")) return [];
      const reason = reasonAgainst(context, step, made);
      return reason === undefined ? [] : [{ range: step.call.name, words: { reason } }];
    });

function reasonAgainst(
  { values, document }: RuleContext,
  step: CallStep,
  made: CallStep,
): string | undefined {
  const { receiver = "" } = step;
  const given = (name: string) => made.call.arguments.find(({ keyword }) => keyword?.name === name);
  const constraint = given("kernel_constraint") ?? given("embeddings_constraint");
  if (constraint !== undefined && /[A-Z]\w*\(/.test(constraint.value.text))
    return `the layer has a \`${constraint.keyword?.name ?? ""}\``;
  const enabled = values.calls.some(
    (each) =>
      each.method === "enable_lora" &&
      each.receiver === receiver &&
      values.surelyBefore(each, step) &&
      values.unchanged(receiver, each, step),
  );
  if (enabled) return "it is enabled already";
  if (made.body !== step.body || given("input_shape") !== undefined || given("input_dim") !== undefined)
    return undefined;
  const between = document.python.text.slice(made.call.statement.to, step.call.range.from);
  return new RegExp(`\\b${receiver.replaceAll(".", "\\.")}\\b`).test(between)
    ? undefined
    : "the layer is not built yet, so it has no kernel";
}
