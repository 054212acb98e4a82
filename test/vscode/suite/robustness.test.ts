import * as vscode from "vscode";
import { closeAll, hoverSoon, litlens, open } from "./editor";
import { includes } from "./harness";

const loraConfig = "from peft import LoraConfig\n\nconfig = Lora|Config(r=8)\n";

describe("robustness", () => {
  before(() => litlens().activate());
  afterEach(closeAll);

  it("answers after the server was restarted", async () => {
    const editor = await open(loraConfig);
    await hoverSoon(editor.document.uri, editor.selection.active);
    await vscode.commands.executeCommand("litlens.restartServer");
    includes(await hoverSoon(editor.document.uri, editor.selection.active), "2106.09685", "hover");
  });

  it("keeps working with a setting of the wrong type", async () => {
    const settings = () => vscode.workspace.getConfiguration("litlens");
    const target = vscode.ConfigurationTarget.Global;
    await settings().update("insert.destination", 42, target);
    await settings().update("corpus.paths", "not a list", target);
    try {
      const editor = await open(loraConfig);
      includes(await hoverSoon(editor.document.uri, editor.selection.active), "2106.09685", "hover");
    } finally {
      await settings().update("insert.destination", undefined, target);
      await settings().update("corpus.paths", undefined, target);
    }
  });

  it("reads a file with syntax errors", async () => {
    const editor = await open(`def broken(:\n    return ((\n\n${loraConfig}`);
    includes(await hoverSoon(editor.document.uri, editor.selection.active), "2106.09685", "hover");
  });

  it("reads a document of a virtual workspace, which is no file", async () => {
    const text = loraConfig.replace("|", "");
    const provider = { provideTextDocumentContent: () => text };
    const registered = vscode.workspace.registerTextDocumentContentProvider("litlens-memory", provider);
    try {
      const uri = vscode.Uri.parse("litlens-memory:/project/model.py");
      const opened = await vscode.workspace.openTextDocument(uri);
      const document = await vscode.languages.setTextDocumentLanguage(opened, "python");
      const at = document.positionAt(text.lastIndexOf("LoraConfig") + 2);
      includes(await hoverSoon(document.uri, at), "2106.09685", "hover");
    } finally {
      registered.dispose();
    }
  });

  it("survives a document that is closed during a request, and a line of 5 MB", async () => {
    const large = await open(`x = "${"a".repeat(5_000_000)}"\n|`);
    const pending = vscode.commands.executeCommand(
      "vscode.executeHoverProvider",
      large.document.uri,
      new vscode.Position(0, 3),
    );
    await closeAll();
    await pending;
    const editor = await open(loraConfig);
    includes(await hoverSoon(editor.document.uri, editor.selection.active), "2106.09685", "hover");
  });
});
