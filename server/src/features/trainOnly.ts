/** "Train only the adapters of GPT": offered on a model class, and where a model is built, once the file has adapters. */
import type { CodeAction, WorkspaceEdit } from "vscode-languageserver-types";
import { constructions, isDone, mayHold, trainOnly } from "../adapters/trainOnly";
import { adapterClasses } from "./inserted";
import { CannotInsert, documentEdit } from "./insertAdapter";
import { type ProjectManner, withProjectManner } from "../adapters/projectManner";
import type { FeatureContext, OpenDocument } from "./context";

const kind = "refactor.rewrite.adapter.train-only";

export interface TrainOnlyData {
  readonly uri: string;
  readonly trainOnly: string;
}

export function trainOnlyActions(
  context: FeatureContext,
  document: OpenDocument,
  from: number,
  to: number,
): CodeAction[] {
  const adapters = adapterClasses(context, document);
  if (adapters.length === 0) return [];
  const file = document.python;
  return constructions(file)
    .filter(({ touch }) => touch.some((range) => range.from <= to && from <= range.to))
    .filter((each) => !adapters.includes(each.label) && !isDone(file, each))
    .filter((each) => mayHold(file, each, adapters))
    .map(({ key, label }) => {
      const data: TrainOnlyData = { uri: document.uri, trainOnly: key };
      return { title: `Train only the adapters of \`${label}\``, kind, data };
    });
}

export const isTrainOnlyData = (data: unknown): data is TrainOnlyData =>
  typeof data === "object" && data !== null && "trainOnly" in data && "uri" in data;

export function trainOnlyEdit(
  context: FeatureContext,
  document: OpenDocument,
  { trainOnly: key }: TrainOnlyData,
  project: ProjectManner,
): WorkspaceEdit {
  const construction = constructions(document.python).find((each) => each.key === key);
  if (construction === undefined)
    throw new CannotInsert("The model is no longer built here; ask for actions again.");
  const edits = trainOnly(
    withProjectManner(document.python, project),
    construction,
    adapterClasses(context, document),
    context.library.shared(),
  );
  return { documentChanges: [documentEdit(document, edits, false, project)] };
}
