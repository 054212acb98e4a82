import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt, applied, checkInsertion, source, uri } from "./check";

const imports = "import math\n\nimport torch\nfrom torch import Tensor, nn\n";
const narrow = { files: { "file:///project/pyproject.toml": "[tool.black]\nline-length = 79\n" } };
const wide = { files: { "file:///project/pyproject.toml": "[tool.black]\nline-length = 100\n" } };

/** LoRA as Black has it in 79 columns. */
const lora79 = source("lora/lora.py", "LoRALinear")
  .replace(
    '"""`nn.Linear` plus a trainable low-rank update: LoRA (Hu et al., 2021, arXiv:2106.09685).\n',
    '"""`nn.Linear` plus a trainable low-rank update: LoRA (Hu et al., 2021,\n    arXiv:2106.09685).\n',
  )
  .replace(
    /h = W x \+ b \+ [\s\S]*?checkpoint loads\./,
    `h = W x + b + (alpha / rank) * B A x, with W and b frozen. B starts at
    zero, so the layer starts as the one it replaces; \`weight\` and \`bias\` keep
    their names, so its checkpoint loads.`,
  )
  .replace(
    "        rank: inner dimension r of the update, 1 to min(in_features, out_features).\n",
    "        rank: inner dimension r of the update, 1 to min(in_features,\n            out_features).\n",
  )
  .replace(
    "        alpha: numerator of the scale; the paper keeps it fixed while trying ranks.\n",
    "        alpha: numerator of the scale; the paper keeps it fixed while trying\n            ranks.\n",
  )
  .replace(
    '            raise ValueError(f"rank must be between 1 and {largest}, got {rank}")\n',
    '            raise ValueError(\n                f"rank must be between 1 and {largest}, got {rank}"\n            )\n',
  )
  .replace(
    "nn.Parameter(self.weight.new_empty(rank, in_features))  # (r, in)\n",
    "nn.Parameter(\n            self.weight.new_empty(rank, in_features)\n        )  # (r, in)\n",
  )
  .replace(
    "nn.Parameter(self.weight.new_zeros(out_features, rank))  # (out, r)\n",
    "nn.Parameter(\n            self.weight.new_zeros(out_features, rank)\n        )  # (out, r)\n",
  )
  .replace(
    "        # h = W x + b + (alpha / r) B A x, as two thin products: B A is never formed\n",
    "        # h = W x + b + (alpha / r) B A x, as two thin products: B A is never\n        # formed\n",
  )
  .replace(
    "return super().forward(x) + self.scale * (self.dropout(x) @ self.lora_A.T @ self.lora_B.T)\n",
    `return super().forward(x) + self.scale * (
            self.dropout(x) @ self.lora_A.T @ self.lora_B.T
        )
`,
  )
  .replace(
    "layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)\n",
    "layer = nn.Linear(\n            self.in_features, self.out_features, self.bias is not None\n        )\n",
  )
  .replace(
    "layer.weight.copy_(self.weight + self.scale * self.lora_B @ self.lora_A)\n",
    "layer.weight.copy_(\n            self.weight + self.scale * self.lora_B @ self.lora_A\n        )\n",
  );

const attention = (layer: string): string => `class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.query_projection = ${layer}
`;
const wrapped = `LoRALinear(
            width, heads * 64, bias=False, rank=8, alpha=16
        )`;

test("definitions and calls keep to the formatter's width", () =>
  checkInsertion(
    `${imports}\n\n${attention("nn.Linear(width, heads * 64, bias=False)").replace("self.query", "self.que|ry")}`,
    "Adapt `query_projection` with LoRA",
    `${imports}\n\n${lora79}\n\n\n${attention(wrapped)}`,
    narrow,
  ));

test("what was broken for the adapter is joined again when it leaves", () =>
  checkInsertion(
    `${imports}\n\n${lora79}\n\n\n${attention(wrapped).replace("self.query", "self.que|ry")}`,
    "Remove LoRA from `query_projection`",
    `from torch import nn\n\n\n${attention("nn.Linear(width, heads * 64, bias=False)")}`,
    narrow,
  ));

const long = (call: string): string => `class Attention(nn.Module):
    def __init__(self, configuration):
        super().__init__()
        self.projection = ${call}
`;

test("one argument a line where they do not fit on one", () =>
  checkInsertion(
    `${imports}\n\n${source("lora/lora.py", "LoRALinear")}\n\n\n${long(
      `nn.Linear(
            configuration.hidden_size * configuration.heads, configuration.intermediate_size * 2
        )`,
    ).replace("self.proj", "self.pro|j")}`,
    "Adapt `projection` with LoRA",
    `${imports}\n\n${source("lora/lora.py", "LoRALinear")}\n\n\n${long(
      `LoRALinear(
            configuration.hidden_size * configuration.heads,
            configuration.intermediate_size * 2,
            rank=8,
            alpha=16,
        )`,
    )}`,
    wide,
  ));

test("an import that gets too long gets brackets", () =>
  checkInsertion(
    `import math

from torch import autocast, bfloat16, channels_last, device, float16, nn


${attention("nn.Linear(8, 8)").replace("self.query", "self.que|ry")}`,
    "Adapt `query_projection` with LoRA (128 trainable)",
    `import math

import torch
from torch import (
    Tensor,
    autocast,
    bfloat16,
    channels_last,
    device,
    float16,
    nn,
)


${lora79}


${attention("LoRALinear(8, 8, rank=8, alpha=16)")}`,
    narrow,
  ));

test("a statement that no formatter has seen is not broken", () =>
  checkInsertion(
    `${imports}\n\n${source("lora/lora.py", "LoRALinear")}\n\n\n${long(
      "nn.Linear(configuration.hidden_size * 4, configuration.hidden_size,\n                                    bias=False)",
    ).replace("self.proj", "self.pro|j")}`,
    "Adapt `projection` with LoRA",
    `${imports}\n\n${source("lora/lora.py", "LoRALinear")}\n\n\n${long(
      "LoRALinear(configuration.hidden_size * 4, configuration.hidden_size,\n                                    bias=False, rank=8, alpha=16)",
    )}`,
    wide,
  ));

test("without a formatter nothing is broken", () =>
  checkInsertion(
    `${imports}\n\n${source("lora/lora.py", "LoRALinear")}\n\n\n${long(
      "nn.Linear(configuration.hidden_size * configuration.heads, configuration.hidden_size)",
    ).replace("self.proj", "self.pro|j")}`,
    "Adapt `projection` with LoRA",
    `${imports}\n\n${source("lora/lora.py", "LoRALinear")}\n\n\n${long(
      "LoRALinear(configuration.hidden_size * configuration.heads, configuration.hidden_size, rank=8, alpha=16)",
    )}`,
  ));

test("values stay tab stops in a call that is broken", async () => {
  const { service, actions } = actionsAt(
    `${imports}\n\n${lora79}\n\n\n${attention("nn.Linear(width, heads * 64, bias=False)").replace("self.query", "self.que|ry")}`,
    { ...narrow, snippets: true },
  );
  const action = actions.find(({ kind }) => kind === "refactor.rewrite.adapter.lora");
  assert.ok(action);
  const { edit } = await service.resolveCodeAction(action);
  const snippets = (edit?.documentChanges ?? []).flatMap((change) =>
    "edits" in change ? change.edits.flatMap((each) => ("snippet" in each ? [each.snippet.value] : [])) : [],
  );
  assert.deepEqual(snippets, [", rank=${1:8}, alpha=${2:16}\n        "]);
});

test("Windows line breaks, tabs and no formatter's strings", async () => {
  const text = `${imports}\n\n${attention("nn.Linear(width, heads * 64, bias=False)")}`
    .replace(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4))
    .replaceAll("\n", "\r\n");
  const { service, actions } = actionsAt(text.replace("self.query", "self.que|ry"), narrow);
  const action = actions.find(({ kind }) => kind === "refactor.rewrite.adapter.lora");
  assert.ok(action);
  const after = applied((await service.resolveCodeAction(action)).edit, { [uri]: text })[uri] ?? "";
  assert.equal(after.replaceAll("\r\n", "").includes("\n"), false);
  assert.match(
    after,
    /LoRALinear\(\r\n\t\t\twidth, heads \* 64, bias=False, rank=8, alpha=16\r\n\t\t\)\r\n$/,
  );
});
