/**
 * The diff of an edit before it is made. Of VS Code's two ways this is the diff editor: its "Refactor Preview" lets one
 * untick single changes, and a call without its definition would be broken code; the diff shows the file as it will be.
 */
import {
  commands,
  EventEmitter,
  Range,
  Uri,
  window,
  workspace,
  type Disposable,
  type TextDocument,
  type TextDocumentContentProvider,
} from "vscode";
import type { WorkspaceEdit } from "../../server/src/protocol";
import { textAfter, type Change } from "./editedText";
import type { Steps } from "./steps";

const scheme = "litlens-preview";

interface Side {
  readonly uri: Uri;
  readonly before: string;
  readonly after: string;
  /** Of the text after, where the user has something to decide. */
  readonly line?: number;
  /** There is no such file yet. */
  readonly isNew?: boolean;
  /** The open document, where the left side can be the file itself. */
  readonly document?: TextDocument;
}

export class Previews implements Disposable, TextDocumentContentProvider {
  readonly #changed = new EventEmitter<Uri>();
  readonly #texts = new Map<string, string>();
  readonly #registration: Disposable;
  readonly onDidChange = this.#changed.event;

  constructor() {
    this.#registration = workspace.registerTextDocumentContentProvider(scheme, this);
  }

  provideTextDocumentContent(uri: Uri): string {
    return this.#texts.get(uri.toString()) ?? "";
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }

  /**
   * Shows what the edit makes of its files and asks; whether it shall be applied.
   * @throws where a file is no longer what was shown
   */
  async confirm(steps: Steps, edit: WorkspaceEdit, title: string): Promise<boolean> {
    const sides = await sidesOf(edit);
    if (sides.length === 0) return true;
    const pairs = sides.map((side) => ({
      file: side.uri,
      left: side.document === undefined ? this.#virtual(side.uri, "before", side.before) : side.uri,
      right: this.#virtual(side.uri, "after", side.after),
      line: side.line,
    }));
    const [first, another] = pairs;
    const heading = `${title} (preview)`;
    if (another === undefined && first !== undefined)
      await commands.executeCommand("vscode.diff", first.left, first.right, heading, {
        preview: true,
        preserveFocus: true,
        // The definitions are long, and the line that the user chose stands below them
        ...(first.line !== undefined && { selection: new Range(first.line, 0, first.line, 0) }),
      });
    else
      await commands.executeCommand(
        "vscode.changes",
        heading,
        pairs.map(({ file, left, right }) => [file, left, right]),
      );
    try {
      if (!(await ask(steps, title, sides))) return false;
    } finally {
      await closeTabs(heading);
      this.#texts.clear();
    }
    await checkUnchanged(sides);
    return true;
  }

  #virtual(file: Uri, side: "before" | "after", text: string): Uri {
    // The file's own name last, so that the diff is coloured as its language.
    const uri = Uri.from({ scheme, path: file.path, query: `${side}&${file.scheme}&${file.fragment}` });
    this.#texts.set(uri.toString(), text);
    this.#changed.fire(uri);
    return uri;
  }
}

/** The files of an edit, each before and after; those that it creates begin empty. */
async function sidesOf(edit: WorkspaceEdit): Promise<Side[]> {
  const changes = (edit.documentChanges ?? []).flatMap((change) =>
    "textDocument" in change ? [change] : [],
  );
  const created = new Set(
    (edit.documentChanges ?? []).flatMap((change) =>
      "kind" in change && change.kind === "create" ? [change.uri] : [],
    ),
  );
  return Promise.all(
    changes.map(async ({ textDocument, edits }): Promise<Side> => {
      const uri = Uri.parse(textDocument.uri);
      const given: readonly Change[] = edits;
      if (created.has(textDocument.uri))
        return { uri, before: "", after: textAfter("", given).text, isNew: true };
      const document = await workspace.openTextDocument(uri);
      const before = document.getText();
      const isCell = uri.scheme === "vscode-notebook-cell";
      const { text: after, line } = textAfter(before, given);
      return { uri, before, after, ...(line !== undefined && { line }), ...(isCell ? {} : { document }) };
    }),
  );
}

/** The diff may have been open for long. */
async function checkUnchanged(sides: readonly Side[]): Promise<void> {
  for (const { uri, before, isNew } of sides) {
    const isChanged =
      isNew === true
        ? await workspace.fs.stat(uri).then(
            () => true,
            () => false,
          )
        : (await workspace.openTextDocument(uri)).getText() !== before;
    if (isChanged)
      throw new Error(`${workspace.asRelativePath(uri)} changed in the meantime; insert once more.`);
  }
}

async function ask(steps: Steps, title: string, sides: readonly Side[]): Promise<boolean> {
  const files = sides.length === 1 ? "" : ` in ${sides.length} files`;
  const apply = { label: "$(check) Apply", description: `${title}${files}; one undo takes it back` };
  const cancel = { label: "$(close) Cancel", description: "leave everything as it is" };
  const pick = window.createQuickPick();
  pick.title = "Litlens: Preview";
  pick.placeholder = "Enter applies what the diff shows, Escape cancels";
  pick.items = [apply, cancel];
  // One reads and scrolls the diff meanwhile
  pick.ignoreFocusOut = true;
  const [chosen] = (await steps.show(pick)) ?? [];
  pick.hide();
  return chosen?.label === apply.label;
}

/** A diff of several files has their number behind its label. */
async function closeTabs(heading: string): Promise<void> {
  const isOurs = (label: string): boolean => label === heading || label.startsWith(`${heading} (`);
  const tabs = window.tabGroups.all.flatMap((group) => group.tabs).filter(({ label }) => isOurs(label));
  if (tabs.length > 0) await window.tabGroups.close(tabs);
}
