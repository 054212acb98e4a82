/** Initialisers of other files that would overwrite an adapter's start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import { actionsAt, applied, source } from "./check";

const folder = "file:///project/";

const attention = `import torch.nn as nn


class Attention(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.que|ry = nn.Linear(width, width)

    def forward(self, x):
        return self.query(x)
`;

const layers = `from model import Attention


class EncoderLayer(Attention):
    pass


class Other:
    pass
`;

const models = `import torch.nn as nn
from layers import EncoderLayer


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = EncoderLayer()
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)
`;

const adapted = `import torch.nn as nn
from layers import EncoderLayer
from model import LoRALinear, base_parameters


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = EncoderLayer()
        for p in base_parameters(self, LoRALinear).values():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)
`;

/** All files after LoRA went to `query` of model.py. */
async function insertedAmong(files: Readonly<Record<string, string>>) {
  const addressed = Object.fromEntries(Object.entries(files).map(([name, text]) => [folder + name, text]));
  const { service, actions, text } = actionsAt(attention, { files: addressed });
  service.setWorkspaceFolders([folder]);
  const action = actions.find(({ title }) => title.startsWith("Adapt `query` with LoRA ("));
  assert.ok(action, actions.map(({ title }) => title).join("\n"));
  const { edit } = await service.resolveCodeAction(action);
  return { service, text, after: applied(edit, { ...addressed, [`${folder}model.py`]: text }) };
}

test("an initialiser two imports away goes past the adapter", async () => {
  const { after } = await insertedAmong({ "layers.py": layers, "models.py": models });
  assert.deepEqual(Object.keys(after), [`${folder}model.py`, `${folder}models.py`]);
  assert.equal(after[`${folder}models.py`], adapted);
  const model = after[`${folder}model.py`] ?? "";
  assert.ok(model.includes("self.query = LoRALinear(width, width, rank=8, alpha=16)"), model);
  assert.ok(model.includes(source("shared/base_model.py", "base_parameters")), model);
});

test("an initialiser of a model that has no such class stays as it is, and that of a test", async () => {
  const unrelated = models.replaceAll("EncoderLayer", "Other");
  const clipping = `${layers}

def clip(model: EncoderLayer):
    for p in model.parameters():
        p.data.clamp_(-1, 1)
`;
  const { after } = await insertedAmong({
    "layers.py": clipping,
    "models.py": unrelated,
    "tests/test_models.py": models,
  });
  assert.deepEqual(Object.keys(after), [`${folder}model.py`]);
});

test("a package that imports relatively, and has the class's name already", async () => {
  const { after } = await insertedAmong({
    "nets/__init__.py": "",
    "nets/layers.py": "from model import Attention\n",
    "nets/full.py": `from torch import nn
from . import layers
from ..model import Attention

LoRALinear = None


def build():
    net = nn.Sequential(layers.Attention())
    for name, p in net.named_parameters():
        nn.init.normal_(p, std=0.02)
    return net
`,
  });
  assert.equal(
    after[`${folder}nets/full.py`],
    `from torch import nn
from . import layers
from ..model import Attention, LoRALinear as LoRALinear2, base_parameters

LoRALinear = None


def build():
    net = nn.Sequential(layers.Attention())
    for name, p in base_parameters(net, LoRALinear2).items():
        nn.init.normal_(p, std=0.02)
    return net
`,
  );
});

test("where it is not clear how the file would import the adapter, nothing is changed", () =>
  assert.rejects(
    insertedAmong({
      "nets/layers.py": "from model import *\n",
      "nets/full.py": models.replace("from layers", "from .layers").replaceAll("EncoderLayer", "Attention"),
    }),
    /^Error: full\.py, line 9, sets up all parameters of a model with `Attention`, the adapter's too, and how it would import the adapter is not clear\. Adapt the model where it is built\.$/,
  ));

/** All files after LoRA was put in and taken out again, while models.py says this. */
async function restored(
  other: string,
): Promise<{ text: string; edited: string; files: Record<string, string> }> {
  const { service, text, after } = await insertedAmong({ "layers.py": layers, "models.py": models });
  const model = `${folder}model.py`;
  const edited = after[model] ?? "";
  service.changeDocument(model, 2, [{ text: edited }]);
  service.openDocument(`${folder}models.py`, "python", 1, other);
  const at = TextDocument.create(model, "python", 2, edited).positionAt(
    edited.indexOf("self.query = LoRA") + 6,
  );
  const removal = service
    .codeActions(model, { start: at, end: at }, { diagnostics: [], only: ["refactor.rewrite.adapter"] })
    .find(({ title }) => title === "Remove LoRA from `query`");
  assert.ok(removal);
  const { edit } = await service.resolveCodeAction(removal);
  return { text, edited, files: applied(edit, { [model]: edited, [`${folder}models.py`]: other }) };
}

test("the adapter taken out, both files are what they were", async () => {
  const { text, files } = await restored(adapted);
  assert.deepEqual(files, { [`${folder}model.py`]: text, [`${folder}models.py`]: models });
});

test("a class that another file goes on using stays", async () => {
  const { edited, files } = await restored(`${adapted}\n\nadapters = (LoRALinear,)\n`);
  assert.deepEqual(files, {
    [`${folder}model.py`]: edited.replace(
      "LoRALinear(width, width, rank=8, alpha=16)",
      "nn.Linear(width, width)",
    ),
  });
});
