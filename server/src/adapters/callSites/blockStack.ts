/** A module around the stack of blocks: built in `__init__`, called before, inside and after as the method says. */
import type { Edit } from "../edits";
import { insertion } from "../edits";
import type { BlockStackPlace } from "../places";
import { joined, writtenArguments } from "./arguments";
import { afterInInit, type CallSite, freeAttribute, indentationAt, lineEnd } from "./callSite";
import { above, below, fill, indented } from "./templates";

export function adaptBlockStack(at: CallSite, place: BlockStackPlace): Edit[] {
  const { file, method, site, options, symbol } = at;
  const { statement, variable, width, layer } = place.stack;
  if (width === undefined) return [];
  const attribute = freeAttribute(place.module, file.text, site.attribute ?? "adapter");
  const built = place.module.layers.find(({ path }) => path === layer)?.call.statement;
  const construction = joined([[width.text], ...writtenArguments(method, site, options, file.facts)], ", ");
  const names = { adapter: `self.${attribute}`, x: variable, layers: `self.${layer}`, width: width.text };
  const inLoop = /^for\b/.test(file.text.slice(statement.from));
  const bodyIndentation = `${indentationAt(file.text, statement.from)}${file.facts.layout.indent}`;
  return [
    afterInInit(file, place.module, built, `self.${attribute} = ${symbol}(`, ...construction, ")"),
    ...above(at, statement.from, site.before, names),
    ...(site.inside === undefined || !inLoop
      ? []
      : [
          insertion(
            lineEnd(file.text, statement.to),
            "\n",
            ...indented(fill(at, site.inside, names), bodyIndentation),
          ),
        ]),
    ...below(at, statement.from, statement.to, site.after, names),
  ];
}
