/** Whether code treats a model as one of PEFT's, which an adapted module is not. */
import { indentationAt } from "../../adapters/callSites/callSite";
import type { CallStep } from "../../python/values/values";
import { sameModule } from "../rules/origins";
import type { RuleContext } from "../rules/rule";
import type { CallAt } from "./offer";

/** What every module has, and what a model of PEFT passes on to the model in it. */
const plain =
  /^(?:parameters|named_parameters|modules|named_modules|children|zero_grad|forward|generate|config|device|dtype|training)$/;

/** Lines beside the call that only print what trains: they go with PEFT. */
export const printing = (name: string, indentation: string): RegExp =>
  new RegExp(`^${indentation}${name}\\.print_trainable_parameters\\(\\)[ \\t]*$`, "gm");

/** The first thing that is done with `name` below `made` and would not be the same with a plain module; in words. */
export function peftUse(
  { document, library }: CallAt,
  { values }: RuleContext,
  name: string,
  made: CallStep,
): string | undefined {
  const { text } = document.python;
  const { range, statement } = made.call;
  const indentation = indentationAt(text, statement.from);
  const rest = (text.slice(0, range.from) + text.slice(range.to)).replace(printing(name, indentation), "");
  const methods = new Set(
    library
      .symbols()
      .filter(({ library: from, kind }) => from === "peft" && (kind === "method" || kind === "parameter"))
      .map((symbol) => symbol.name.split(".").at(-1) ?? symbol.name),
  );
  for (const [, attribute = ""] of rest.matchAll(new RegExp(`(?<![\\w.])${name}\\.(\\w+)`, "g")))
    if (
      !plain.test(attribute) &&
      !sameModule.test(attribute) &&
      (methods.has(attribute) || /state_dict|save|push/.test(attribute))
    )
      return `\`${name}.${attribute}\` is not the same with a plain module: PEFT has other names for parameters and saves the adapter alone.`;
  const given = values.calls.find(
    ({ call, qualified, receiver }) =>
      call.range.from > made.call.range.to &&
      call.arguments.some(({ value }) => value.text === name) &&
      (qualified === undefined
        ? receiver !== undefined
        : qualified.includes(".") && !qualified.startsWith("torch.")),
  );
  if (given === undefined) return undefined;
  return `\`${name}\` is given to ${text.slice(given.call.callee.from, given.call.callee.to)}, which may treat PEFT's models in its own way.`;
}
