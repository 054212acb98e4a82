/** An adapter kept in float16 under mixed precision, whose gradients cannot be unscaled. */
import { isCleared, standsBeside } from "../declared";
import { callsTo, argumentsOfStep, baseOf, peftModel } from "../origins";
import { removeArgument } from "../repairs";
import type { Check } from "../rule";

export const halfAdapter: Check = (context, rule) => {
  const { document } = context;
  if (isCleared(context, rule) || !standsBeside(context, rule)) return [];
  return callsTo(context, ...peftModel).flatMap((step) => {
    const found = argumentsOfStep(context, step);
    const cast = found.setting("autocast_adapter_dtype");
    if (cast.kind !== "given" || cast.value.kind !== "boolean" || cast.value.value) return [];
    const base = baseOf(context, step);
    if (base?.method !== "from_pretrained") return [];
    const type = ["torch_dtype", "dtype"].map((name) => argumentsOfStep(context, base).setting(name));
    const half = type.some(
      (each) =>
        each.kind === "given" &&
        ((each.value.kind === "reference" && /^torch\.(?:float16|half)$/.test(each.value.qualified)) ||
          (each.value.kind === "string" && each.value.value === "float16")),
    );
    if (!half) return [];
    const repair = removeArgument(found, document, "autocast_adapter_dtype");
    return [{ range: cast.argument.range, ...(repair === undefined ? {} : { repairs: [repair] }) }];
  });
};
