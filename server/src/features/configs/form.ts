/** Which form of its method a configuration is: rsLoRA is LoraConfig with use_rslora=True. */
import type { ConversionForm } from "../../literature/catalogue";
import { type CallArguments, literalValue, same } from "../rules/callArguments";

/** Whether the arguments of a call make it this form. */
export function stateOf({ set = {} }: ConversionForm, { setting }: CallArguments): "on" | "off" | "unknown" {
  const states = Object.entries(set).flatMap(([name, wanted]): (boolean | "unknown")[] => {
    if (literalValue(wanted) === undefined) return [];
    const found = setting(name);
    if (found.kind === "unknown") return ["unknown"];
    const { value } = found;
    if (found.kind === "given" && (value?.kind === "unknown" || value?.kind === "reference"))
      return ["unknown"];
    return [value !== undefined && same(wanted, value)];
  });
  if (states.length === 0 || states.includes("unknown")) return "unknown";
  return states.every((state) => state === true) ? "on" : "off";
}
