import * as vscode from "vscode";
import { acceptUntil, closeAll, litlens, open, until, webviewTitles } from "./editor";
import { holds, includes, same } from "./harness";
import { peft } from "./sources";

describe("papers", () => {
  before(() => litlens().activate());
  afterEach(closeAll);

  const pageSoon = () =>
    until(
      () => Promise.resolve(webviewTitles()),
      (titles) => titles.length > 0,
    );

  it("opens the page of a paper", async () => {
    await vscode.commands.executeCommand("litlens.showPaper", "lora");
    includes((await pageSoon()).join(), /LoRA/, "title of the page");
  });

  it("searches from the palette and opens the first hit", async () => {
    void vscode.commands.executeCommand("litlens.searchPapers", "compacter kronecker hypercomplex");
    const titles = await acceptUntil(webviewTitles, (open) => open.length > 0);
    await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
    includes(titles.join(), /Compacter/, "page of the first hit");
  });

  it("copies what a maintainer needs to know", async () => {
    await vscode.env.clipboard.writeText("");
    await vscode.commands.executeCommand("litlens.copyDebugInformation");
    const text = await until(
      () => vscode.env.clipboard.readText(),
      (copied) => copied !== "",
    );
    includes(text, "0.1.0", "version");
    includes(text, /paper/i, "counts of papers");
  });

  it("exports what the code in view builds on", async () => {
    const editor = await open(peft.replace("config =", "|config ="));
    void vscode.commands.executeCommand("litlens.exportBibliography");
    const found = await acceptUntil(
      () =>
        vscode.workspace.textDocuments.find(
          (document) => document !== editor.document && document.getText().includes("@"),
        ),
      (document) => document !== undefined,
    );
    holds(found !== undefined, "no document with a bibliography was opened");
    includes(found.getText(), "2106.09685", "BibTeX of LoRA");
    same(/@\w+\{/.test(found.getText()), true, "BibTeX entry");
  });
});
