/** All that the language service offers in a file, applied. */
import { TextDocument } from "vscode-languageserver-textdocument";
import type { CodeAction, WorkspaceEdit } from "vscode-languageserver-types";
import { serviceWith, uri } from "../unit/adapters/check";

const only = ["refactor.rewrite.adapter"];

/** Asked over the whole text. */
export function actionsOn(text: string): { service: ReturnType<typeof serviceWith>; actions: CodeAction[] } {
  const service = serviceWith(text);
  const end = TextDocument.create(uri, "python", 1, text).positionAt(text.length);
  const range = { start: { line: 0, character: 0 }, end };
  return { service, actions: service.codeActions(uri, range, { diagnostics: [], only }) };
}

export function siteOf({ data }: CodeAction): { method: string; site: string } | undefined {
  const known: unknown = data;
  if (typeof known !== "object" || known === null || !("site" in known) || !("method" in known))
    return undefined;
  return { method: String(known.method), site: String(known.site) };
}

/** Helpers of free code fit every blank line: only the first counts. */
export const isRepeated = ({ site }: { readonly site: string }): boolean => /@free::[^0]/.test(site);

/** What an edit writes between which offsets of the original. */
export interface Written {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export function writtenBy(edit: WorkspaceEdit | undefined, text: string): Written[] {
  const document = TextDocument.create(uri, "python", 1, text);
  return (edit?.documentChanges ?? []).flatMap((change) =>
    "edits" in change
      ? change.edits.map((each) => ({
          from: document.offsetAt(each.range.start),
          to: document.offsetAt(each.range.end),
          text: "newText" in each ? each.newText : each.snippet.value,
        }))
      : [],
  );
}
