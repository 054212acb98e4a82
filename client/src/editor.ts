/** The editor that a command is about, and edits in it. */
import { Uri, window, workspace, type Position, type TextDocument, type TextEditor } from "vscode";
import type { AdapterChoicesParams, WorkspaceEdit } from "../../server/src/protocol";
import type { Server } from "./server";

/** The Python place under the cursor, for what fits there; `undefined` in other editors. */
export function pythonPlace(): AdapterChoicesParams | undefined {
  const editor = window.activeTextEditor;
  return editor?.document.languageId === "python"
    ? placeIn(editor.document, editor.selection.active)
    : undefined;
}

/** A position in the words of LSP, which counts as VS Code does. */
export function placeIn({ uri }: TextDocument, { line, character }: Position): AdapterChoicesParams {
  return { textDocument: { uri: uri.toString() }, position: { line, character } };
}

/** "models/gpt.py:27", to begin a message. */
export function lineOf({ textDocument, position }: AdapterChoicesParams): string {
  return `${workspace.asRelativePath(Uri.parse(textDocument.uri))}:${position.line + 1}`;
}

/** The active editor, or an error that says what to open. `purpose` ends "to …". */
export function activeEditor(purpose: string): TextEditor {
  const editor = window.activeTextEditor;
  if (!editor) throw new Error(`Open a file and put the cursor where you want ${purpose}.`);
  return editor;
}

/** Applies what the server computed for `document` as it was at `version`. */
export async function applyEdit(
  server: Server,
  edit: WorkspaceEdit,
  document: TextDocument | undefined,
  version: number | undefined,
): Promise<void> {
  const converted = await server.client.protocol2CodeConverter.asWorkspaceEdit(edit);
  if (document && document.version !== version)
    throw new Error(`${workspace.asRelativePath(document.uri)} changed in the meantime; insert once more.`);
  if (!(await workspace.applyEdit(converted)))
    throw new Error(
      `${document === undefined ? "The file" : workspace.asRelativePath(document.uri)} cannot be edited; is it read-only?`,
    );
}
