import type { ImportResult } from "../../../server/src/protocol";
import page from "../../fixtures/papers/daily-papers.txt";
import * as vscode from "vscode";
import { acceptUntil, closeAll, litlens, open, until, webviewTitles } from "./editor";
import { holds, includes, same, sameText } from "./harness";
import { peft } from "./sources";

/** Papers on the page, counted by hand. */
const pagePapers = 4;

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
          (document) => document !== editor.document && /@\w+\{/.test(document.getText()),
        ),
      (document) => document !== undefined,
    );
    holds(found !== undefined, "no document with a bibliography was opened");
    includes(found.getText(), "2106.09685", "BibTeX of LoRA");
    same(/@\w+\{/.test(found.getText()), true, "BibTeX entry");
  });

  it("writes a citation above the line of the cursor, as a comment", async () => {
    const editor = await open("class Model:\n    wid|th = 64\n");
    await vscode.commands.executeCommand("litlens.insertCitation", "lora");
    const citation =
      "# Hu et al. 2022, LoRA: Low-Rank Adaptation of Large Language Models, ICLR, arXiv:2106.09685";
    sameText(editor.document.getText(), `class Model:\n    ${citation}\n    width = 64\n`, "document");
    await vscode.commands.executeCommand("undo");
    sameText(editor.document.getText(), "class Model:\n    width = 64\n", "after one undo");
  });

  it("copies a BibTeX entry", async () => {
    await vscode.commands.executeCommand("litlens.copyBibtex", "lora");
    const entry = await vscode.env.clipboard.readText();
    includes(entry, /^@\w+\{\w+,/, "BibTeX entry");
    includes(entry, "Low-Rank Adaptation of Large Language Models", "title");
  });

  it("imports a saved page once, and finds its papers at once and after a restart", async () => {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    holds(folder !== undefined, "no workspace folder is open");
    const file = vscode.Uri.joinPath(folder, "page.txt");
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(page));
    const load = () => vscode.commands.executeCommand<ImportResult>("litlens.importPapers", file);
    const first = await load();
    same([first.added, first.skipped], [pagePapers, []], "papers added, records skipped");
    const again = await load();
    same([again.added, again.updated, again.unchanged], [0, 0, pagePapers], "the same page once more");
    const search = async () => {
      void vscode.commands.executeCommand("litlens.searchPapers", "GardenTune watering schedules");
      const titles = await acceptUntil(webviewTitles, (open) => open.length > 0);
      await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
      includes(titles.join(), /GardenTune/, "page of the first hit");
      await closeAll();
    };
    await search();
    await vscode.commands.executeCommand("litlens.restartServer");
    await search();
  });

  it("says what is wrong with a file that is no page of papers", async () => {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    holds(folder !== undefined, "no workspace folder is open");
    const binary = vscode.Uri.joinPath(folder, "page.bin");
    await vscode.workspace.fs.writeFile(binary, Uint8Array.from([0xff, 0xfe, 0x00, 0x80]));
    const result = await vscode.commands.executeCommand("litlens.importPapers", binary);
    same(result, undefined, "result for a file that is not text");
  });
});
