/** What templates name of the code around them, and why a place that lacks it cannot take them. */
import type { MethodSite } from "../../literature/model";
import type { Range } from "../../python/facts";
import { numbered } from "../numbered";
import type { TrainingPlace } from "../place";
import type { Named } from "../models";

const templatesOf = (site: MethodSite): string =>
  [
    site.setup,
    site.beforeForward,
    site.before,
    site.insideFirst,
    site.inside,
    site.after,
    site.afterStep,
    site.replace,
    site.call,
  ].join("\n");

/** Whether a template of the site has `{name}`. */
export const mentions = (site: MethodSite, name: string): boolean => templatesOf(site).includes(`{${name}}`);

/** Variables that the templates of a site bind: `context = …`, `for each in …`. */
export const boundBy = (site: MethodSite): string[] => [
  ...new Set(
    [...templatesOf(site).matchAll(/^[ ]*(?:for )?(\w+(?:, \w+)*) (?:=|in) /gm)].flatMap(([, names = ""]) =>
      names.split(", "),
    ),
  ),
];

/** Names for them that the code in a stretch does not use. */
export function freeNames(site: MethodSite, text: string, around: Range): ReadonlyMap<string, string> {
  return new Map(boundBy(site).map((name) => [name, freeName(text, around, name)]));
}

/** A name that the stretch does not use: `index`, then `index2`. */
export function freeName(text: string, { from, to }: Range, wanted: string): string {
  const stretch = text.slice(from, to);
  return numbered(wanted, (name) => new RegExp(`(?<!\\.)\\b${name}\\b`).test(stretch));
}

/** The user's variables that a site asks for, as the code writes them. */
export function variablesOf({ variables = [] }: MethodSite, names: readonly Named[]): Record<string, string> {
  return Object.fromEntries(
    variables.flatMap((each) => {
      const known = each.split("|");
      const text = known.map((name) => names.find((one) => one.name === name)?.text).find(Boolean);
      return text === undefined ? [] : [[known[0] ?? each, text]];
    }),
  );
}

/** Why a variable that a site asks for is not in sight. */
export function missingVariable(site: MethodSite, names: readonly Named[]): string | undefined {
  const found = variablesOf(site, names);
  const missing = site.variables
    ?.map((each) => each.replace(/\|.*/, ""))
    .find((wanted) => !(wanted in found));
  return missing === undefined
    ? undefined
    : `No variable is called \`${missing}\` here; assign ${missing.replaceAll("_", " ")} to that name above.`;
}

/** Why what a site writes at a training step does not fit this one. */
export function unwritableStep(site: MethodSite, { step, names }: TrainingPlace): string | undefined {
  const { forward, loop, accumulates } = step;
  for (const name of ["model", "loss", "optimizer"] as const) {
    if (mentions(site, name) && step[name] === undefined)
      return `The ${name} of this step has no name here; assign it to a variable that is called so.`;
  }
  if (site.setup !== undefined && loop === undefined)
    return "The loop around this step is not in this function, so nothing can be built once before it.";
  if (site.beforeForward !== undefined && accumulates === true)
    return "This loop adds up the gradients of several batches before a step; what is put before each forward pass would clear them.";
  if (mentions(site, "lossExpression") && forward?.loss === undefined)
    return "How the loss comes from the model is not certain here; compute it from the model's call in plain assignments of this loop.";
  if (mentions(site, "logitsAgain") && forward?.logits === undefined)
    return "The model's output has no name in this step; assign it to a variable, such as `logits`, before the loss.";
  if (site.replace !== undefined && forward?.crossEntropy === undefined)
    return "The loss here is not a plain cross-entropy of flattened (B, T, classes) logits; write it as `F.cross_entropy(logits.flatten(0, 1), labels.flatten())`.";
  return missingVariable(site, names);
}
