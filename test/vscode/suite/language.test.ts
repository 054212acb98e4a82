import loraPython from "../../../corpus/methods/lora/lora.py";
import * as vscode from "vscode";
import {
  adapterActionsAt,
  apply,
  closeAll,
  hoverSoon,
  hoverText,
  inside,
  litlens,
  open,
  openFile,
  until,
} from "./editor";
import { holds, includes, same, sameText } from "./harness";
import { definitions } from "./insertions";
import { attention } from "./sources";

describe("reading code", () => {
  before(() => litlens().activate());
  afterEach(closeAll);

  it("hovers over LoraConfig in the PEFT example with paper, formula and links", async () => {
    const document = await openFile("finetune_peft.py");
    const text = await hoverSoon(document.uri, inside(document, "LoraConfig"));
    includes(text, "LoRA: Low-Rank Adaptation of Large Language Models", "title");
    includes(text, "2106.09685", "arXiv identifier");
    includes(text, /!\[[^\]]*\]\(data:image\/svg\+xml/, "formula as an image");
    includes(text, "command:litlens.", "links to commands");
  });

  it("hovers over a key of the Axolotl example", async () => {
    const document = await openFile("axolotl.yaml");
    const text = await hoverSoon(document.uri, inside(document, "lora_r:"));
    includes(text, "lora_r: 64, lora_alpha: 16", "what rank and alpha come to");
    includes(text, "2106.09685", "arXiv identifier");
  });

  it("hovers over exactly the token", async () => {
    const editor = await open("from peft import LoraConfig\n\nconfig = Lora|Config(r=8)\n");
    const { document, selection } = editor;
    await hoverSoon(document.uri, selection.active);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      "vscode.executeHoverProvider",
      document.uri,
      selection.active,
    );
    const range = hovers[0]?.range;
    same(range && document.getText(range), "LoraConfig", "hovered text");
  });

  it("tells the size of a layer inside a module class", async () => {
    const editor = await open(attention.replace("nn.Linear(64, 64)", "nn.Lin|ear(64, 64)"));
    const text = await hoverSoon(editor.document.uri, editor.selection.active);
    includes(text, "4,160", "parameters of a 64 to 64 layer with bias");
  });

  it("says nothing where there is nothing to say", async () => {
    const editor = await open("from peft import LoraConfig\n\nnum|ber = 3\n");
    same(await hoverText(editor.document.uri, editor.selection.active), "", "hover over a plain name");
  });

  it("completes the arguments of LoraConfig with what the literature recommends", async () => {
    const editor = await open("from peft import LoraConfig\n\nconfig = LoraConfig(|\n");
    const ask = () =>
      vscode.commands.executeCommand<vscode.CompletionList>(
        "vscode.executeCompletionItemProvider",
        editor.document.uri,
        editor.selection.active,
        undefined,
        100,
      );
    const labels = ({ items }: vscode.CompletionList) =>
      items.map(({ label }) => (typeof label === "string" ? label : label.label));
    const list = await until(ask, (answer) => labels(answer).some((label) => label.startsWith("lora_alpha")));
    const item = list.items.find(({ label }) =>
      (typeof label === "string" ? label : label.label).startsWith("lora_alpha"),
    );
    holds(item !== undefined, `no lora_alpha among ${labels(list).slice(0, 30).join(", ")}`);
    const documentation = item.documentation;
    const text = typeof documentation === "string" ? documentation : (documentation?.value ?? "");
    holds(text.length > 20, "lora_alpha has no documentation");
  });

  it("hovers in a notebook cell, with an import in another cell", async () => {
    const cell = (text: string) => new vscode.NotebookCellData(vscode.NotebookCellKind.Code, text, "python");
    const notebook = await vscode.workspace.openNotebookDocument(
      "jupyter-notebook",
      new vscode.NotebookData([
        cell("%matplotlib inline\nfrom peft import LoraConfig as LC"),
        cell("config = LC(r=8)"),
      ]),
    );
    await vscode.window.showNotebookDocument(notebook);
    const document = notebook.cellAt(1).document;
    const text = await hoverSoon(document.uri, inside(document, "LC("));
    includes(text, "Low-Rank Adaptation", "hover in the second cell");
  });

  it("inserts into a notebook: the class into its cell, the import into the cell of imports", async () => {
    const cell = (text: string) => new vscode.NotebookCellData(vscode.NotebookCellKind.Code, text, "python");
    const model = `class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Linear(64, 64)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x)`;
    const notebook = await vscode.workspace.openNotebookDocument(
      "jupyter-notebook",
      new vscode.NotebookData([cell("import torch\nfrom torch import Tensor, nn"), cell(model)]),
    );
    await vscode.window.showNotebookDocument(notebook);
    const { document } = notebook.cellAt(1);
    const position = inside(document, "nn.Linear").translate(0, 4);
    const actions = await until(
      () => adapterActionsAt(document, new vscode.Range(position, position)),
      (found) => found.length > 0,
    );
    const lora = actions.find(({ kind }) => kind?.value.endsWith(".lora"));
    holds(lora !== undefined, `no LoRA among ${actions.map(({ title }) => title).join(", ")}`);
    await apply(lora);
    sameText(
      notebook.cellAt(0).document.getText(),
      "import math\n\nimport torch\nfrom torch import Tensor, nn",
      "cell of imports",
    );
    const rewritten = model.replace("nn.Linear(64, 64)", "LoRALinear(64, 64, rank=8, alpha=16)");
    sameText(
      document.getText(),
      `${definitions(loraPython, "LoRALinear")}\n\n\n${rewritten}`,
      "cell of the model",
    );
    const editor = vscode.window.activeNotebookEditor;
    holds(editor !== undefined, "the notebook is not shown");
    editor.selection = new vscode.NotebookRange(1, 2);
    await vscode.commands.executeCommand("notebook.cell.edit");
    await vscode.commands.executeCommand("undo");
    sameText(document.getText(), model, "cell of the model after one undo");
    sameText(
      notebook.cellAt(0).document.getText(),
      "import torch\nfrom torch import Tensor, nn",
      "cell of imports after one undo",
    );
  });
});
