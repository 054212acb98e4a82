/** Rules that the arguments of one call decide: `calls`, `when` and `where` of the rule say what is looked for. */
import { evaluate, namesIn } from "../../literature/expression";
import type { Library } from "../../literature/library";
import type { Rule } from "../../literature/catalogue";
import type { Call, PythonFacts } from "../../python/facts";
import type { Assignment } from "../../python/values/values";
import { argumentsOf, assigned, type CallArguments, certain, given, holds, numberOf } from "./callArguments";
import { callsIn } from "./configurationCalls";
import { peftModel } from "./origins";
import { repairsOf } from "./repairs";
import type { Check, Finding, Repair, RuleContext } from "./rule";

export const declared: Check = (context, rule) => {
  const { calls = [] } = rule;
  const found = callsOf(callsIn(context), context.library, calls).filter(({ closed }) => closed);
  if (found.length === 0) return [];
  if (!standsBeside(context, rule)) return [];
  if (isCleared(context, rule)) return [];
  return [
    ...found.flatMap((call) => findingAt(context, rule, call) ?? []),
    ...(rule.assigned === true ? assignedFindings(context, rule) : []),
  ];
};

/** The attribute of a configuration that is assigned what the rule forbids. */
function assignedFindings(context: RuleContext, rule: Rule): Finding[] {
  const { at, calls = [] } = rule;
  const { document, library, values } = context;
  if (at === undefined) return [];
  return values.assignmentsTo(at).flatMap((assignment): Finding[] => {
    const made = values.maker(assignment.receiver, assignment);
    if (made === undefined || callsOf([made], library, calls).length === 0) return [];
    const found = withAssigned(
      argumentsOf(made.call, context, () => true),
      at,
      assignment,
    );
    if (!isBroken(rule, found)) return [];
    const { range } = assignment;
    return [{ range, words: wordsOf(found, rule, made.method), repairs: repairsOf(rule, found, document) }];
  });
}

/** The arguments as they are once one of them has been assigned anew. */
const withAssigned = (found: CallArguments, name: string, assignment: Assignment): CallArguments => ({
  ...found,
  setting: (other) => (other === name ? given(certain(assigned(name, assignment))) : found.setting(other)),
});

/** Whether the file mentions a name that clears what the rule finds. */
export const isCleared = ({ document }: RuleContext, { unless = [] }: Rule): boolean =>
  unless.some((name) => new RegExp(`\\b${name}\\b`).test(document.python.text));

/** In `beside`, a training loop of the file's own. */
const ownLoop = "torch.Tensor.backward";

/** Whether a file trains in a loop of its own on nothing but the loss that a model gives: `model(**batch).loss`. */
export const trainsOnModelLoss = ({ training }: PythonFacts): boolean =>
  training.some(
    ({ backward, forward }) => backward !== undefined && /^[\w.]+\([^]*\)\.loss$/.test(forward?.loss ?? ""),
  );

/** Whether the file makes one of the calls that a rule wants beside what it finds, and makes them all so. */
export function standsBeside(context: RuleContext, { beside, besideWhen = [] }: Rule): boolean {
  if (beside === undefined) return true;
  const { facts } = context.document.python;
  if (beside.includes(ownLoop) && trainsOnModelLoss(facts)) return true;
  const wanted = beside.flatMap((path) => (path === "peft.get_peft_model" ? peftModel : [path]));
  const others = callsOf(facts.calls, context.library, wanted);
  const fits = (call: Call): boolean =>
    besideWhen.every((condition) => holds(argumentsOf(call, context), condition));
  return others.length > 0 && others.every(fits);
}

/** The calls of something that goes by one of these names, whichever way it was imported. */
export function callsOf<T extends { readonly qualified?: string | undefined }>(
  calls: readonly T[],
  library: Library,
  paths: readonly string[],
): T[] {
  const { names, ends } = wantedBy(library, paths);
  return calls.filter(
    ({ qualified }) =>
      qualified !== undefined &&
      (names.has(qualified) ||
        ends.some(([start = "", end = ""]) => qualified.startsWith(start) && qualified.endsWith(end))),
  );
}

interface Wanted {
  readonly names: ReadonlySet<string>;
  /** How names begin and end: of `transformers.*.from_pretrained`. */
  readonly ends: readonly (readonly string[])[];
}

/** What rules speak of, which is asked again and again. */
const wanted = new WeakMap<Library, WeakMap<readonly string[], Wanted>>();

function wantedBy(library: Library, paths: readonly string[]): Wanted {
  const known = wanted.get(library) ?? new WeakMap<readonly string[], Wanted>();
  wanted.set(library, known);
  const found = known.get(paths) ?? {
    names: new Set(
      paths.flatMap((path) => (path.includes("*") ? [] : (library.symbol(path)?.qualified ?? [path]))),
    ),
    ends: paths.flatMap((path) => (path.includes("*") ? [path.split("*")] : [])),
  };
  known.set(paths, found);
  return found;
}

function findingAt(context: RuleContext, rule: Rule, call: Call): Finding | undefined {
  const { document } = context;
  const found = argumentsOf(call, context, (name) => rule.assigned === true && name !== rule.at);
  return findingOf(rule, found, document.python.text, () => repairsOf(rule, found, document));
}

/** What is wrong with these arguments, if they break the rule. */
export function findingOf(
  rule: Rule,
  found: CallArguments,
  text: string,
  repairs: () => Repair[],
): Finding | undefined {
  if (!isBroken(rule, found)) return undefined;
  const name = underlined(rule, found);
  const at = name === undefined ? undefined : found.setting(name);
  const { from, to } = found.call.name;
  return {
    range: at?.kind === "given" ? at.argument.range : found.call.name,
    words: wordsOf(found, rule, text.slice(from, to)),
    repairs: repairs(),
  };
}

/** The argument that a finding underlines, if any; a file has no called name, so of alternatives the one that is there. */
export function underlined({ at, when }: Rule, found: CallArguments): string | undefined {
  if (at !== undefined || found.symbol?.kind !== "file") return at;
  return when
    .flatMap(({ oneOf = [], ...condition }) => oneOf.map((argument) => ({ ...condition, argument })))
    .find((condition) => holds(found, condition))?.argument;
}

/** Whether what a rule looks for surely holds of the arguments. */
export function isBroken({ when, where }: Rule, found: Pick<CallArguments, "setting">): boolean {
  if (!when.every((condition) => holds(found, condition))) return false;
  if (where === undefined) return true;
  const variables = Object.fromEntries([...namesIn(where)].map((name) => [name, numberOf(found, name)]));
  return (evaluate(where, variables) ?? 0) !== 0;
}

/** Each {argument} of the message as it is written, or its default; {call} is the name that was `called`. */
export function wordsOf(
  found: Pick<CallArguments, "setting" | "symbol">,
  { message, why }: Rule,
  called: string,
): Record<string, string> {
  const words: Record<string, string> = { call: called };
  for (const [, name = ""] of `${message} ${why}`.matchAll(/\{(\w+)\}/g)) {
    if (name === "call") continue;
    const setting = found.setting(name);
    const preset = found.symbol?.fields.find((field) => field.name === name)?.default;
    words[name] = setting.kind === "given" ? setting.argument.value.text : (preset ?? "");
  }
  return words;
}
