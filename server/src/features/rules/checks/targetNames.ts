/** Names in `target_modules` and patterns that match no layer of the model they are meant for. */
import { edit } from "../../../adapters/edits";
import { layersOf } from "../../../adapters/modelTargets";
import type { Argument, LayerForm, ModuleClass, Value } from "../../../python/facts";
import type { CallStep } from "../../../python/values/values";
import { argumentsOf } from "../callArguments";
import { callsIn } from "../configurationCalls";
import { nearest } from "../nearest";
import { argumentAt, givenConfigs } from "../origins";
import { itemRange } from "../ranges";
import type { Check, Finding, RuleContext } from "../rule";

/** The arguments that name layers: in a list, or as the keys of a dict. */
const naming = ["target_modules", "rank_pattern", "alpha_pattern"];

export const targetNames: Check = (context) =>
  givenConfigs(context).flatMap(({ base, config }) => {
    const names = base && layerNames(context, base);
    if (names === undefined) return [];
    return naming
      .flatMap((name) => argumentAt(config, 99, name) ?? [])
      .flatMap((argument) => unknownNames(context, argument, names, base?.method ?? ""));
  });

/** `target_modules="q_proj, v_proj"`: a string is one pattern for whole paths, in which there are no commas. */
export const targetsInOneString: Check = (context) => {
  return callsIn(context).flatMap((call): Finding[] => {
    const symbol = call.qualified === undefined ? undefined : context.library.symbol(call.qualified);
    if (symbol?.kind !== "config" || symbol.library !== "peft" || !call.closed) return [];
    const found = argumentsOf(call, context).setting("target_modules");
    if (found.kind !== "given" || found.value.kind !== "string") return [];
    if (!/^\s*[\w.]+(?:\s*,\s*[\w.]+)+\s*,?\s*$/.test(found.value.value)) return [];
    const { range, value } = found.argument;
    const words = { target_modules: value.text };
    const quote = /^["'](?!["'])/.exec(value.text)?.[0];
    if (quote === undefined || found.unpacked === true) return [{ range, words }];
    const names = found.value.value
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    const written = `[${names.map((name) => quote + name + quote).join(", ")}]`;
    const edits = [edit(value.range.from, value.range.to, written)];
    return [{ range, words, repairs: [{ title: `Set \`target_modules=${written}\``, edits }] }];
  });
};

/** Names each of which must end the path of a layer. */
function unknownNames(
  { document }: RuleContext,
  { value }: Argument,
  names: ReadonlySet<string>,
  model: string,
): Finding[] {
  const { text } = document.python;
  return textsIn(value.value).flatMap((name) => {
    if (!/^\w+$/.test(name) || names.has(name)) return [];
    const words = { name, model };
    const range = itemRange(text, value.range, name);
    if (range === undefined) return [{ range: value.range, words }];
    const meant = nearest(name, [...names]);
    if (meant === undefined) return [{ range, words }];
    const quote = text.charAt(range.from);
    const written = `${quote}${meant}${quote}`;
    const repair = { title: `Replace it with ${written}`, edits: [edit(range.from, range.to, written)] };
    return [{ range, words, repairs: [repair] }];
  });
}

function textsIn(value: Value): string[] {
  const items =
    value.kind === "list" ? value.items : value.kind === "dict" ? value.entries.map(([key]) => key) : [];
  return items.flatMap((item) => (item.kind === "string" ? [item.value] : []));
}

/** The names of all layers of a model class of this file; undefined where some may not be known. */
function layerNames({ document }: RuleContext, made: CallStep): ReadonlySet<string> | undefined {
  const { facts, text } = document.python;
  const classOf = (type: string) => facts.modules.find(({ name }) => name === type);
  const model = classOf(made.qualified ?? "");
  if (model === undefined || facts.unread.length > 0) return undefined;
  const parts = new Set([model]);
  const lookup = (type: string): ModuleClass | undefined => {
    const part = classOf(type);
    if (part !== undefined) parts.add(part);
    return part;
  };
  const found = layersOf(model, lookup, [], 1);
  const isKnown =
    [...parts].every((part) => isWhole(part, text)) &&
    found.every(({ layer: { type } }) => /^torch\.nn\.(?!.*(?:Transformer|LSTM|GRU))/.test(type));
  return isKnown ? new Set(found.flatMap(({ path }) => path)) : undefined;
}

const plainForms: ReadonlySet<LayerForm> = new Set([
  "attribute",
  "sequential",
  "module-list",
  "comprehension",
  "module-dict",
]);

/** A class whose layers all stand in its own `__init__`, and which is given none: every attribute is a layer or a plain value. */
function isWhole({ bases, init, layers }: ModuleClass, text: string): boolean {
  if (init === undefined || layers.length === 0) return false;
  if (!bases.every((base) => base === "torch.nn.Module")) return false;
  if (!layers.every(({ form }) => plainForms.has(form))) return false;
  const known = new Set(layers.map(({ path }) => path.split(".")[0]));
  const body = text.slice(init.bodyStart, init.bodyEnd);
  return [...body.matchAll(/^\s*self\.(\w+)\s*(?::[^=\n]+)?=\s*(.*)$/gm)].every(
    ([, name, value = ""]) => known.has(name) || /^(?:[\d"'.-]|True\b|False\b|None\b|config\s*$)/.test(value),
  );
}
