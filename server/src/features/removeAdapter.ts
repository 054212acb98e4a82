/** "Remove LoRA from c_attn": offered on an adapter that Litlens inserted. */
import type { CodeAction, WorkspaceEdit } from "vscode-languageserver-types";
import { type Adapter, adaptersIn, removeAdapter } from "../adapters/remove";
import type { FeatureContext, OpenDocument } from "./context";
import { CannotInsert, documentEdit } from "./insertAdapter";
import { insertedMethod } from "./inserted";

export interface RemovalData {
  readonly uri: string;
  readonly removal: string;
}

const adapters = ({ library }: FeatureContext, { python }: OpenDocument): Adapter[] =>
  adaptersIn(python, (qualified) => insertedMethod(library, python.facts, qualified));

export function removalActions(
  context: FeatureContext,
  document: OpenDocument,
  from: number,
  to: number,
): CodeAction[] {
  return adapters(context, document)
    .filter(({ touch }) => touch.some((range) => range.from <= to && from <= range.to))
    .map(({ key, layer, method }) => {
      const data: RemovalData = { uri: document.uri, removal: key };
      return {
        title: `Remove ${method.name} from \`${layer.path}\``,
        kind: "refactor.rewrite.adapter.remove",
        data,
      };
    });
}

export const isRemovalData = (data: unknown): data is RemovalData =>
  typeof data === "object" && data !== null && "removal" in data && "uri" in data;

/** @throws CannotInsert where the adapter is gone already */
export function removalEdit(
  context: FeatureContext,
  document: OpenDocument,
  { removal }: RemovalData,
): WorkspaceEdit {
  const adapter = adapters(context, document).find(({ key }) => key === removal);
  if (adapter === undefined)
    throw new CannotInsert("The adapter is not in this file any more; ask for actions again.");
  const { library } = context;
  const edits = removeAdapter(document.python, adapter, [...library.shared(), ...adapter.method.python]);
  return { documentChanges: [documentEdit(document, edits, false)] };
}
