/** An argument that a configuration does not take, spelt almost like one that it does, or as another library spells it. */
import type { LibrarySymbol } from "../../../literature/model";
import { callArguments } from "../callArguments";
import { nearest } from "../nearest";
import { renameArgument } from "../repairs";
import type { Check } from "../rule";

export const misspeltArgument: Check = ({ library, document, values }) =>
  document.python.facts.calls.flatMap((call) => {
    const symbol = call.qualified === undefined ? undefined : library.symbol(call.qualified);
    if (symbol?.kind !== "config" || symbol.fields.length < 3) return [];
    const given = new Set(call.arguments.map(({ keyword }) => keyword?.name));
    return call.arguments.flatMap(({ keyword }) => {
      if (keyword === undefined || symbol.fields.some(({ name }) => name === keyword.name)) return [];
      const meant = meantBy(keyword.name, symbol);
      if (meant === undefined || given.has(meant)) return [];
      const repair = renameArgument(callArguments(call, symbol, values), keyword.name, meant);
      return [
        {
          range: keyword.range,
          words: { call: symbol.name, argument: keyword.name, meant },
          ...(repair === undefined ? {} : { repairs: [repair] }),
        },
      ];
    });
  });

/** `rank` and `alpha` are what other libraries call `r` and `lora_alpha`. */
function meantBy(name: string, { fields }: LibrarySymbol): string | undefined {
  const names = fields.map((field) => field.name);
  const elsewhere = names.filter((each) => each.endsWith(`_${name}`));
  if (elsewhere.length === 1) return elsewhere[0];
  if (name === "rank" && names.includes("r")) return "r";
  // two letters apart may well be an argument of a later release: use_qalora, use_rslora
  return name.length < 4 ? undefined : nearest(name, names, 1);
}
