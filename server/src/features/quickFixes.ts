/** Fixes that diagnostics carry with them: the edits, and what the menu says. */
import {
  type CodeAction,
  type CodeActionContext,
  CodeActionKind,
  type Diagnostic,
  TextEdit,
} from "vscode-languageserver-types";
import type { OpenDocument } from "./context";

/** `data.fixes` of a diagnostic holds these, the best first. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly TextEdit[];
}

function fixesOf(data: unknown): Fix[] {
  if (typeof data !== "object" || data === null || !("fixes" in data) || !Array.isArray(data.fixes))
    return [];
  const fixes: readonly unknown[] = data.fixes;
  return fixes.flatMap((fix) => {
    if (typeof fix !== "object" || fix === null || !("title" in fix) || !("edits" in fix)) return [];
    const { title, edits } = fix;
    if (typeof title !== "string" || !Array.isArray(edits)) return [];
    const written: readonly unknown[] = edits;
    return [{ title, edits: written.filter((each) => TextEdit.is(each)) }];
  });
}

export function quickFixes(
  document: Pick<OpenDocument, "uri" | "text">,
  diagnostics: readonly Diagnostic[],
): CodeAction[] {
  return diagnostics
    .filter(({ source }) => source === "Litlens")
    .flatMap((diagnostic) =>
      fixesOf(diagnostic.data).map(({ title, edits }, index): CodeAction => ({
        title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [diagnostic],
        isPreferred: index === 0,
        edit: {
          documentChanges: [
            { textDocument: { uri: document.uri, version: document.text.version }, edits: [...edits] },
          ],
        },
      })),
    );
}

/** All that a document without code can be offered. */
export const quickFixesFor = (
  document: Pick<OpenDocument, "uri" | "text">,
  { only, diagnostics }: CodeActionContext,
): CodeAction[] =>
  only === undefined || only.some((kind) => kind === CodeActionKind.QuickFix || kind === "")
    ? quickFixes(document, diagnostics)
    : [];
