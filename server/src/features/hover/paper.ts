/** Hover over a paper: an arXiv id or a title in prose. */
import type { Paper } from "../../literature/model";
import { dotted, escape, paragraphs } from "../../render/markdown";
import { firstParagraph, paperLine } from "../../render/paper";
import type { FeatureContext } from "../context";
import { lineage } from "../lineage";
import { actionLinks } from "./links";
import { fidelityLine, hyperparameterList, methodFormula } from "./literature";

export function paperHover(context: FeatureContext, paper: Paper): string {
  const methods = context.library.methodsOf(paper.id);
  const [method] = methods;
  return paragraphs(
    paperLine(paper),
    dotted(allAuthors(paper), listed(paper)),
    escape(firstParagraph(paper.summary)),
    methodFormula(context, method),
    method && hyperparameterList(context, method),
    lineage(context, paper),
    fidelityLine(method),
    actionLinks(context, paper, method),
  );
}

/** Every author while they are few, else the first ones and how many there are. */
function allAuthors({ authors, authorCount, organisation }: Paper): string {
  const number = Math.max(authors.length, authorCount ?? 0);
  const shown = authors.slice(0, 6);
  const names =
    shown.length < number && shown.length > 0
      ? `${shown.join(", ")} and ${number - shown.length} more`
      : shown.join(", ");
  const counted = names === "" && number > 0 ? `${number} author${number === 1 ? "" : "s"}` : names;
  return dotted(escape(counted), organisation === undefined ? "" : escape(organisation));
}

/** What an imported page said of it. */
const listed = ({ listed: from }: Paper): string =>
  from === undefined
    ? ""
    : dotted(
        from.date === undefined ? "" : escape(from.date),
        from.votes === undefined ? "" : `${from.votes} votes`,
      );
