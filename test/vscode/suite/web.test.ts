import * as vscode from "vscode";
import { adapterActions, choose, closeAll, hoverSoon, litlens, open, until, webviewTitles } from "./editor";
import { holds, includes, record, same, sameText } from "./harness";
import { insertions } from "./insertions";
import { peft } from "./sources";

describe("VS Code for the Web", () => {
  afterEach(closeAll);

  it("activates in the worker extension host", async () => {
    same(vscode.env.uiKind, vscode.UIKind.Web, "kind of window");
    same(typeof process === "object" && typeof process.versions.node === "string", false, "runs in Node");
    const start = performance.now();
    await litlens().activate();
    record("activate in a worker", performance.now() - start);
  });

  it("hovers over LoraConfig", async () => {
    const editor = await open(peft.replace("= LoraConfig", "= Lora|Config"));
    includes(await hoverSoon(editor.document.uri, editor.selection.active), "2106.09685", "hover");
  });

  it("inserts LoRA: the whole text, the cursor on the first value, one undo", async () => {
    const [lora] = insertions;
    holds(lora?.method === "lora", "the first insertion is no longer LoRA's");
    const editor = await open(lora.source);
    const before = editor.document.getText();
    await until(
      () => adapterActions(editor),
      (found) => found.length > 0,
    );
    sameText(await choose("refactor.rewrite.adapter.lora", editor), lora.expected, "after the action");
    same(editor.document.getText(editor.selection), lora.selected, "selected text");
    await vscode.commands.executeCommand("leaveSnippet");
    await vscode.commands.executeCommand("undo");
    sameText(editor.document.getText(), before, "after one undo");
  });

  it("opens the page of a paper", async () => {
    await vscode.commands.executeCommand("litlens.showPaper", "lora");
    const titles = await until(
      () => Promise.resolve(webviewTitles()),
      (open) => open.length > 0,
    );
    includes(titles.join(), /LoRA/, "title of the page");
  });
});
