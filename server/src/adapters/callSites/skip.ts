/** A tuner on the skip that `torch.cat([h, skip], dim=1)` joins; in a loop over decoder blocks, one tuner per block. */
import type { SkipConcatenation } from "../../python/facts";
import { lineStart } from "../definitions";
import { type Edit, edit, insertion, type Piece } from "../edits";
import { spelling } from "../imports";
import { numbered } from "../numbered";
import type { SkipPlace } from "../place";
import { joined, writtenArguments } from "./arguments";
import { afterInInit, type CallSite, freeAttribute, indentationAt, lineEnd } from "./callSite";
import { inZip, type ZippedLoop } from "./zippedLoop";
import { wrap } from "./templates";

type Loop = NonNullable<SkipConcatenation["loop"]>;

export function adaptSkip(at: CallSite, place: SkipPlace): Edit[] {
  const { file, method, site, options, symbol } = at;
  const wanted = site.attribute ?? "skip_adapter";
  const moduleList = spelling(file.facts, file.text, "torch.nn.ModuleList") ?? "nn.ModuleList";
  const several = place.skips.length > 1;
  const loops = new Map<number, ZippedLoop & Pick<Loop, "header">>();
  const edits = place.skips.flatMap((skip, index): Edit[] => {
    const { channels, loop, conditional } = skip;
    if (channels === undefined) return [];
    const hyperparameters = writtenArguments(method, site, options, file.facts);
    const construction: Piece[] = [
      `${symbol}(`,
      ...joined([[channels.text], ...hyperparameters], ", "),
      // decoders have blocks without a skip
      conditional === true ? `) if ${channels.text} else None` : ")",
    ];
    const variable = several ? `${wanted}${index + 1}` : wanted;
    if (loop === undefined) {
      const attribute = freeAttribute(place.module, file.text, variable);
      return [
        afterInInit(file, place.module, undefined, `self.${attribute} = `, ...construction),
        ...wrap(at, skip.skip, { adapter: `self.${attribute}` }),
      ];
    }
    const plural = several ? `${wanted}s${index + 1}` : `${wanted}s`;
    const list = `self.${freeAttribute(place.module, file.text, plural)}`;
    const joins = [skip, ...(skip.repeats ?? [])].flatMap((each): Edit[] => {
      if (each.loop === undefined) return [];
      if (each.loop.taken !== undefined) return taken(at, each.skip, each.loop.taken, list, plural);
      const { target, iterable, header } = each.loop;
      const zipped = loops.get(header.from) ?? { target, iterable, header, added: [] };
      loops.set(header.from, { ...zipped, added: [...zipped.added, { variable, list }] });
      return wrap(at, each.skip, { adapter: variable });
    });
    return [...listOfTuners(at, place, loop, list, moduleList, construction), ...joins];
  });
  return [
    ...edits,
    ...[...loops.values()].map((loop) => edit(loop.header.from, loop.header.to, inZip(loop))),
  ];
}

/** `next(sc_tuners)(hs.pop())`, for which `sc_tuners = iter(self.sc_tuners)` stands above the loop. */
function taken(
  at: CallSite,
  skip: SkipConcatenation["skip"],
  loop: SkipConcatenation["statement"],
  list: string,
  wanted: string,
): Edit[] {
  const { text } = at.file;
  const name = numbered(wanted, (each) => new RegExp(`(?<![\\w.])${each}\\b`).test(text));
  return [
    insertion(lineStart(text, loop.from), `${indentationAt(text, loop.from)}${name} = iter(${list})\n`),
    ...wrap(at, skip, { adapter: `next(${name})` }),
  ];
}

/** One tuner for each block: made where the block is, else at the end of `__init__`. */
function listOfTuners(
  { file }: CallSite,
  { module }: SkipPlace,
  { iterable, built }: Loop,
  list: string,
  moduleList: string,
  construction: readonly Piece[],
): Edit[] {
  if (built === undefined) {
    const comprehension = [`${list} = ${moduleList}(`, ...construction, ` for _ in ${iterable})`];
    return [afterInInit(file, module, undefined, ...comprehension)];
  }
  const outside = indentationAt(file.text, built.loop.from);
  const inside = indentationAt(file.text, built.beside.from);
  return [
    insertion(lineStart(file.text, built.loop.from), `${outside}${list} = ${moduleList}()\n`),
    built.above
      ? insertion(lineStart(file.text, built.beside.from), `${inside}${list}.append(`, ...construction, ")\n")
      : insertion(lineEnd(file.text, built.beside.to), `\n${inside}${list}.append(`, ...construction, ")"),
  ];
}
