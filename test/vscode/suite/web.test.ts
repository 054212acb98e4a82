import * as vscode from "vscode";
import { adapterActions, apply, closeAll, hoverSoon, litlens, open, until, webviewTitles } from "./editor";
import { holds, includes, record, same } from "./harness";
import { attention, peft } from "./sources";

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

  it("inserts LoRA", async () => {
    const editor = await open(attention.replace("nn.Linear(64", "nn.Lin|ear(64"));
    const actions = await until(
      () => adapterActions(editor),
      (found) => found.length > 0,
    );
    const lora = actions.find(({ kind }) => kind?.value.endsWith(".lora"));
    holds(lora !== undefined, `no LoRA action among ${actions.map(({ title }) => title).join(", ")}`);
    await apply(lora);
    includes(editor.document.getText(), "class LoRALinear(nn.Linear)", "inserted class");
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
