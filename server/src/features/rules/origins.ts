/** Questions of rules about values: what made this, is this that call. */
import type { Library } from "../../literature/library";
import type { Argument, Expression } from "../../python/facts";
import type { CallStep } from "../../python/values/values";
import { argumentsOf, type CallArguments, certain } from "./callArguments";
import { meantStep } from "./configurationCalls";
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
export function argumentAt(
  { call }: CallStep,
  index: number,
  ...names: readonly string[]
): Argument | undefined {
  const found =
    call.arguments.find(({ keyword }) => keyword !== undefined && names.includes(keyword.name)) ??
    call.arguments
      .slice(0, index + 1)
      .find(({ keyword, star }, at) => at === index && keyword === undefined && star === undefined);
  return found && certain(found);
}

/** The call that surely made an argument: written there, or before in a name. */
export function makerOf(
  context: RuleContext,
  { text, range }: Expression,
  step: CallStep,
): CallStep | undefined {
  const { values } = context;
  const written = values.written(range);
  const made = unwrapped(context, written ?? (/^[\w.]+$/.test(text) ? values.maker(text, step) : undefined));
  return made && meantStep(made, context);
}

/** The call that surely made what a method is called on. */
export function receiverMaker(context: RuleContext, step: CallStep, depth = 0): CallStep | undefined {
  const { values } = context;
  if (step.on !== undefined) return unwrapped(context, values.written(step.on.call.range), depth);
  return step.receiver === undefined
    ? undefined
    : unwrapped(context, values.maker(step.receiver, step), depth);
}

/** Methods that give the same module back. */
export const sameModule = /^(?:to|cuda|cpu|train|eval|float|half|bfloat16|requires_grad_)$/;

/** What made a module that was moved: `model = model.to(device)`. */
const unwrapped = (context: RuleContext, made: CallStep | undefined, depth = 0): CallStep | undefined =>
  made === undefined || !sameModule.test(made.method) || depth > 8
    ? made
    : receiverMaker(context, made, depth + 1);

export const argumentsOfStep = (context: RuleContext, { call }: CallStep): CallArguments =>
  argumentsOf(call, context);

/** Calls that put the adapter of a configuration into a model: both are their first arguments. */
export const peftModel: readonly string[] = [
  "peft.get_peft_model",
  "peft.PeftModel",
  "peft.PeftModelForCausalLM",
  "peft.PeftModelForSeq2SeqLM",
  "peft.PeftModelForSequenceClassification",
  "peft.PeftModelForTokenClassification",
  "peft.PeftModelForQuestionAnswering",
  "peft.PeftModelForFeatureExtraction",
];

/** `PeftModel.from_pretrained`, also of its subclasses; `AutoPeftModelForCausalLM.from_pretrained`. */
const loading = /^peft\.(?:\w+\.)*(Auto)?PeftModel\w*\.from_pretrained$/;

/** How a call loads an adapter with `from_pretrained`; "auto" loads the base as well. */
export function loadsAdapter(step: CallStep | undefined): "onto" | "auto" | undefined {
  const [found, auto] = loading.exec(step?.qualified ?? "") ?? [];
  return found === undefined ? undefined : auto === undefined ? "onto" : "auto";
}

/** Whether what a call gives surely has an adapter. */
export const isAdapted = (context: RuleContext, step: CallStep | undefined): boolean =>
  isCall(context, step, ...peftModel) || loadsAdapter(step) !== undefined;

/** The call that made the base of an adapted model; what `prepare_model_for_kbit_training` was given, not what it gives. */
export function baseOf(context: RuleContext, adapted: CallStep): CallStep | undefined {
  if (loadsAdapter(adapted) === "auto") return adapted;
  const model = argumentAt(adapted, 0, "model");
  const made = model && makerOf(context, model.value, adapted);
  return isCall(context, made, "peft.prepare_model_for_kbit_training") ? made && baseOf(context, made) : made;
}

const trainer = /^(?:transformers|trl)\.(?:\w+\.)*\w*Trainer$/;

/** A trainer of Transformers or TRL itself, not a class that somebody made of one. */
export const isTrainer = ({ qualified }: CallStep): boolean => trainer.test(qualified ?? "");

/** A configuration with the call that gives it a model. */
export interface Given {
  readonly step: CallStep;
  readonly config: CallStep;
  /** What made the model: `from_pretrained`, or a class of the file. */
  readonly base: CallStep | undefined;
  /** The model's argument, as it is written. */
  readonly model?: Argument;
}

/** Configurations in `get_peft_model(model, config)` and `SFTTrainer(model, peft_config=config)`. */
export function givenConfigs(context: RuleContext): Given[] {
  const wrapping = new Set(callsTo(context, ...peftModel));
  const training = context.values.callsGiving("peft_config").filter(isTrainer);
  return [...new Set([...wrapping, ...training])]
    .sort((a, b) => a.order - b.order)
    .flatMap((step): Given[] => {
      const argument = argumentAt(step, wrapping.has(step) ? 1 : 99, "peft_config");
      const config = argument && makerOf(context, argument.value, step);
      if (config === undefined) return [];
      const model = argumentAt(step, 0, "model");
      return [
        {
          step,
          config,
          // followed for the few that are asked about
          get base() {
            return baseOf(context, step);
          },
          ...(model && { model }),
        },
      ];
    });
}

/** The configuration that made an adapted model: of `get_peft_model(model, config)`. */
export function configOf(context: RuleContext, made: CallStep | undefined): CallStep | undefined {
  if (made === undefined || !isCall(context, made, ...peftModel)) return undefined;
  const config = argumentAt(made, 1, "peft_config");
  return config === undefined ? undefined : makerOf(context, config.value, made);
}
