/** Arguments of training that contradict each other or what they train. */
import type { Argument } from "../../../python/facts";
import type { CallStep } from "../../../python/values/values";
import { evaluate } from "../../../literature/expression";
import { argumentsOf, certain, numberOf } from "../callArguments";
import { callsOf, trainsOnModelLoss } from "../declared";
import { argumentAt, argumentsOfStep, isAdapted, makerOf } from "../origins";
import { setArgument } from "../repairs";
import type { Check, Finding, RuleContext } from "../rule";
import { unpackedInto } from "../unpacked";
import { trainedModels } from "./frozenReload";

/** `load_best_model_at_end` where models are not saved when they are evaluated. */
export const bestModelStrategy: Check = (context, { calls = [] }) =>
  callsOf(context.document.python.facts.calls, context.library, calls).flatMap((call) => {
    // by place there is the folder alone
    const placed = call.arguments.filter(({ keyword, star }) => keyword === undefined && star === undefined);
    const unpacked = unpackedInto(call, context.values);
    if (!call.closed || placed.length > 1 || unpacked === undefined) return [];
    const argumentOf = (name: string): Argument | undefined =>
      call.arguments.map(certain).find(({ keyword }) => keyword?.name === name) ?? unpacked.get(name);
    const best = argumentOf("load_best_model_at_end");
    if (best?.value.value.kind !== "boolean" || !best.value.value.value) return [];
    const names = ["eval_strategy", "evaluation_strategy", "save_strategy"];
    const { assignedTo } = call;
    if (assignedTo !== undefined && names.some((name) => context.values.assigns(`${assignedTo}.${name}`)))
      return [];
    const [now, before, saved] = names.map(argumentOf);
    const evaluation = strategyOf(now ?? before, "no");
    const saving = strategyOf(saved, "steps");
    if (evaluation === undefined || saving === undefined) return [];
    if (evaluation === saving || saving === "best") return [];
    const name = before === undefined ? "eval_strategy" : "evaluation_strategy";
    const repair = setArgument(argumentsOf(call, context), context.document, name, `"${saving}"`);
    const words = { evaluation: `"${evaluation}"`, saving: `"${saving}"` };
    return [{ range: best.range, words, ...(repair && saving !== "no" && { repairs: [repair] }) }];
  });

/** "epoch", and IntervalStrategy.EPOCH; undefined where it cannot be told. */
function strategyOf(argument: Argument | undefined, preset: string): string | undefined {
  const value = argument?.value.value;
  if (value === undefined) return preset;
  if (value.kind === "string") return value.value;
  if (value.kind !== "reference") return undefined;
  return /^transformers\.(?:\w+\.)*\w+Strategy\.([A-Z]+)$/.exec(value.qualified)?.[1]?.toLowerCase();
}

/** Trainers of one right answer each: preferences are learned at lower rates. */
const supervised = /^(?:transformers|trl)\.(?:\w+\.)*(?:Trainer|Seq2SeqTrainer|SFTTrainer)$/;

const optimizer = /^(?:torch\.optim|transformers)\.(?:\w+\.)*AdamW?$/;

/** The learning rate of full fine-tuning, given to a trainer of an adapter or an optimizer of its parameters. */
export const lowLearningRate: Check = (context, { where = "" }) =>
  context.values.calls.flatMap((step) => {
    if (optimizer.test(step.qualified ?? "")) return lowInOwnLoop(context, step, where);
    const args = supervised.test(step.qualified ?? "") ? argumentAt(step, 1, "args") : undefined;
    const made = args && makerOf(context, args.value, step);
    if (made === undefined || !trainsAdapter(context, step)) return [];
    if (!/^(?:transformers|trl)\.(?:\w+\.)*(?:\w*TrainingArguments|SFTConfig)$/.test(made.qualified ?? ""))
      return [];
    const found = argumentsOfStep(context, made);
    const rate = found.setting("learning_rate");
    const figure = numberOf(found, "learning_rate");
    if (rate.kind !== "given" || (evaluate(where, { learning_rate: figure }) ?? 0) === 0) return [];
    return [{ range: rate.argument.range, words: { learning_rate: rate.argument.value.text } }];
  });

/** `AdamW(model.parameters(), lr=2e-5)` in a file that trains on the loss of an adapted model. */
function lowInOwnLoop(context: RuleContext, step: CallStep, where: string): Finding[] {
  if (!trainsOnModelLoss(context.document.python.facts)) return [];
  const [model, another] = trainedModels(context, step);
  const rate = argumentAt(step, 1, "lr");
  if (another !== undefined || !isAdapted(context, model) || rate?.value.value.kind !== "number") return [];
  const figure = rate.value.value.value;
  return (evaluate(where, { learning_rate: figure }) ?? 0) === 0
    ? []
    : [{ range: rate.range, words: { learning_rate: rate.value.text } }];
}

function trainsAdapter(context: RuleContext, trainer: CallStep): boolean {
  const config = argumentAt(trainer, 99, "peft_config");
  if (config !== undefined) return makerOf(context, config.value, trainer)?.method === "LoraConfig";
  const model = argumentAt(trainer, 0, "model");
  return isAdapted(context, model && makerOf(context, model.value, trainer));
}
