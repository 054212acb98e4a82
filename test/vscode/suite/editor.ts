/** What the tests do in an editor: open marked text, hover, complete, apply an action, wait. */
import * as vscode from "vscode";
import { holds } from "./harness";

/** The extension under test. */
export function litlens(): vscode.Extension<unknown> {
  const extension = vscode.extensions.getExtension("litlens.litlens");
  holds(extension !== undefined, "VS Code has not loaded the extension litlens.litlens");
  return extension;
}

/** Position of the cursor in a marked text, and the text without the mark: a `|` that is not between spaces, as that of `int | None` is. */
export function marked(source: string): { readonly text: string; readonly offset: number } {
  const offset = source.search(/(?<! )\||\|(?! )/);
  holds(offset >= 0, "the source has no | for the cursor");
  return { text: source.slice(0, offset) + source.slice(offset + 1), offset };
}

/** Opens a new Python document in an editor, with the cursor at `|`. */
export async function open(source: string): Promise<vscode.TextEditor> {
  const { text, offset } = marked(source);
  const document = await until(
    () => vscode.workspace.openTextDocument({ language: "python", content: text }),
    // VS Code may give it the name of one that is on its way out, and its text with it
    (opened) => opened.getText() === text,
  );
  const editor = await vscode.window.showTextDocument(document);
  holds(editor.document.getText() === text, "the new document holds another text");
  const position = document.positionAt(offset);
  editor.selection = new vscode.Selection(position, position);
  return editor;
}

/** Opens a file of the workspace. */
export async function openFile(name: string): Promise<vscode.TextDocument> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  holds(folder !== undefined, "no workspace folder is open");
  const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, name));
  await vscode.window.showTextDocument(document);
  return document;
}

/** Position just inside the first occurrence of `text`. */
export function inside(document: vscode.TextDocument, text: string): vscode.Position {
  const offset = document.getText().indexOf(text);
  holds(offset >= 0, `${document.uri.path} has no ${text}`);
  return document.positionAt(offset + 1);
}

/** Asks until the answer is good, for at most 10 s; gives the last answer. */
export async function until<T>(ask: () => Thenable<T>, good: (answer: T) => boolean): Promise<T> {
  const end = Date.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (good(answer) || Date.now() > end) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const textOf = (content: vscode.Hover["contents"][number]): string =>
  content instanceof vscode.MarkdownString ? content.value : JSON.stringify(content);

/** Markdown of all hovers at a place; "" where there is none. */
export async function hoverText(uri: vscode.Uri, position: vscode.Position): Promise<string> {
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    "vscode.executeHoverProvider",
    uri,
    position,
  );
  return hovers.flatMap(({ contents }) => contents.map(textOf)).join("\n");
}

/** As `hoverText`, once the server has answered something. */
export function hoverSoon(uri: vscode.Uri, position: vscode.Position): Promise<string> {
  return until(
    () => hoverText(uri, position),
    (text) => text !== "",
  );
}

/** Our adapter actions at a place, resolved. */
export async function adapterActionsAt(
  document: vscode.TextDocument,
  range: vscode.Range,
  kind = "refactor.rewrite.adapter",
): Promise<vscode.CodeAction[]> {
  const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
    "vscode.executeCodeActionProvider",
    document.uri,
    range,
    kind,
    100,
  );
  return actions.filter((action) => action.kind?.value.startsWith("refactor.rewrite.adapter"));
}

/** Our adapter actions at the cursor of an editor, resolved. */
export const adapterActions = (editor: vscode.TextEditor): Promise<vscode.CodeAction[]> =>
  adapterActionsAt(editor.document, editor.selection);

/** Applies an action as the lightbulb does: its edit, then its command. */
export async function apply(action: vscode.CodeAction): Promise<void> {
  if (action.edit) holds(await vscode.workspace.applyEdit(action.edit), `${action.title}: edit refused`);
  const { command } = action;
  const parameters: unknown[] = command?.arguments ?? [];
  if (command) await vscode.commands.executeCommand(command.command, ...parameters);
}

/** Chooses an action of a kind as a person does in the menu: VS Code resolves it and applies its edit, snippet stops and all. */
export async function choose(kind: string, editor: vscode.TextEditor): Promise<string> {
  const before = editor.document.getText();
  return until(
    async () => {
      await vscode.commands.executeCommand("editor.action.codeAction", { kind, apply: "first" });
      return settled(editor.document);
    },
    (text) => text !== before,
  );
}

/** The text once it has stayed the same for a while. */
async function settled(document: vscode.TextDocument): Promise<string> {
  let text = document.getText();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    if (document.getText() === text) return text;
    text = document.getText();
  }
}

/** Accepts what stands first in the open quick pick, again and again until something has come of it. */
export function acceptUntil<T>(look: () => T, good: (seen: T) => boolean): Promise<T> {
  return until(async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
    return look();
  }, good);
}

/** Titles of the open tabs that show a webview. */
export function webviewTitles(): string[] {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter((tab) => tab.input instanceof vscode.TabInputWebview)
    .map(({ label }) => label);
}

export async function closeAll(): Promise<void> {
  // A changed document would ask whether to keep it
  for (let tabs = 0; tabs < 20 && vscode.window.activeTextEditor; tabs++)
    await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
  await vscode.commands.executeCommand("workbench.action.closeAllEditors");
  // A new document may get the name of one that is still on its way out, and its text with it
  await until(
    () => Promise.resolve(vscode.workspace.textDocuments),
    (documents) => !documents.some(({ isUntitled }) => isUntitled),
  );
}
