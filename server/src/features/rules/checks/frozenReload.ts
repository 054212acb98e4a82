/** Adapters that are trained and frozen: loaded without `is_trainable=True`, made for inference; and one loaded into nothing. */
import type { Range } from "../../../python/facts";
import type { CallStep } from "../../../python/values/values";
import {
  argumentAt,
  argumentsOfStep,
  givenConfigs,
  isTrainer,
  loadsAdapter,
  makerOf,
  receiverMaker,
} from "../origins";
import { removeArgument, setArgument } from "../repairs";
import type { Check, RuleContext } from "../rule";

/** Positions of is_trainable after model, model_id and adapter_name, or after the path and adapter_name. */
const trainableAt = { onto: 3, auto: 2 };

/** Somebody unfreezes by hand, or another adapter is added and trained. */
const unfreezes =
  /requires_grad\s*=(?!=)|requires_grad_\s*\(|set_requires_grad|set_adapter|add_adapter|load_adapter/;

/** Whether all that a file says of unfreezing is that it loads further adapters, and these frozen as well. */
function loadsOnlyFrozen({ values, document }: RuleContext): boolean {
  const said = document.python.text.match(new RegExp(unfreezes, "g")) ?? [];
  const loads = values.calls.filter(({ method }) => method === "load_adapter");
  return (
    said.length === loads.length &&
    loads.every(
      (step) =>
        step.call.arguments.length < 3 &&
        step.call.arguments.every(({ star }) => star === undefined) &&
        !step.keywords.includes("is_trainable"),
    )
  );
}

export const frozenReload: Check = (context) => {
  const { values, document } = context;
  if (unfreezes.test(document.python.text) && !loadsOnlyFrozen(context)) return [];
  const found = new Set<CallStep>();
  for (const step of values.calls) for (const model of trainedModels(context, step)) found.add(model);
  return [...found].flatMap((loaded) => {
    const kind = loadsAdapter(loaded);
    if (kind === undefined || !loaded.call.closed) return [];
    if (loaded.call.arguments.some(({ star }) => star !== undefined)) return [];
    const given = argumentAt(loaded, trainableAt[kind], "is_trainable")?.value.value;
    if (given !== undefined && !(given.kind === "boolean" && !given.value)) return [];
    const repair = setArgument(argumentsOfStep(context, loaded), document, "is_trainable", "True");
    return [{ range: loaded.call.name, ...(repair === undefined ? {} : { repairs: [repair] }) }];
  });
};

/** The calls that made the models which a call trains: `trainer.train()`, or an optimizer in a file that steps one. */
export function trainedModels(context: RuleContext, step: CallStep): CallStep[] {
  const made = (model: { readonly value: Parameters<typeof makerOf>[1] } | undefined, at: CallStep) => {
    const maker = model && makerOf(context, model.value, at);
    return maker === undefined ? [] : [maker];
  };
  if (step.method === "train") {
    const trainer = receiverMaker(context, step);
    if (trainer === undefined || !/Trainer$/.test(trainer.method)) return [];
    if (argumentAt(trainer, 99, "peft_config") !== undefined) return [];
    return made(argumentAt(trainer, 0, "model"), trainer);
  }
  if (!/^torch\.optim\.\w+$|^transformers\.(?:\w+\.)*AdamW$/.test(step.qualified ?? "")) return [];
  if (!context.document.python.facts.training.some(({ backward }) => backward !== undefined)) return [];
  const parameters = argumentAt(step, 0, "params");
  const makers = new Set(
    parametersIn(context, parameters?.value.range).map((call) => receiverMaker(context, call)),
  );
  const [maker, another] = [...makers];
  return maker === undefined || another !== undefined ? [] : [maker];
}

/** `model.parameters()`, alone or filtered: `[p for p in model.parameters() if p.requires_grad]`. */
const parametersIn = ({ values }: RuleContext, range: Range | undefined): CallStep[] =>
  range === undefined
    ? []
    : values.calls.filter(
        ({ method, call }) =>
          /^(?:named_)?parameters$/.test(method) &&
          range.from <= call.range.from &&
          call.range.to <= range.to,
      );

/** A configuration that freezes its adapter, given to a model that a trainer trains. */
export const inferenceMode: Check = (context) => {
  const { values, document } = context;
  if (unfreezes.test(document.python.text)) return [];
  const trainers = values.calls.flatMap((step) => {
    const trainer = step.method === "train" ? receiverMaker(context, step) : undefined;
    return trainer !== undefined && isTrainer(trainer) ? [trainer] : [];
  });
  const wrapping = trainers.map((trainer) => {
    const model = argumentAt(trainer, 0, "model");
    return model && makerOf(context, model.value, trainer);
  });
  return givenConfigs(context).flatMap(({ step, config }) => {
    if (!trainers.includes(step) && !wrapping.includes(step)) return [];
    const found = argumentsOfStep(context, config);
    const mode = found.setting("inference_mode");
    if (mode.kind !== "given" || mode.value.kind !== "boolean" || !mode.value.value) return [];
    if (!/^peft\.(?:\w+\.)*\w+Config$/.test(config.qualified ?? "")) return [];
    const repair = removeArgument(found, document, "inference_mode");
    return [{ range: mode.argument.range, ...(repair === undefined ? {} : { repairs: [repair] }) }];
  });
};

/** `PeftModel.from_pretrained("adapter")`, without the model that the adapter goes into. */
export const adapterWithoutBase: Check = (context) =>
  context.values.calls.flatMap((step) => {
    if (loadsAdapter(step) !== "onto" || !step.call.closed) return [];
    const { arguments: given, name } = step.call;
    if (given.some(({ star }) => star !== undefined) || step.keywords.includes("model")) return [];
    const placed = given.filter(({ keyword }) => keyword === undefined).length;
    const needed = step.keywords.includes("model_id") ? 1 : 2;
    return given.length > 0 && placed < needed
      ? [{ range: name, words: { call: `${classOf(step)}.from_pretrained` } }]
      : [];
  });

const classOf = ({ receiver = "" }: CallStep): string => receiver.split(".").at(-1) ?? "";
