import * as vscode from "vscode";
import { adapterActions, apply, closeAll, litlens, open, until } from "./editor";
import { holds, includes, same } from "./harness";
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

  for (const { name, source, methods } of places) {
    it(`offers ${methods.join(", ")} at ${name}`, async () => {
      const actions = await actionsSoon(await open(source));
      const offered = actions.map(methodOf);
      same(
        methods.filter((method) => !offered.includes(method)),
        [],
        `not among ${offered.join(", ")}`,
      );
    });

    it(`applies every action at ${name}, and one undo takes each back`, async () => {
      const titles = (await actionsSoon(await open(source)))
        .filter(({ disabled, edit, command }) => !disabled && (edit !== undefined || command === undefined))
        .map(({ title }) => title);
      holds(titles.length > 0, "no action with an edit");
      await closeAll();
      for (const title of titles) {
        const editor = await open(source);
        const before = editor.document.getText();
        const action = (await actionsSoon(editor)).find((candidate) => candidate.title === title);
        holds(action?.edit !== undefined, `${title}: no edit after resolving`);
        await apply(action);
        const after = editor.document.getText();
        holds(after !== before, `${title}: the document is unchanged`);
        includes(after, /^class \w+\(/m, `${title}: a class`);
        await vscode.window.showTextDocument(editor.document);
        await vscode.commands.executeCommand("undo");
        same(editor.document.getText(), before, `${title}: text after one undo`);
        await closeAll();
      }
    });
  }

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
