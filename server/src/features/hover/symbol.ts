/** Hover over an identifier of a library: what it is, what it computes, what this call means, where it comes from. */
import type { LibrarySymbol } from "../../literature/model";
import type { Call } from "../../python/facts";
import { dotted, escape, paragraphs } from "../../render/markdown";
import { paperLine, shortName } from "../../render/paper";
import type { FeatureContext } from "../context";
import { scaleLine } from "./here";
import { actionLinks } from "./links";
import { fidelityLine, methodFormula, recommendations, refinedBy } from "./literature";

export function symbolHover(context: FeatureContext, symbol: LibrarySymbol, call: Call | undefined): string {
  const { library } = context;
  const [method] = symbol.methods.flatMap((id) => library.method(id) ?? []);
  const papers = symbol.papers.flatMap((id) => library.paper(id) ?? []);
  const [paper] = papers;
  const others = papers.slice(1).map(shortName);
  return paragraphs(
    dotted(`**${escape(symbol.name)}**`, escape(symbol.library)),
    escape(symbol.summary),
    methodFormula(context, method),
    call && scaleLine(context, symbol, call),
    recommendations(context, symbol),
    paper && paperLine(paper),
    [
      ...(others.length === 0 ? [] : [`See also ${escape(others.slice(0, 4).join(", "))}`]),
      ...((paper && [refinedBy(context, paper) ?? ""]) ?? []),
    ]
      .filter((part) => part !== "")
      .join(". "),
    fidelityLine(method),
    actionLinks(context, paper, method),
  );
}
