/** Fixes that diagnostics carry with them: the text to put in place, and what the menu says. */
import { type CodeAction, CodeActionKind, type Diagnostic, TextEdit } from "vscode-languageserver-types";
import type { OpenDocument } from "./context";

/** `data` of a diagnostic with a fix. */
export interface Fix {
  readonly title: string;
  readonly replacement: string;
  /** Further edits that belong to the fix: uses of an import that it renames. */
  readonly also?: readonly TextEdit[];
}

function fixOf(data: unknown): Fix | undefined {
  if (typeof data !== "object" || data === null || !("fix" in data)) return undefined;
  const { fix } = data;
  if (typeof fix !== "object" || fix === null || !("title" in fix) || !("replacement" in fix))
    return undefined;
  const { title, replacement } = fix;
  if (typeof title !== "string" || typeof replacement !== "string") return undefined;
  const also: readonly unknown[] = "also" in fix && Array.isArray(fix.also) ? fix.also : [];
  return { title, replacement, also: also.filter((each) => TextEdit.is(each)) };
}

export function quickFixes(document: OpenDocument, diagnostics: readonly Diagnostic[]): CodeAction[] {
  return diagnostics.flatMap((diagnostic) => {
    const fix = diagnostic.source === "Litlens" ? fixOf(diagnostic.data) : undefined;
    if (fix === undefined) return [];
    const edits = [{ range: diagnostic.range, newText: fix.replacement }, ...(fix.also ?? [])];
    return [
      {
        title: fix.title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [diagnostic],
        isPreferred: true,
        edit: {
          documentChanges: [{ textDocument: { uri: document.uri, version: document.text.version }, edits }],
        },
      },
    ];
  });
}
