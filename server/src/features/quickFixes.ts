/** Fixes that diagnostics carry with them: the text to put in place, and what the menu says. */
import { type CodeAction, CodeActionKind, type Diagnostic } from "vscode-languageserver-types";
import type { OpenDocument } from "./context";

/** `data` of a diagnostic with a fix. */
export interface Fix {
  readonly title: string;
  readonly replacement: string;
}

function fixOf(data: unknown): Fix | undefined {
  if (typeof data !== "object" || data === null || !("fix" in data)) return undefined;
  const { fix } = data;
  if (typeof fix !== "object" || fix === null || !("title" in fix) || !("replacement" in fix)) return undefined;
  const { title, replacement } = fix;
  return typeof title === "string" && typeof replacement === "string" ? { title, replacement } : undefined;
}

export function quickFixes(document: OpenDocument, diagnostics: readonly Diagnostic[]): CodeAction[] {
  return diagnostics.flatMap((diagnostic) => {
    const fix = diagnostic.source === "Litlens" ? fixOf(diagnostic.data) : undefined;
    if (fix === undefined) return [];
    const edits = [{ range: diagnostic.range, newText: fix.replacement }];
    return [
      {
        title: fix.title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [diagnostic],
        isPreferred: true,
        edit: { documentChanges: [{ textDocument: { uri: document.uri, version: document.text.version }, edits }] },
      },
    ];
  });
}
