/** Questions of rules about values: what made this, is this that call. */
import type { Library } from "../../literature/library";
import type { Argument, Expression } from "../../python/facts";
import type { CallStep } from "../../python/values";
import { type CallArguments } from "./callArguments";
import { argumentsOf } from "./declared";
import type { RuleContext } from "./rule";

/** Whether a call is one of these, by whichever path they were imported. */
export function isCall(
  { library }: RuleContext,
  step: CallStep | undefined,
  ...paths: readonly string[]
): boolean {
  const qualified = step?.qualified;
  return qualified !== undefined && namesOf(library, paths).includes(qualified);
}

/** All calls of these, by whichever path they were imported. */
export const callsTo = ({ library, values }: RuleContext, ...paths: readonly string[]): readonly CallStep[] =>
  values.callsTo(namesOf(library, paths));

const namesOf = (library: Library, paths: readonly string[]): string[] =>
  paths.flatMap((path) => [path, ...(library.symbol(path)?.qualified ?? [])]);

/** The argument of a call at a position, or by a name. */
export const argumentAt = (
  { call }: CallStep,
  index: number,
  ...names: readonly string[]
): Argument | undefined =>
  call.arguments.find(({ keyword }) => keyword !== undefined && names.includes(keyword.name)) ??
  call.arguments
    .slice(0, index + 1)
    .find(({ keyword, star }, at) => at === index && keyword === undefined && star === undefined);

/** The call that surely made an argument: written there, or before in a name. */
export function makerOf(
  { values }: RuleContext,
  { text, range }: Expression,
  step: CallStep,
): CallStep | undefined {
  const written = values.written(range);
  return written ?? (/^[\w.]+$/.test(text) ? values.maker(text, step) : undefined);
}

/** The call that surely made what a method is called on. */
export const receiverMaker = ({ values }: RuleContext, step: CallStep): CallStep | undefined =>
  step.receiver === undefined ? undefined : values.maker(step.receiver, step);

export const argumentsOfStep = ({ library, values }: RuleContext, { call }: CallStep): CallArguments =>
  argumentsOf(call, library, values);

export const peftModel = "peft.get_peft_model";

/** The configuration that made an adapted model: of `get_peft_model(model, config)`. */
export function configOf(context: RuleContext, made: CallStep | undefined): CallStep | undefined {
  if (made === undefined || !isCall(context, made, peftModel)) return undefined;
  const config = argumentAt(made, 1, "peft_config");
  return config === undefined ? undefined : makerOf(context, config.value, made);
}
