/** Hover over a class that somebody wrote by hand: the paper whose method it computes, and why we think so. */
import type { ModuleClass } from "../../python/facts";
import { code, dotted, escape, paragraphs } from "../../render/markdown";
import { paperLine } from "../../render/paper";
import type { FeatureContext, OpenDocument } from "../context";
import { lineage } from "../lineage";
import { resemblance } from "../resemblance";
import { actionLinks } from "./links";
import { methodFormula } from "./literature";

/** undefined where it computes nothing that the corpus knows. */
export function resemblingHover(
  context: FeatureContext,
  { python: { facts } }: OpenDocument,
  module: ModuleClass,
): string | undefined {
  const found = resemblance(context.library, facts, module);
  if (found === undefined) return undefined;
  const { method, formula, roles } = found;
  const paper = context.library.paper(method.paper);
  const parts = [...roles].map(([letter, name]) =>
    name === "super"
      ? `${code(letter)} is the class it extends`
      : `${code(letter)} is ${code(name.replaceAll(".*", "[…]"))}`,
  );
  return paragraphs(
    dotted(`**${escape(module.name)}**`, `resembles ${escape(method.name)}`),
    `It computes ${code(formula)}, scales aside: ${parts.join(", ")}.`,
    methodFormula(context, method),
    paper && paperLine(paper),
    paper && lineage(context, paper),
    actionLinks(context, paper, method),
  );
}
