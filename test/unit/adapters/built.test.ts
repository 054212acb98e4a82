/** Lines that build a model: in branches of one `if`, and in several functions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import { actionsAt, applied, serviceWith, source, unmark, uri } from "./check";

const classes = `import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        return self.proj(x)


`;

/** What stands below the classes after the insertion of `method` at the cursor. */
async function scriptAfter(marked: string, method: string, given: object = {}): Promise<string> {
  const { text, offset } = unmark(classes + marked);
  const service = serviceWith(text);
  const position = TextDocument.create(uri, "python", 1, text).positionAt(offset);
  const textDocument = { uri };
  const choices = await service.adapterChoices({ textDocument, position });
  const choice = choices.find(
    (each) => each.method === method && /`model`|^model$/.test(`${each.title} ${each.place}`),
  );
  assert.ok(choice, choices.map(({ title }) => title).join("\n"));
  const edit = await service.insertAdapter({ textDocument, position, method, site: choice.site, ...given });
  const edited = applied(edit, { [uri]: text })[uri] ?? "";
  const script = /^# script$[\s\S]*/m.exec(edited)?.[0];
  assert.ok(script, edited);
  return script;
}

const branches = (cursors: readonly string[], below = "", after = ""): string => `# script
if resume:
    mo${cursors[0]}del = Net(8)
    model.load_state_dict(torch.load("net.pt"))
elif wide:
    # as in the paper
    mo${cursors[1]}del = Net(width=32)
else:
    mo${cursors[2]}del = Net()
    print("from nothing")
${below}
optimizer = torch.optim.AdamW(${after || "model.parameters()"}, lr=1e-3)
while True:
    for x in batches:
        loss = model(x).square().mean()
        loss.backward()
    optimizer.step()
    optimizer.zero_grad()
`;

for (const at of [0, 1, 2]) {
  const cursors = ["", "", ""].with(at, "|");
  test(`a model that branches build, asked for in branch ${at + 1}, is adapted below the whole if`, async () =>
    assert.equal(
      await scriptAfter(branches(cursors), "lora", { with: ["freeze", "optimizer", "save"] }),
      `${branches(
        ["", "", ""],
        'apply_lora(model, targets=("proj",), rank=8, alpha=16)\ntrain_only(model, LoRALinear)\n',
        "[p for p in model.parameters() if p.requires_grad]",
      )}torch.save(adapter_state_dict(model, LoRALinear), "adapter.pt")\n`,
    ));

  test(`so are its biases alone, asked for in branch ${at + 1}`, async () =>
    assert.equal(await scriptAfter(branches(cursors), "bitfit"), branches(["", "", ""], "bitfit(model)\n")));
}

for (const at of [0, 1, 2])
  test(`only the adapters train below the whole if, asked for in branch ${at + 1}`, async () => {
    const adapted = classes
      .replace("class Net", `${source("lora/lora.py", "LoRALinear")}\n\n\nclass Net`)
      .replace("nn.Linear(width, width)", "LoRALinear(width, width, rank=4)");
    const { service, text, actions } = actionsAt(adapted + branches(["", "", ""].with(at, "|")));
    const action = actions.find(({ title }) => title === "Train only the adapters of `model`");
    assert.ok(action, actions.map(({ title }) => title).join("\n"));
    const { edit } = await service.resolveCodeAction(action);
    const edited = applied(edit, { [uri]: text })[uri] ?? "";
    const script = /^# script$[\s\S]*/m.exec(edited)?.[0];
    assert.equal(script, branches(["", "", ""], "train_only(model, LoRALinear)\n"));
  });

/** Two functions, between which the method's definitions come to stand. */
const small = `# script
def small():
    model = Net(8)
    return model.eval()
`;

const large = (cursor: string, below = ""): string => `def large():
    mo${cursor}del = Net(64)${below}
    return model.eval()
`;

for (const [method, below] of [
  ["lora", 'apply_lora(model, targets=("proj",), rank=8, alpha=16)'],
  ["bitfit", "bitfit(model)"],
] as const)
  test(`of two functions that build a model, the one under the cursor gets ${method}`, async () => {
    const edited = await scriptAfter(`${small}\n\n${large("|")}`, method);
    assert.ok(edited.startsWith(small), edited);
    assert.ok(edited.endsWith(`\n\n\n${large("", `\n    ${below}`)}`), edited);
  });
