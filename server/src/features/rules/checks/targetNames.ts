/** Names in `target_modules` and patterns that match no layer of the model they are meant for. */
import { edit } from "../../../adapters/edits";
import type { Argument, LayerForm, ModuleClass } from "../../../python/facts";
import type { CallStep } from "../../../python/values";
import { nearest } from "../nearest";
import { argumentAt, callsTo, configOf, makerOf, peftModel } from "../origins";
import type { Check, Finding, RuleContext } from "../rule";

export const targetNames: Check = (context) =>
  callsTo(context, peftModel).flatMap((step) => {
    const model = argumentAt(step, 0, "model");
    const made = model && makerOf(context, model.value, step);
    const config = configOf(context, step);
    const names = made && layerNames(context, made);
    if (config === undefined || names === undefined) return [];
    const targets = argumentAt(config, 99, "target_modules");
    return targets === undefined ? [] : unknownNames(context, targets, names, made?.method ?? "");
  });

/** Names in the list, each of which must end the path of a layer. */
function unknownNames(
  { document }: RuleContext,
  { value }: Argument,
  names: ReadonlySet<string>,
  model: string,
): Finding[] {
  if (value.value.kind !== "list") return [];
  const { text } = document.python;
  return value.value.items.flatMap((item) => {
    if (item.kind !== "string" || !/^\w+$/.test(item.value) || names.has(item.value)) return [];
    const at = text.slice(value.range.from, value.range.to).search(new RegExp(`["']${item.value}["']`));
    if (at < 0) return [];
    const from = value.range.from + at;
    const range = { from, to: from + item.value.length + 2 };
    const meant = nearest(item.value, [...names]);
    const quote = text.charAt(from);
    return [
      {
        range,
        words: { name: item.value, model },
        repairs:
          meant === undefined
            ? []
            : [
                {
                  title: `Replace it with ${quote}${meant}${quote}`,
                  edits: [edit(range.from, range.to, `${quote}${meant}${quote}`)],
                },
              ],
      },
    ];
  });
}

/** The names of all layers of a model class of this file; undefined where some may not be known. */
function layerNames({ document }: RuleContext, made: CallStep): ReadonlySet<string> | undefined {
  const { facts, text } = document.python;
  if (facts.unread.length > 0) return undefined;
  const names = new Set<string>();
  const visited = new Set<string>();
  const visit = (type: string): boolean => {
    if (visited.has(type)) return true;
    visited.add(type);
    const module = facts.modules.find(({ name }) => name === type);
    if (module === undefined || !isWhole(module, text)) return false;
    return module.layers.every((layer) => {
      for (const part of layer.path.split(".")) names.add(part);
      return layer.type.startsWith("torch.nn.")
        ? !/Transformer|LSTM|GRU/.test(layer.type)
        : visit(layer.type);
    });
  };
  return made.call.qualified !== undefined && visit(made.call.qualified) ? names : undefined;
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
