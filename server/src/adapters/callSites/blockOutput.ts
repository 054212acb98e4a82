/** A module before or after a sub-layer: built in `__init__` below the sub-layer, applied to its input or around its branch in `forward`. */
import { branchesFor } from "../budget";
import type { Edit } from "../edits";
import type { BlockInputPlace, BlockOutputPlace } from "../place";
import { joined, writtenArguments } from "./arguments";
import { afterInInit, type CallSite, freeAttribute } from "./callSite";
import { wrap } from "./templates";

export function adaptBranches(at: CallSite, place: BlockOutputPlace | BlockInputPlace): Edit[] {
  const { file, method, site, options, symbol } = at;
  return branchesFor(site, place).flatMap((branch) => {
    if (branch.width === undefined) return [];
    const layer = branch.layer.split(".").findLast((part) => /^[A-Za-z_]\w*$/.test(part)) ?? branch.role;
    const wanted = (site.attribute ?? "{layer}_adapter").replace("{layer}", layer);
    const attribute = freeAttribute(place.module, file.text, wanted);
    const built = place.module.layers.find(({ path }) => path === branch.layer)?.call.statement;
    const hyperparameters = writtenArguments(method, site, options, file.facts);
    const construction = joined([[branch.width.text], ...hyperparameters], ", ");
    return [
      afterInInit(file, place.module, built, `self.${attribute} = ${symbol}(`, ...construction, ")"),
      ...[branch, ...(branch.repeats ?? [])].flatMap(({ branch: output, input, stream = "" }) => {
        const wrapped = place.kind === "block-input" ? input : output;
        return wrapped === undefined ? [] : wrap(at, wrapped, { adapter: `self.${attribute}`, stream });
      }),
    ];
  });
}
