/** Configurations that do not go with the model that they are given: `calls` and `when` of the rule say which. */
import type { Value } from "../../../python/facts";
import type { CallStep } from "../../../python/values/values";
import { type CallArguments, holds } from "../callArguments";
import { callsOf, isCleared } from "../declared";
import { argumentAt, argumentsOfStep, type Given, givenConfigs } from "../origins";
import { itemRange } from "../ranges";
import { setArgument } from "../repairs";
import type { Check, Finding, RuleContext } from "../rule";
import type { Rule } from "../../../literature/catalogue";
import { loadedBits } from "./mergedQuantised";

interface Concerned extends Given {
  readonly found: CallArguments;
}

/** The configurations that a rule speaks of, each with its model. */
const concerned = (context: RuleContext, rule: Rule): Concerned[] =>
  givenConfigs(context).flatMap((given) => {
    if (callsOf([given.config.call], context.library, rule.calls ?? []).length === 0) return [];
    const found = argumentsOfStep(context, given.config);
    return rule.when.every((condition) => holds(found, condition)) ? [{ ...given, found }] : [];
  });

/** On a base of four or eight bits. */
export const quantisedBase: Check = (context, rule) =>
  concerned(context, rule).flatMap(({ base, found }) => {
    const bits = loadedBits(context, base);
    if (bits === undefined) return [];
    const at = rule.at === undefined ? undefined : found.setting(rule.at);
    return [{ range: at?.kind === "given" ? at.argument.range : found.call.name, words: { bits } }];
  });

/** Layers named for a model in which they must not be. */
export const layersOfModels: Check = (context, rule) => {
  const { text } = context.document.python;
  if (isCleared(context, rule)) return [];
  return concerned(context, rule).flatMap(({ base, model, found }) => {
    const name = modelName(base, model?.value.value);
    if (name === undefined || !named(rule.models ?? [], name)) return [];
    return (rule.lists ?? []).flatMap((list): Finding[] => {
      const setting = found.setting(list);
      if (setting.kind !== "given" || setting.value.kind !== "list") return [];
      const { range: written } = setting.argument.value;
      return setting.value.items.flatMap((item) => {
        if (item.kind !== "string" || rule.layers?.includes(item.value) !== true) return [];
        const [fix] = rule.fixes;
        const repair =
          fix?.set === undefined || fix.to === undefined
            ? undefined
            : setArgument(found, context.document, fix.set, fix.to);
        return [
          {
            range: itemRange(text, written, item.value) ?? setting.argument.range,
            words: { layer: item.value, list, model: name.id ?? name.type },
            ...(repair === undefined ? {} : { repairs: [repair] }),
          },
        ];
      });
    });
  });
};

interface ModelName {
  /** The checkpoint: google/gemma-2-2b. */
  readonly id?: string;
  /** The class it is loaded by. */
  readonly type: string;
}

/** What `from_pretrained` loads, or the name that a trainer is given. */
function modelName(base: CallStep | undefined, given: Value | undefined): ModelName | undefined {
  if (given?.kind === "string") return { id: given.value, type: "" };
  if (base?.method !== "from_pretrained") return undefined;
  const id = argumentAt(base, 0, "pretrained_model_name_or_path")?.value.value;
  const type = base.call.qualified?.split(".").at(-2) ?? "";
  return { type, ...(id?.kind === "string" && { id: id.value }) };
}

const named = (patterns: readonly string[], { id, type }: ModelName): boolean =>
  patterns.some((pattern) =>
    [id, type].some((name) =>
      pattern.endsWith("*") ? name?.startsWith(pattern.slice(0, -1)) === true : name === pattern,
    ),
  );
