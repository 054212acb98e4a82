/** Hover over an identifier of a library: what it is, what it computes, what this call means, where it comes from. */
import type { LibrarySymbol } from "../../literature/model";
import type { Call } from "../../python/facts";
import { dotted, escape, paragraphs, prose } from "../../render/markdown";
import { paperLine, paperLink, shortName } from "../../render/paper";
import type { FeatureContext } from "../context";
import { scaleLine } from "./here";
import { actionLinks } from "./links";
import { fidelityLine, methodFormula, recommendations, refinedBy } from "./literature";

export function symbolHover(context: FeatureContext, symbol: LibrarySymbol, call: Call | undefined): string {
  const { library } = context;
  const papers = symbol.papers.flatMap((id) => library.paper(id) ?? []);
  const title = dotted(`**${escape(symbol.name)}**`, escape(symbol.library));
  const summary = prose(symbol.summary);
  if (!standsForMethod(symbol)) {
    const names = papers.slice(0, 6).map((paper) => paperLink(paper));
    return paragraphs(
      title,
      summary,
      recommendations(context, symbol),
      names.length === 0 ? "" : `Papers: ${names.join(", ")}`,
    );
  }
  // Several methods are reached through one symbol (LoraConfig): that of its first paper is what it computes.
  const methods = symbol.methods.flatMap((id) => library.method(id) ?? []);
  const method = methods.find(({ paper }) => paper === symbol.papers[0]);
  const [paper, ...others] = papers;
  return paragraphs(
    title,
    summary,
    methodFormula(context, method),
    call && scaleLine(context, symbol, call),
    recommendations(context, symbol),
    paper && paperLine(paper),
    sentences(
      others.length === 0 ? undefined : `See also ${escape(others.slice(0, 4).map(shortName).join(", "))}`,
      paper && refinedBy(context, paper),
    ),
    fidelityLine(method),
    actionLinks(context, paper, method),
  );
}

/** A config or a layer of one method computes what its paper says; `get_peft_model` or `nn.Linear` serve many. */
const standsForMethod = ({ kind, papers }: LibrarySymbol): boolean =>
  kind === "config" || (kind === "class" && papers.length === 1);

const sentences = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined).join(". ");
