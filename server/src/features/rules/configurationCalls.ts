/**
 * A configuration that PEFT makes of a dict counts as its own call: `get_peft_config({"peft_type": "LORA", …})` is
 * `LoraConfig(**{…})`. So does what `functools.partial` made: `make(r=8)` after `make = partial(LoraConfig, bias="none")`.
 */
import type { Library } from "../../literature/library";
import type { Argument, Call } from "../../python/facts";
import type { CallStep, Values } from "../../python/values/values";
import type { RuleContext } from "./rule";

const maker = "get_peft_config";

/** The calls of a file, those that stand for another as that other one. */
export function callsIn({ document: { python }, library, values }: RuleContext): readonly Call[] {
  const { calls } = python.facts;
  const meant = python.text.includes(maker) ? calls.map((call) => meantBy(call, library)) : calls;
  if (!python.text.includes("partial(")) return meant;
  return [...meant, ...values.calls.flatMap((step) => completed(step, values) ?? [])];
}

/** A step as the call that it stands for. */
export function meantStep(
  step: CallStep,
  { library, values }: Pick<RuleContext, "library" | "values">,
): CallStep {
  const call = step.method === maker ? meantBy(step.call, library) : completed(step, values);
  if (call === undefined || call === step.call || call.qualified === undefined) return step;
  const { order, body, suites, receiver, on, dropped } = step;
  const method = call.qualified.split(".").at(-1) ?? maker;
  return {
    order,
    body,
    suites,
    receiver,
    on,
    dropped,
    call,
    qualified: call.qualified,
    method,
    keywords: [],
  };
}

/** The call that a call of a `functools.partial` carries out; what was given before counts as unpacked where it is named. */
function completed(step: CallStep, values: Values): Call | undefined {
  const [made] = values.partialOf(step)?.call.arguments ?? [];
  if (made?.value.value.kind !== "reference") return undefined;
  const { call } = step;
  const before: Argument = { range: call.name, star: "**", value: made.value };
  return { ...call, qualified: made.value.value.qualified, arguments: [before, ...call.arguments] };
}

function meantBy(call: Call, library: Library): Call {
  const [settings, another] = call.arguments;
  if (settings === undefined || another !== undefined || settings.star !== undefined) return call;
  if (call.qualified === undefined || library.symbol(call.qualified)?.name !== maker) return call;
  const name = `${typeOf(settings)?.replaceAll("_", "") ?? ""}CONFIG`;
  const config = library
    .symbols()
    .find((each) => each.library === "peft" && each.kind === "config" && each.name.toUpperCase() === name);
  const [qualified] = config?.qualified ?? [];
  const { range, value } = settings;
  return qualified === undefined ? call : { ...call, qualified, arguments: [{ range, value, star: "**" }] };
}

/** PROMPT_TUNING of {"peft_type": "PROMPT_TUNING"}, and of PeftType.PROMPT_TUNING. */
function typeOf({ value: { value, assumed } }: Argument): string | undefined {
  if (value.kind !== "dict" || assumed === true) return undefined;
  const type = value.entries.find(([key]) => key.kind === "string" && key.value === "peft_type")?.[1];
  if (type?.kind === "string") return type.value;
  return type?.kind === "reference"
    ? /^peft\.(?:\w+\.)*PeftType\.(\w+)$/.exec(type.qualified)?.[1]
    : undefined;
}
