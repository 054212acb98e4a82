/** Sizes of a configuration that do not divide the layers it adapts: `where` of the rule over both. */
import { evaluate, namesIn } from "../../../literature/expression";
import { adaptedLayers } from "../../configEffect";
import { holds, numberOf } from "../callArguments";
import { callsOf } from "../declared";
import { argumentsOfStep } from "../origins";
import type { Check } from "../rule";

export const layerSizes: Check = (context, rule) =>
  callsOf(context.values.calls, context.library, rule.calls ?? []).flatMap((step) => {
    const found = argumentsOfStep(context, step);
    const { where } = rule;
    if (where === undefined || !rule.when.every((condition) => holds(found, condition))) return [];
    const given = Object.fromEntries([...namesIn(where)].map((name) => [name, numberOf(found, name)]));
    for (const { name, layer } of adaptedLayers(context, step, found) ?? []) {
      const { in_features: inFeatures, out_features: outFeatures } = layer.sizes;
      if (typeof inFeatures !== "number" || typeof outFeatures !== "number") continue;
      const sizes = { ...given, in_features: inFeatures, out_features: outFeatures };
      if ((evaluate(where, sizes) ?? 0) === 0) continue;
      const at = rule.at === undefined ? undefined : found.setting(rule.at);
      return [
        {
          range: at?.kind === "given" ? at.argument.range : step.call.name,
          words: {
            layer: name,
            sizes: `${inFeatures} → ${outFeatures}`,
            size: String(given[rule.at ?? ""] ?? ""),
          },
        },
      ];
    }
    return [];
  });
