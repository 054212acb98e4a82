import { test } from "node:test";
import assert from "node:assert/strict";
import { actionsAt, applied, checkInsertion, source, uri } from "./check";

const lora = source("lora/lora.py", "LoRALinear")
  .replaceAll(": Tensor", ": torch.Tensor")
  .replaceAll("-> Tensor", "-> torch.Tensor");

test("a linear layer becomes a LoRA layer; the class stands above its user, the import in its group", () =>
  checkInsertion(
    `import torch
import torch.nn as nn


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_|attn = nn.Linear(768, 2304, bias=False)  # q, k, v

    def forward(self, x):
        return self.c_attn(x)
`,
    "Adapt `c_attn` with LoRA (24,576 trainable)",
    `import math

import torch
import torch.nn as nn


${lora}


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = LoRALinear(768, 2304, bias=False, rank=8, alpha=16)  # q, k, v

    def forward(self, x):
        return self.c_attn(x)
`,
  ));

test("a second use adds no second class and no second import", () =>
  checkInsertion(
    `import math

import torch
import torch.nn as nn


${lora}


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = LoRALinear(768, 2304, rank=8, alpha=16)
        self.c_|proj = nn.Linear(768, 768)
`,
    "Adapt `c_proj` with LoRA (12,288 trainable)",
    `import math

import torch
import torch.nn as nn


${lora}


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = LoRALinear(768, 2304, rank=8, alpha=16)
        self.c_proj = LoRALinear(768, 768, rank=8, alpha=16)
`,
  ));

test("a user's own LoRALinear is left alone and ours takes another name", () =>
  checkInsertion(
    `import math
import torch
from torch import Tensor, nn


class LoRALinear(nn.Module):
    """My own."""


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.|head = nn.Linear(16, 8)
`,
    "Adapt `head` with LoRA (192 trainable)",
    `import math
import torch
from torch import Tensor, nn


class LoRALinear(nn.Module):
    """My own."""


${source("lora/lora.py", "LoRALinear").replace("class LoRALinear(", "class LoRALinear2(")}


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = LoRALinear2(16, 8, rank=8, alpha=16)
`,
  ));

test("a call over several lines gets its arguments on a line of their own", () =>
  checkInsertion(
    `import math
import torch
from torch import Tensor, nn


class Head(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.|head = nn.Linear(
            width,
            40,  # classes
        )
`,
    "Adapt `head` with LoRA",
    `import math
import torch
from torch import Tensor, nn


${source("lora/lora.py", "LoRALinear")}


class Head(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.head = LoRALinear(
            width,
            40,  # classes
            rank=8,
            alpha=16,
        )
`,
  ));

test("tabs and Windows line breaks stay", async () => {
  const { service, text, actions } = actionsAt(
    "import torch\r\nimport torch.nn as nn\r\n\r\n\r\nclass Head(nn.Module):\r\n\tdef __init__(self):\r\n\t\tsuper().__init__()\r\n\t\tself.|head = nn.Linear(16, 8)\r\n",
  );
  const action = actions.find(({ title }) => title === "Adapt `head` with LoRA (192 trainable)");
  assert.ok(action);
  const { edit } = await service.resolveCodeAction(action);
  const after = applied(edit, { [uri]: text })[uri] ?? "";
  assert.equal(after.replaceAll("\r\n", "").includes("\n"), false, "every line break is the file's own");
  assert.match(after, /\r\n\t\tself\.head = LoRALinear\(16, 8, rank=8, alpha=16\)\r\n$/);
  assert.equal(/^ +\S/m.test(after.replace(/"""[\s\S]*?"""/g, "")), false, "no line is indented with spaces");
});

test("into a sibling module: the class there, an import here", async () => {
  const { service, text, actions } = actionsAt(
    `import torch
import torch.nn as nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.|head = nn.Linear(16, 8)
`,
    { destination: "module" },
  );
  const action = actions.find(({ kind }) => kind === "refactor.rewrite.adapter.lora");
  assert.ok(action);
  const { edit } = await service.resolveCodeAction(action);
  assert.deepEqual(applied(edit, { [uri]: text }), {
    "file:///project/adapters.py": `import math

import torch
from torch import Tensor, nn


${source("lora/lora.py", "LoRALinear")}
`,
    [uri]: `import torch
import torch.nn as nn
from adapters import LoRALinear


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = LoRALinear(16, 8, rank=8, alpha=16)
`,
  });
});

test("a sibling module that has the class already is not written again", async () => {
  const adapters = `import math\n\nimport torch\nfrom torch import Tensor, nn\n\n\n${source("lora/lora.py", "LoRALinear")}\n`;
  const { service, text, actions } = actionsAt(
    `import torch.nn as nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.|head = nn.Linear(16, 8)
`,
    { destination: "module", files: { "file:///project/adapters.py": adapters } },
  );
  const action = actions.find(({ kind }) => kind === "refactor.rewrite.adapter.lora");
  assert.ok(action);
  const after = applied((await service.resolveCodeAction(action)).edit, {
    [uri]: text,
    "file:///project/adapters.py": adapters,
  });
  assert.deepEqual(Object.keys(after), [uri]);
  assert.match(after[uri] ?? "", /^import torch\.nn as nn\nfrom adapters import LoRALinear\n/);
});

test("the values of the new arguments are tab stops where the editor has snippets", async () => {
  const { service, actions } = actionsAt(
    `from torch import nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.|head = nn.Linear(16, 8)
`,
    { snippets: true },
  );
  const action = actions.find(({ kind }) => kind === "refactor.rewrite.adapter.lora");
  assert.ok(action);
  const { edit } = await service.resolveCodeAction(action);
  const snippets = (edit?.documentChanges ?? []).flatMap((change) =>
    "edits" in change ? change.edits.flatMap((each) => ("snippet" in each ? [each.snippet.value] : [])) : [],
  );
  assert.deepEqual(snippets, [", rank=${1:8}, alpha=${2:16}"]);
});

test("a layer too small for the method's rank is refused with the numbers", () => {
  const { actions } = actionsAt(`from torch import nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.|head = nn.Linear(16, 5)
`);
  const lora = actions.find(({ kind }) => kind === "refactor.rewrite.adapter.lora");
  assert.equal(
    lora?.disabled?.reason,
    "LoRA at `head` needs rank <= min(in_features, out_features); here rank = 8, in_features = 16, out_features = 5.",
  );
});

for (const [size, sizes, written, count] of [
  ["of known size", "256, 512", "rank=128, alpha=128", " (114,688 trainable)"],
  ["that is smaller than a method's rank", "48, 96", "rank=8, alpha=8", " (1,216 trainable)"],
  ["of unknown size", "width, 2 * width", "rank=8, alpha=8", ""],
] as const)
  test(`a layer ${size} gets a rank that it can have`, async () => {
    const { service, text, actions } = actionsAt(`from torch import nn


class Head(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.|head = nn.Linear(${sizes})
`);
    const action = actions.find(({ title }) => title === `Adapt \`head\` with SLoRA${count}`);
    assert.ok(action, actions.map(({ title }) => title).join("\n"));
    assert.equal(action.disabled, undefined);
    const { edit } = await service.resolveCodeAction(action);
    const edited = applied(edit, { [uri]: text })[uri] ?? "";
    assert.ok(edited.endsWith(`self.head = SLoRALinear(${sizes}, ${written})\n`), edited.slice(-200));
  });

/** Sizes that neither the default nor the value for small layers divides. */
for (const [method, sizes, written] of [
  ["oft", "220, 880", "block_size=22"],
  ["lokr", "220, 880", "rank=8, alpha=8, factor=5"],
  ["c3a", "1323, 441", "block_size=63"],
  ["bat", "1323, 441", "block_size=63"],
] as const)
  test(`at ${sizes} ${method} gets the next smaller number that divides the sizes`, async () => {
    const { service, text, actions } = actionsAt(`from torch import nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.|head = nn.Linear(${sizes})
`);
    const action = actions.find(({ kind }) => kind === `refactor.rewrite.adapter.${method}`);
    assert.equal(action?.disabled, undefined);
    assert.ok(action);
    const { edit } = await service.resolveCodeAction(action);
    const edited = applied(edit, { [uri]: text })[uri] ?? "";
    assert.ok(edited.endsWith(`Linear(${sizes}, ${written})\n`), edited.slice(-200));
  });

test("a prime size that a method's blocks must divide is refused", () => {
  const { actions } = actionsAt(`from torch import nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.|head = nn.Linear(223, 64)
`);
  assert.equal(
    actions.find(({ kind }) => kind === "refactor.rewrite.adapter.oft")?.disabled?.reason,
    "OFT at `head` needs in_features % block_size == 0; here in_features = 223, block_size = 8.",
  );
});

for (const [output, refused] of [
  ["3 * dim", false],
  ["dim * 3", false],
  ["3 * dim_out", true],
] as const)
  test(`a method for joint projections is ${refused ? "refused" : "offered"} at ${output} outputs of dim inputs`, () => {
    const { actions } = actionsAt(`from torch import nn


class Attention(nn.Module):
    def __init__(self, dim, dim_out):
        super().__init__()
        self.|qkv = nn.Linear(dim, ${output})
`);
    const action = actions.find(({ kind }) => kind === "refactor.rewrite.adapter.gbt-sam");
    assert.equal(
      action?.disabled?.reason,
      refused
        ? `GBT-SAM needs out_features == 3 * in_features, which ${output} does not say of \`qkv\`.`
        : undefined,
    );
    assert.ok(action);
  });

test("a head with fewer outputs than the rank is refused, whatever its inputs are", () => {
  const { actions } = actionsAt(`from torch import nn


class Head(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.|score = nn.Linear(width, 1)
`);
  assert.equal(
    actions.find(({ kind }) => kind === "refactor.rewrite.adapter.lora")?.disabled?.reason,
    "LoRA at `score` needs rank <= min(in_features, out_features); here rank = 8, out_features = 1.",
  );
});

const loraModule = `import math\n\nimport torch\nfrom torch import Tensor, nn\n\n\n${source("lora/lora.py", "LoRALinear")}\n`;

for (const [what, files] of [
  [
    "a class that the file's sibling has already is imported from there",
    { "file:///project/layers.py": loraModule },
  ],
  [
    "a class that a package hands on is imported from the package",
    {
      "file:///project/layers/__init__.py": "from .adapters import LoRALinear\nfrom .norms import Norm\n",
      "file:///project/layers/adapters.py": loraModule,
    },
  ],
] as const) {
  test(what, () =>
    checkInsertion(
      `from torch import nn
from layers import Norm


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.|head = nn.Linear(16, 8)
`,
      "Adapt `head` with LoRA (192 trainable)",
      `from torch import nn
from layers import LoRALinear, Norm


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = LoRALinear(16, 8, rank=8, alpha=16)
`,
      { files },
    ),
  );
}

test("a missing `import torch` goes above the file's other imports of torch", () =>
  checkInsertion(
    `import os

import numpy
import torch.nn as nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.|head = nn.Linear(16, 8)
`,
    "Adapt `head` with LoRA (192 trainable)",
    `import math
import os

import numpy
import torch
import torch.nn as nn
from torch import Tensor


${source("lora/lora.py", "LoRALinear")}


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = LoRALinear(16, 8, rank=8, alpha=16)
`,
  ));

test("a standard module goes where the file's order has it, comments stay with their lines", () =>
  checkInsertion(
    `from __future__ import annotations

import json  # configuration
import random
from dataclasses import dataclass
import torch
from torch import Tensor, nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.|head = nn.Linear(16, 8)
`,
    "Adapt `head` with LoRA (192 trainable)",
    `from __future__ import annotations

import json  # configuration
import math
import random
from dataclasses import dataclass
import torch
from torch import Tensor, nn


${source("lora/lora.py", "LoRALinear").replace(/: "(torch\..* None)"/g, ": $1")}


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = LoRALinear(16, 8, rank=8, alpha=16)
`,
  ));
