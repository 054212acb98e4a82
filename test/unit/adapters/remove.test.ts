import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { CodeAction } from "vscode-languageserver-types";
import { applyEdits } from "../../../server/src/adapters/edits";
import { readFromImport, removeNames } from "../../../server/src/adapters/importedNames";
import { isAdapterActionData } from "../../../server/src/features/codeActions";
import { actionsAt, applied, checkInsertion, serviceWith, source, uri } from "./check";

const lora = source("lora/lora.py", "LoRALinear");

test("an adapter comes out again; its class stays while another layer uses it", () =>
  checkInsertion(
    `import math

import torch
from torch import Tensor, nn


${lora}


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = LoRALinear(16, 64, bias=False, rank=4, alpha=16)
        self.do|wn = LoRALinear(64, 16, rank=4, alpha=16, dropout=0.1)
`,
    "Remove LoRA from `down`",
    `import math

import torch
from torch import Tensor, nn


${lora}


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = LoRALinear(16, 64, bias=False, rank=4, alpha=16)
        self.down = nn.Linear(64, 16)
`,
  ));

/** Put in at the cursor and taken out again, the whole document is what it was. */
async function checkRoundTrip(marked: string, title: string, titleOfRemoval: string): Promise<void> {
  const { service, text, actions } = actionsAt(marked);
  const take = async (offered: readonly CodeAction[], name: string, before: string): Promise<string> => {
    const action = offered.find((each) => each.title.startsWith(name));
    assert.ok(action, `no action "${name}" among:\n${offered.map((each) => each.title).join("\n")}`);
    return applied((await service.resolveCodeAction(action)).edit, { [uri]: before })[uri] ?? "";
  };
  const edited = await take(actions, title, text);
  assert.notEqual(edited, text);
  service.changeDocument(uri, 2, [{ text: edited }]);
  const end = TextDocument.create(uri, "python", 1, edited).positionAt(edited.length);
  const removals = service.codeActions(
    uri,
    { start: { line: 0, character: 0 }, end },
    { diagnostics: [], only: ["refactor.rewrite.adapter"] },
  );
  assert.equal(await take(removals, titleOfRemoval, edited), text);
}

for (const [manner, source, layer = "up"] of [
  [
    "with one blank line between definitions",
    `import torch
from torch import nn

class Norm(nn.Module):
    def forward(self, x):
        return torch.relu(x)

class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.u|p = nn.Linear(16, 64)

class Tail(nn.Module):
    pass
`,
  ],
  [
    "with no blank line below its imports",
    `"""A head."""
import torch.nn as nn
class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.u|p = nn.Linear(16, 64)
`,
  ],
  [
    "that imports what it does not use",
    `import math
import copy
from torch import nn, Tensor
from torch.nn import functional as F
import os


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.u|p = nn.Linear(16, 64)
`,
  ],
  [
    "whose modules without layers are written otherwise",
    `import torch
from torch import nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(16)
        self.up = nn.Module()
        self.up.first = torch.nn.Line|ar(16, 64)
`,
    "up.first",
  ],
  [
    "that writes layers otherwise than it could",
    `import torch
from torch import nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(16)
        self.u|p = torch.nn.Linear(16, 64)
`,
  ],
] satisfies [string, string, string?][])
  test(`an adapter leaves a file ${manner} as it was`, () =>
    checkRoundTrip(source, `Adapt \`${layer}\` with LoRA (`, `Remove LoRA from \`${layer}\``));

test("a layer is written as those of its kind in the class, not as a nearer one of another", () =>
  checkRoundTrip(
    `import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self):
        super().__init__()
        self.u|p = torch.nn.Linear(16, 64)
        self.act = nn.GELU()
        self.norm = nn.LayerNorm(64)
        self.down = torch.nn.Linear(64, 16)

    def forward(self, x):
        return self.down(self.norm(self.act(self.up(x))))
`,
    "Adapt `up` with LoRA (640 trainable)",
    "Remove LoRA from `up`",
  ));

test("a layer in a list is written as it was, not as the list is", () =>
  checkRoundTrip(
    `import torch
from torch import nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(16)
        self.parts = nn.ModuleList([
            torch.nn.Line|ar(16, 64),
        ])
`,
    "Adapt `parts.0` with LoRA (",
    "Remove LoRA from `parts.0`",
  ));

test("adapters all over a model leave an import that the file did not use", () =>
  checkRoundTrip(
    `from typing import Any, Optional

from torch import nn


class Block(nn.Module):
    def __init__(self, width: Optional[int]):
        super().__init__()
        self.up = nn.Linear(width, 64)


class Mod|el(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.block = Block(width)
`,
    "Adapt `up` across `Model` with LoRA",
    "Remove LoRA from the layers of",
  ));

test("variables that an adapter brings are found again under the names that were free", () =>
  checkRoundTrip(
    `from torch import nn


class Encoder(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.blo|cks = nn.ModuleList([nn.TransformerEncoderLayer(width, 8, batch_first=True) for _ in range(depth)])

    def forward(self, x, context=None):
        for block in self.blocks:
            x = block(x)
        return x if context is None else x + context
`,
    "Give labelled examples to `blocks` (M2IXT)",
    "Remove M2IXT from `in_context`",
  ));

test("of names that stand in no order, several at the end leave together", () => {
  const text = "from typing import Tuple, List, Type, Mapping, Sequence\n";
  const statement = readFromImport(text, { from: 0, to: text.length - 1 });
  assert.ok(statement);
  const leaving = statement.names.slice(3).map(({ range }) => range);
  assert.equal(
    applyEdits(text, removeNames(text, statement, leaving), "\n"),
    "from typing import Tuple, List, Type\n",
  );
});

const examples = readdirSync("examples").filter((name) => name.endsWith(".py"));

/** Sites whose adapter is a module or a layer of a class. */
const isModule = (site: string): boolean =>
  /@(linear|conv|embedding|norm|attention|block-input|block-output|block-stack|skip):/.test(site);

for (const example of examples) {
  test(`every adapter put into ${example} comes out without a trace`, async () => {
    const original = readFileSync(`examples/${example}`, "utf8");
    const service = serviceWith(original);
    let version = 1;
    const actionsOn = (text: string): CodeAction[] => {
      service.changeDocument(uri, ++version, [{ text }]);
      const end = TextDocument.create(uri, "python", 1, text).positionAt(text.length);
      const range = { start: { line: 0, character: 0 }, end };
      return service.codeActions(uri, range, { diagnostics: [], only: ["refactor.rewrite.adapter"] });
    };
    const after = async (text: string, action: CodeAction): Promise<string> =>
      applied((await service.resolveCodeAction(action)).edit, { [uri]: text })[uri] ?? "";

    const thorough = example === "gpt.py" || example === "unet.py";
    const offered = actionsOn(original)
      .filter(
        ({ data, disabled }) => disabled === undefined && isAdapterActionData(data) && isModule(data.site),
      )
      .filter((_action, index) => thorough || index % 5 === 0);
    for (const action of offered) {
      service.changeDocument(uri, ++version, [{ text: original }]);
      let text = await after(original, action);
      assert.notEqual(text, original);
      for (;;) {
        const removal = actionsOn(text).find(({ kind }) => kind === "refactor.rewrite.adapter.remove");
        if (removal === undefined) break;
        text = await after(text, removal);
      }
      assert.equal(text, original, action.title);
    }
  });
}

test("nothing is taken out of our own classes", () => {
  const { actions } = actionsAt(`import torch
from torch import Tensor, nn


${source("scedit/scedit.py", "SCTuner")}


${source("scedit/scedit.py", "CSCTuner").replace("self.tuners = ", "self.tun|ers = ")}
`);
  assert.deepEqual(
    actions.filter(({ title }) => title.startsWith("Remove")).map(({ title }) => title),
    [],
  );
});
