import * as vscode from "vscode";
import { adapterActions, apply, choose, closeAll, litlens, open, until } from "./editor";
import { holds, includes, same, sameText } from "./harness";
import { insertions } from "./insertions";
import { attention, block, decoder } from "./sources";

/** Where the cursor stands, and which methods must be among the actions there. */
const places = [
  {
    name: "a linear layer",
    source: attention.replace("self.query = nn.Linear", "self.query = nn.Lin|ear"),
    methods: ["lora", "dora", "bone"],
  },
  {
    name: "the output of a block",
    source: block.replace("self.mlp = Mlp()", "self.mlp = M|lp()"),
    methods: ["houlsby", "compacter"],
  },
  {
    name: "a concatenated skip",
    source: decoder.replace("torch.cat([h", "torch.c|at([h"),
    methods: ["scedit"],
  },
];

const methodOf = (action: vscode.CodeAction) => action.kind?.value.split(".").at(-1) ?? "";

/** Actions once the server knows the document. */
const actionsSoon = (editor: vscode.TextEditor) =>
  until(
    () => adapterActions(editor),
    (actions) => actions.length > 0,
  );

describe("code actions", () => {
  before(() => litlens().activate());
  afterEach(closeAll);

  for (const { name, source, methods } of places)
    it(`offers ${methods.join(", ")} at ${name}`, async () => {
      const actions = await actionsSoon(await open(source));
      const offered = actions.filter(({ disabled }) => !disabled).map(methodOf);
      same(
        methods.filter((method) => !offered.includes(method)),
        [],
        `not among ${offered.join(", ")}`,
      );
    });

  for (const { name, method, source, expected, selected } of insertions)
    it(`inserts ${name ?? method}: the whole text, the cursor on the first value, one undo`, async () => {
      const editor = await open(source);
      const before = editor.document.getText();
      await actionsSoon(editor);
      sameText(await choose(`refactor.rewrite.adapter.${method}`, editor), expected, "after the action");
      same(editor.document.getText(editor.selection), selected, "selected text");
      await vscode.commands.executeCommand("leaveSnippet");
      await vscode.commands.executeCommand("undo");
      sameText(editor.document.getText(), before, "after one undo");
      await vscode.commands.executeCommand("redo");
      sameText(editor.document.getText(), expected, "after redo");
    });

  it("puts a name in the place of one that the library removed", async () => {
    const editor = await open("from peft import Bone|Config\n\nconfig = BoneConfig(r=64)\n");
    const { uri } = editor.document;
    const found = await until(
      () => Promise.resolve(vscode.languages.getDiagnostics(uri)),
      (diagnostics) => diagnostics.length > 0,
    );
    includes(found.map(({ message }) => message).join(), "BoneConfig", "diagnostics");
    const text = await choose("quickfix", editor);
    sameText(text, "from peft import MissConfig\n\nconfig = MissConfig(r=64)\n", "after the quick fix");
    await vscode.commands.executeCommand("undo");
    sameText(editor.document.getText(), "from peft import BoneConfig\n\nconfig = BoneConfig(r=64)\n", "undo");
  });

  it("rewrites the layer with LoRA, once for two layers", async () => {
    const editor = await open(places[0]?.source ?? "");
    const lora = async () => {
      const action = (await actionsSoon(editor)).find((candidate) => methodOf(candidate) === "lora");
      holds(action !== undefined, "no LoRA action");
      await apply(action);
    };
    await lora();
    includes(editor.document.getText(), /self\.query = LoRALinear\(64, 64, rank=/, "first layer");
    const second = editor.document.getText().indexOf("self.output = nn.Linear") + "self.output = nn.L".length;
    const position = editor.document.positionAt(second);
    editor.selection = new vscode.Selection(position, position);
    await lora();
    const text = editor.document.getText();
    includes(text, /self\.output = LoRALinear\(64, 64, rank=/, "second layer");
    same(text.match(/^class LoRALinear\(/gm)?.length, 1, "classes named LoRALinear");
  });

  it("offers few actions where no kind was asked for", async () => {
    const editor = await open(places[0]?.source ?? "");
    await actionsSoon(editor);
    const all = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      "vscode.executeCodeActionProvider",
      editor.document.uri,
      editor.selection,
    );
    const ours = all.filter(({ title }) => /adapt/i.test(title));
    holds(ours.length > 0 && ours.length <= 6, `${ours.length} actions in the lightbulb`);
  });
});
