/** Which arguments of one configuration another one takes, and by which names. */
import type { ConversionForm, Conversions, LibrarySymbol, SymbolField } from "../../literature/catalogue";
import type { Argument, Call, Value } from "../../python/facts";
import { literalValue, same } from "../rules/callArguments";

export interface Carried {
  /** Arguments that stay, with their names in the other configuration. */
  readonly kept: ReadonlyMap<Argument, string>;
  readonly dropped: readonly Argument[];
  /** The common name of each argument. */
  readonly words: ReadonlyMap<string, Argument>;
  /** Why something that matters would be lost. */
  readonly refused?: string;
}

export function carriedOver(
  table: Conversions,
  call: Call,
  from: { readonly form: ConversionForm; readonly symbol: LibrarySymbol },
  to: { readonly form: ConversionForm; readonly symbol: LibrarySymbol },
): Carried {
  const kept = new Map<Argument, string>();
  const dropped: Argument[] = [];
  const words = new Map<string, Argument>();
  let refused: string | undefined;
  for (const argument of call.arguments) {
    const own = argument.keyword?.name ?? "";
    const field = from.symbol.fields.find(({ name }) => name === own);
    if (field === undefined || argument.star !== undefined)
      return {
        kept,
        dropped,
        words,
        refused: `What \`${argument.value.text}\` is to ${from.symbol.name} is not known.`,
      };
    const common = commonName(table, from.form, own);
    if (common !== undefined) words.set(common, argument);
    const name = common === undefined ? undefined : ownName(table, to.form, common);
    const taken = name === undefined ? undefined : to.symbol.fields.find((each) => each.name === name);
    if (name !== undefined && taken !== undefined && fits(argument.value.value, field, taken)) {
      kept.set(argument, name);
      continue;
    }
    dropped.push(argument);
    if (table.places.includes(common ?? own) && !isPreset(field, argument.value.value))
      refused ??= `${to.symbol.name} has nothing for \`${own}=${argument.value.text}\`, and without it other parameters would train.`;
  }
  return { kept, dropped, words, ...(refused === undefined ? {} : { refused }) };
}

function commonName({ apart }: Conversions, form: ConversionForm, own: string): string | undefined {
  if (apart.includes(own) || form.apart?.includes(own) === true) return undefined;
  const entries = Object.entries(form.as ?? {});
  const renamed = entries.find(([, name]) => name === own)?.[0];
  if (renamed !== undefined) return renamed;
  // what the common word means has another name here
  return entries.some(([word]) => word === own) ? undefined : own;
}

function ownName(
  { apart }: Conversions,
  { as = {}, apart: own = [] }: ConversionForm,
  common: string,
): string | undefined {
  const renamed = as[common];
  if (renamed !== undefined) return renamed;
  return apart.includes(common) || own.includes(common) ? undefined : common;
}

const isPreset = ({ default: preset }: SymbolField, value: Value): boolean =>
  value.kind === "none" ||
  (preset !== undefined && literalValue(preset) !== undefined && same(preset, value));

/** Whether a value of one argument can be that of another, by the types that both are declared with. */
function fits(value: Value, from: SymbolField, to: SymbolField): boolean {
  if (to.type === undefined || value.kind === "none") return true;
  const types = alternatives(to.type);
  switch (value.kind) {
    case "number":
      return types.some((type) => type === "float" || type === "int");
    case "boolean":
      return types.includes("bool");
    case "string": {
      if (!types.some((type) => type === "str")) return false;
      // one of a few words; what they mean is the same only where the argument is
      const known = (to.values ?? []).some((each) => same(each.value, value));
      return known || (from.name === to.name && (types.length > 1 || (to.values ?? []).length === 0));
    }
    case "list":
      return types.some((type) => type.startsWith("list"));
    case "dict":
      return types.some((type) => type.startsWith("dict"));
    case "reference":
    case "unknown":
      return from.type === undefined || alternatives(from.type).every((type) => types.includes(type));
  }
}

const alternatives = (type: string): string[] =>
  type.split("|").map((each) => each.trim().replace(/\[.*$/, ""));
