/** `self.head(x)` becomes `self.head_lora(self.head, x)`, and the adapter is built at the end of `__init__`, where the layer is what it will be. */
import { edit, type Edit } from "../edits";
import type { BesidePlace } from "../place";
import { joined, writtenArguments } from "./arguments";
import { afterInInit, type CallSite, freeAttribute } from "./callSite";

export function adaptBeside(at: CallSite, { module, layer, calls }: BesidePlace): Edit[] {
  const { file, method, site, options, symbol } = at;
  const wanted = (site.attribute ?? "{layer}_adapter").replace("{layer}", layer.path);
  const attribute = freeAttribute(module, file.text, wanted);
  const hyperparameters = writtenArguments(method, site, options, file.facts);
  const construction = joined([[`self.${layer.path}`], ...hyperparameters], ", ");
  return [
    afterInInit(file, module, undefined, `self.${attribute} = ${symbol}(`, ...construction, ")"),
    ...calls.map(({ from, to }) => edit(from, to, `self.${attribute}(self.${layer.path}, `)),
  ];
}

/** The same taken back, at a use of the adapter: `self.head_lora(self.head, ` gives `self.head(`. */
export function withoutBeside(text: string, from: number): Edit[] {
  const [whole, layer] = /^self\.\w+\((self\.\w+),\s*/.exec(text.slice(from, from + 200)) ?? [];
  return whole === undefined ? [] : [edit(from, from + whole.length, `${layer ?? ""}(`)];
}
