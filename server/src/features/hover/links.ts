/** What one can do from a hover, for clients that run our commands. */
import { isInsertable } from "../../literature/library";
import type { Method, Paper } from "../../literature/model";
import { commandLink } from "../../render/markdown";
import type { FeatureContext, OpenDocument } from "../context";

/** [Paper] · [Related] · [Insert into a model] · [Copy BibTeX] */
export function actionLinks(
  { commandLinks }: FeatureContext,
  paper: Paper | undefined,
  method: Method | undefined,
): string | undefined {
  if (!commandLinks) return undefined;
  const links = [
    ...(paper === undefined
      ? []
      : [
          commandLink("Paper", "litlens.showPaper", [paper.id]),
          commandLink("Related", "litlens.searchPapers", [paper.title]),
        ]),
    ...(method === undefined || !isInsertable(method)
      ? []
      : [commandLink("Insert into a model", "litlens.insertAdapter", [{ method: method.id }])]),
    ...(paper === undefined ? [] : [commandLink("Copy BibTeX", "litlens.copyBibtex", [paper.id])]),
  ];
  return links.join(" · ");
}

/** [Adapt this layer…] */
export function adaptLink(
  { commandLinks }: FeatureContext,
  document: OpenDocument,
  offset: number,
): string | undefined {
  if (!commandLinks) return undefined;
  return commandLink("Adapt this layer…", "litlens.insertAdapter", [
    document.uri,
    document.text.positionAt(offset),
  ]);
}
