import * as vscode from "vscode";
import { adapterActions, closeAll, hoverSoon, inside, litlens, open, openFile, until } from "./editor";
import { holds, includes, same } from "./harness";
import { attention } from "./sources";

describe("a workspace that is not trusted", () => {
  before(() => litlens().activate());
  afterEach(closeAll);

  it("is restricted", () => {
    same(vscode.workspace.isTrusted, false, "isTrusted");
  });

  it("hovers", async () => {
    const document = await openFile("finetune_peft.py");
    includes(await hoverSoon(document.uri, inside(document, "LoraConfig")), "2106.09685", "hover");
  });

  it("offers adapters", async () => {
    const editor = await open(attention.replace("nn.Linear(64", "nn.Lin|ear(64"));
    const actions = await until(
      () => adapterActions(editor),
      (found) => found.length > 0,
    );
    holds(actions.length > 0, "no adapter action");
  });
});
