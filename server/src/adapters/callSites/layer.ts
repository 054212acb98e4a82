/** `nn.Linear(a, b)` becomes `LoRALinear(a, b, rank=8, alpha=16)`: the callee and the end of its arguments change, and code
 * that computes with the layer's weight gets the one that the adapter makes of it. */
import type { LayerPlace } from "../place";
import { edit, type Edit } from "../edits";
import { constructionOf } from "../construction";
import { appendArguments, writtenArguments } from "./arguments";
import type { CallSite } from "./callSite";

export function adaptLayer({ file, method, site, options, symbol }: CallSite, place: LayerPlace): Edit[] {
  const built = place.layers.flatMap((layer) => constructionOf(file.facts, layer) ?? []);
  const calls = new Map(built.map((call) => [call.range.from, call]));
  const ranges = place.layers.flatMap(({ weightReads }) => weightReads?.ranges ?? []);
  const reads = new Map(ranges.map((range) => [range.from, range]));
  const written = [...reads.values()].map(({ from, to }) => edit(from, to, "merged_weight()"));
  const adapted = [...calls.values()].flatMap((call) => {
    const added = appendArguments(file.text, call, writtenArguments(method, site, options, file.facts));
    return [edit(call.callee.from, call.callee.to, symbol), ...(added === undefined ? [] : [added])];
  });
  return [...adapted, ...written];
}
