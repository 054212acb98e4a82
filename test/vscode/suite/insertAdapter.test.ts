import * as vscode from "vscode";
import { acceptUntil, closeAll, inside, litlens, open, openFile, until, webviewTitles } from "./editor";
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
    const shown = await until(
      () =>
        Promise.resolve(
          vscode.workspace.textDocuments
            .find(({ uri }) => uri.scheme === "litlens-preview" && uri.query.startsWith("after"))
            ?.getText(),
        ),
      (text) => text !== undefined,
    );
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

  it("a file that changes while the diff is open is left as it is", async () => {
    const editor = await open(source);
    const running = Promise.resolve(insert({ method: "lora" }));
    await diffSoon();
    const change = new vscode.WorkspaceEdit();
    change.insert(editor.document.uri, new vscode.Position(0, 0), "# mine\n");
    await vscode.workspace.applyEdit(change);
    const mine = editor.document.getText();
    await acceptUntil(diffs, (left) => left.length === 0);
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 1000))]);
    sameText(editor.document.getText(), mine, "after Apply");
  });

  it("with a module beside the file, the diff shows both; Cancel leaves neither", async () => {
    const settings = vscode.workspace.getConfiguration("litlens");
    await settings.update("insert.destination", "module", vscode.ConfigurationTarget.Global);
    const document = await openFile("vit.py");
    const module = vscode.Uri.joinPath(document.uri, "../adapters.py");
    const before = document.getText();
    const previews = (): string[] =>
      vscode.window.tabGroups.all
        .flatMap(({ tabs }) => tabs.map(({ label }) => label))
        .filter((label) => label.includes("(preview)"));
    const exists = (): Thenable<boolean> =>
      vscode.workspace.fs.stat(module).then(
        () => true,
        () => false,
      );
    try {
      const place = { uri: document.uri.toString() };
      const { line, character } = inside(document, "self.qkv = nn.Linear");
      const request = { textDocument: place, position: { line, character }, method: "lora" };
      const running = insert(request);
      await until(
        async () => {
          await new Promise((resolve) => setTimeout(resolve, 300));
          if (previews().length === 0)
            await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
          return previews();
        },
        (found) => found.length > 0,
      );
      const shown = await until(
        () =>
          Promise.resolve(
            vscode.workspace.textDocuments.filter(({ uri }) => uri.scheme === "litlens-preview"),
          ),
        (found) => found.some(({ uri }) => uri.path.endsWith("adapters.py") && uri.query.startsWith("after")),
      );
      const texts = shown.map((each) => each.getText()).join("\n");
      includes(texts, /from adapters import LoRALinear/, "the preview");
      includes(texts, /class LoRALinear\(nn\.Linear\):/, "the preview");
      await until(
        async () => {
          await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
          await new Promise((resolve) => setTimeout(resolve, 300));
          return previews();
        },
        (left) => left.length === 0,
      );
      await running;
      same(previews(), [], "diffs left open");
      sameText(document.getText(), before, "after Cancel");
      same(await exists(), false, "adapters.py");
    } finally {
      await settings.update("insert.destination", undefined, vscode.ConfigurationTarget.Global);
    }
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

  it("in a notebook, the diff shows each cell, and Apply changes the cells that it shows", async () => {
    const cell = (text: string) => new vscode.NotebookCellData(vscode.NotebookCellKind.Code, text, "python");
    const model = attention.slice(attention.indexOf("class "));
    const notebook = await vscode.workspace.openNotebookDocument(
      "jupyter-notebook",
      new vscode.NotebookData([cell("%matplotlib inline\nimport torch\nimport torch.nn as nn"), cell(model)]),
    );
    await vscode.window.showNotebookDocument(notebook);
    const { document } = notebook.cellAt(1);
    const { line, character } = inside(document, "nn.Linear");
    const textDocument = { uri: document.uri.toString() };
    const before = document.getText();
    const running = insert({ textDocument, position: { line, character }, method: "lora" });
    await acceptUntil(
      () => document.getText(),
      (text) => text !== before,
    );
    await running;
    includes(notebook.cellAt(0).document.getText(), /^%matplotlib inline\nimport math\n/, "cell of imports");
    includes(document.getText(), /^class LoRALinear\(nn\.Linear\):/, "cell of the model");
    includes(document.getText(), "self.query = LoRALinear(64, 64, rank=8, alpha=16)", "cell of the model");
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
