/** A tuner on the skip that `torch.cat([h, skip], dim=1)` joins; in a loop over decoder blocks, one tuner per block. */
import { type Edit, edit } from "../edits";
import { spelling } from "../imports";
import type { SkipPlace } from "../place";
import { joined, writtenArguments } from "./arguments";
import { afterInInit, type CallSite, freeAttribute } from "./callSite";
import { wrap } from "./templates";

export function adaptSkip(at: CallSite, place: SkipPlace): Edit[] {
  const { file, method, site, options, symbol } = at;
  const wanted = site.attribute ?? "skip_adapter";
  const moduleList = spelling(file.facts, file.text, "torch.nn.ModuleList") ?? "nn.ModuleList";
  const numbered = place.skips.length > 1;
  return place.skips.flatMap((skip, index) => {
    if (skip.channels === undefined) return [];
    const hyperparameters = writtenArguments(method, site, options, file.facts);
    const construction = [`${symbol}(`, ...joined([[skip.channels.text], ...hyperparameters], ", "), ")"];
    const base = numbered ? `${wanted}${index + 1}` : wanted;
    if (skip.loop === undefined) {
      const attribute = freeAttribute(place.module, file.text, base);
      return [
        afterInInit(file, place.module, undefined, `self.${attribute} = `, ...construction),
        ...wrap(at, skip.skip, { adapter: `self.${attribute}` }),
      ];
    }
    const { target, iterable, header } = skip.loop;
    const attribute = freeAttribute(place.module, file.text, `${base}s`);
    return [
      afterInInit(
        file,
        place.module,
        undefined,
        `self.${attribute} = ${moduleList}(`,
        ...construction,
        ` for _ in ${iterable})`,
      ),
      edit(header.from, header.to, `for ${target}, ${wanted} in zip(${iterable}, self.${attribute}):`),
      ...wrap(at, skip.skip, { adapter: wanted }),
    ];
  });
}
