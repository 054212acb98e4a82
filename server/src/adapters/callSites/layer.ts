/** `nn.Linear(a, b)` becomes `LoRALinear(a, b, rank=8, alpha=16)`: the callee and the end of its arguments change, nothing else. */
import type { LayerPlace } from "../place";
import { edit, type Edit } from "../edits";
import { appendArguments, writtenArguments } from "./arguments";
import type { CallSite } from "./callSite";

export function adaptLayer({ file, method, site, options, symbol }: CallSite, place: LayerPlace): Edit[] {
  const calls = new Map(place.layers.map(({ call }) => [call.range.from, call]));
  return [...calls.values()].flatMap((call) => {
    const added = appendArguments(file.text, call, writtenArguments(method, site, options, file.facts));
    return [edit(call.callee.from, call.callee.to, symbol), ...(added === undefined ? [] : [added])];
  });
}
