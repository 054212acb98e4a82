/** `add_weighted_adapter` by a way of combining that needs adapters of one rank, for adapters of several. */
import type { CallStep } from "../../../python/values/values";
import { argumentAt, argumentsOfStep, configOf, makerOf, receiverMaker } from "../origins";
import { numberOf } from "../callArguments";
import type { Check, RuleContext } from "../rule";

/** Ways of combining that add up the factors themselves. */
const adding = /^(?:linear|ties|dare_linear|dare_ties|magnitude_prune)$/;

export const weightedRanks: Check = (context) =>
  context.values.calls
    .filter(({ method }) => method === "add_weighted_adapter")
    .flatMap((step) => {
      const way = argumentAt(step, 3, "combination_type");
      const names = argumentAt(step, 0, "adapters")?.value.value;
      if (way?.value.value.kind !== "string" || !adding.test(way.value.value.value) || names?.kind !== "list")
        return [];
      const known = ranks(context, step);
      const used = names.items.map((item) => (item.kind === "string" ? known.get(item.value) : undefined));
      const [first, ...rest] = used.filter((rank) => rank !== undefined);
      const other = rest.find((rank) => rank !== first);
      if (first === undefined || other === undefined) return [];
      return [
        {
          range: way.range,
          words: { way: way.value.value.value, first: String(first), second: String(other) },
        },
      ];
    });

/** The rank of each adapter that the model surely has by now. */
function ranks(context: RuleContext, step: CallStep): ReadonlyMap<string, number> {
  const { values } = context;
  const made = receiverMaker(context, step);
  const found = new Map<string, number>();
  const add = (name: string | undefined, config: CallStep | undefined): void => {
    const rank = config && numberOf(argumentsOfStep(context, config), "r");
    if (name !== undefined && rank !== undefined) found.set(name, rank);
  };
  if (made === undefined) return found;
  add(textOf(made, 2, "adapter_name") ?? "default", configOf(context, made));
  for (const each of values.calls) {
    if (each.method !== "add_adapter" || each.receiver !== step.receiver || !values.surelyBefore(each, step))
      continue;
    const config = argumentAt(each, 1, "peft_config");
    add(textOf(each, 0, "adapter_name"), config && makerOf(context, config.value, each));
  }
  return found;
}

function textOf(step: CallStep, index: number, name: string): string | undefined {
  const value = argumentAt(step, index, name)?.value.value;
  return value?.kind === "string" ? value.value : undefined;
}
