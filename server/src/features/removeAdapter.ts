/** "Remove LoRA from c_attn": offered on an adapter that Litlens inserted. */
import type { CodeAction, WorkspaceEdit } from "vscode-languageserver-types";
import { labelOf } from "../adapters/construction";
import { departure } from "../adapters/importers";
import { type Adapter, adaptersIn, removeAdapter, symbolOf } from "../adapters/remove";
import { appliedIn, removeApplied } from "../adapters/removeApplied";
import type { ProjectManner } from "../adapters/projectManner";
import type { FeatureContext, OpenDocument } from "./context";
import { CannotInsert, changesElsewhere, documentEdit, type OtherFiles } from "./insertAdapter";
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
  const layers = adapters(context, document).map(({ key, layer, layers: together, method, touch }) => ({
    key,
    touch,
    what: `${method.name} from ${quoted(labelOf(layer, together))}`,
  }));
  const applied = appliedIn(document.python, context.library.methods()).map(
    ({ key, model, method, call }) => ({
      key,
      touch: [call.statement],
      what: `${method.name} from the layers of \`${model}\``,
    }),
  );
  return [...layers, ...applied]
    .filter(({ touch }) => touch.some((range) => range.from <= to && from <= range.to))
    .map(({ key, what }) => {
      const data: RemovalData = { uri: document.uri, removal: key };
      return { title: `Remove ${what}`, kind: "refactor.rewrite.adapter.remove", data };
    });
}

const quoted = (label: string): string => (/\s/.test(label) ? label : `\`${label}\``);

export const isRemovalData = (data: unknown): data is RemovalData =>
  typeof data === "object" && data !== null && "removal" in data && "uri" in data;

/** @throws CannotInsert where the adapter is gone already */
export async function removalEdit(
  context: FeatureContext,
  document: OpenDocument,
  { removal }: RemovalData,
  project: ProjectManner,
  { readAround }: OtherFiles,
): Promise<WorkspaceEdit> {
  const { library } = context;
  const applied = appliedIn(document.python, library.methods()).find(({ key }) => key === removal);
  if (applied !== undefined) {
    const edits = removeApplied(document.python, applied, library.shared());
    return { documentChanges: [documentEdit(document, edits, false, project)] };
  }
  const adapter = adapters(context, document).find(({ key }) => key === removal);
  if (adapter === undefined)
    throw new CannotInsert("The adapter is not in this file any more; ask for actions again.");
  const sources = [...library.shared(), ...adapter.method.python];
  const names = new Set(sources.flatMap(({ definitions }) => definitions.map(({ name }) => name)));
  const file = document.python;
  const { others, used } = departure(file, symbolOf(adapter), names, await readAround(document));
  const own = documentEdit(document, removeAdapter(file, adapter, sources, used), false, project);
  return { documentChanges: [own, ...others.map(changesElsewhere)] };
}
