import * as vscode from "vscode";
import { acceptUntil, closeAll, litlens, open, until, webviewTitles } from "./editor";
import { holds, includes, same, sameText } from "./harness";
import { attention } from "./sources";

const source = attention.replace("self.query = nn.Linear", "self.query = nn.Lin|ear");
const insert = (request: object) => vscode.commands.executeCommand("litlens.insertAdapter", request);

/** Labels of the tabs that show a diff. */
const diffs = (): string[] =>
  vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(({ input }) => input instanceof vscode.TabInputTextDiff)
    .map(({ label }) => label);

/** The tabs once one shows a diff; accepts the steps before it with nothing ticked. */
function diffSoon(): Promise<string[]> {
  return until(
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      if (diffs().length === 0)
        await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
      await new Promise((resolve) => setTimeout(resolve, 300));
      return diffs();
    },
    (found) => found.length > 0,
  );
}

describe("Insert Adapter", () => {
  before(() => litlens().activate());
  afterEach(closeAll);

  it("shows the diff first; Cancel leaves the file as it was", async () => {
    const editor = await open(source);
    const before = editor.document.getText();
    const running = insert({ method: "lora" });
    same((await diffSoon()).join(), "Adapt query with LoRA (preview)", "diff");
    sameText(editor.document.getText(), before, "while the diff is shown");
    // The question follows the diff: it may not be there yet.
    await until(
      async () => {
        await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
        await new Promise((resolve) => setTimeout(resolve, 300));
        return diffs();
      },
      (left) => left.length === 0,
    );
    await running;
    same(diffs(), [], "diffs left open");
    sameText(editor.document.getText(), before, "after Cancel");
  });

  it("Apply makes exactly what the diff shows, and one undo takes it back", async () => {
    const editor = await open(source);
    const before = editor.document.getText();
    const running = insert({ method: "lora" });
    await diffSoon();
    const shown = vscode.workspace.textDocuments
      .find(({ uri }) => uri.scheme === "litlens-preview")
      ?.getText();
    holds(shown !== undefined, "no document of the preview");
    await acceptUntil(
      () => editor.document.getText(),
      (text) => text !== before,
    );
    await running;
    includes(shown, /self\.query = LoRALinear\(64, 64, rank=8, alpha=16\)/, "the preview");
    sameText(editor.document.getText(), shown, "after Apply");
    same(diffs(), [], "diffs left open");
    const { document } = editor;
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand("leaveSnippet");
    await vscode.commands.executeCommand("undo");
    sameText(document.getText(), before, "after one undo");
  });

  it("needs no preview where the setting says so", async () => {
    const settings = vscode.workspace.getConfiguration("litlens");
    await settings.update("insert.preview", false, vscode.ConfigurationTarget.Global);
    try {
      const editor = await open(source);
      const before = editor.document.getText();
      void insert({ method: "lora" });
      await acceptUntil(
        () => editor.document.getText(),
        (text) => text !== before,
      );
      includes(editor.document.getText(), "self.query = LoRALinear(64, 64, rank=8, alpha=16)", "document");
    } finally {
      await settings.update("insert.preview", undefined, vscode.ConfigurationTarget.Global);
    }
  });

  it("opens the comparison beside the code", async () => {
    await open(source);
    await vscode.commands.executeCommand("litlens.compareAdapters");
    const titles = await until(
      () => Promise.resolve(webviewTitles()),
      (found) => found.length > 0,
    );
    same(titles.join(), "Compare Adapters", "page");
  });

  it("says where to put the cursor when there is nothing to compare", async () => {
    await open("x = |1\n");
    await vscode.commands.executeCommand("litlens.compareAdapters");
    same(webviewTitles(), [], "pages");
  });
});
