/** Learned tokens before the stack of blocks, dropped again after it, so that everything outside sees T positions. */
import { type Edit, insertion } from "../edits";
import { lineStart } from "../definitions";
import type { BlockStackPlace } from "../places";
import { joined, writtenArguments } from "./arguments";
import { afterInInit, type CallSite, freeAttribute, indentationAt, lineEnd } from "./callSite";

export function adaptBlockStack(at: CallSite, place: BlockStackPlace): Edit[] {
  const { file, method, site, options, symbol } = at;
  const { statement, variable, width, layer } = place.stack;
  if (width === undefined) return [];
  const attribute = freeAttribute(place.module, file.text, site.attribute ?? "prompt");
  const hyperparameters = writtenArguments(method, site, options, file.facts);
  const built = place.module.layers.find(({ path }) => path === layer)?.call.statement;
  const indentation = indentationAt(file.text, statement.from);
  return [
    afterInInit(
      file,
      place.module,
      built,
      `self.${attribute} = ${symbol}(`,
      ...joined([[width.text], ...hyperparameters], ", "),
      ")",
    ),
    insertion(
      lineStart(file.text, statement.from),
      `${indentation}${variable} = self.${attribute}(${variable})  # (B, n + T, d)\n`,
    ),
    insertion(
      lineEnd(file.text, statement.to),
      `\n${indentation}${variable} = self.${attribute}.strip(${variable})  # (B, T, d)`,
    ),
  ];
}
