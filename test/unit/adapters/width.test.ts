import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt, applied, checkInsertion, serviceWith, source, uri } from "./check";

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
    "return nn.functional.linear(x, self.weight, self.bias) + self.scale * update\n",
    `return (
            nn.functional.linear(x, self.weight, self.bias)
            + self.scale * update
        )
`,
  )
  .replace(
    "layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)\n",
    "layer = nn.Linear(\n            self.in_features, self.out_features, self.bias is not None\n        )\n",
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

const block = (sum: string): string => `class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attention = Attention(width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x, attention_mask=None, past_keys=None):
        ${sum}
        return x
`;
const adapted = block(`x = x + self.attention_adapter(
            self.attention(self.norm(x), attention_mask=attention_mask, keys=past_keys)[0]
        )`).replace(
  "Attention(width)\n",
  "Attention(width)\n        self.attention_adapter = HoulsbyAdapter(width, bottleneck=64)\n",
);
const plainBlock = block(
  "x = x + self.attention(self.norm(x), attention_mask=attention_mask, keys=past_keys)[0]",
);
const bottleneck = `import torch
from torch import Tensor, nn


${source("houlsby/houlsby.py", "HoulsbyAdapter")
  .replace(/\bF\b/g, "nn.functional")
  .replace(/\)\((nn\.functional\.linear\(.*\))\)\n/, ")(\n            $1\n        )\n")}


`;

test("a call around what has no brackets of its own at its end is broken inside its own", () =>
  checkInsertion(
    `from torch import nn\n\n\n${plainBlock.replace("self.attention = ", "self.att|ention = ")}`,
    "Add a Houlsby adapter after `attention`",
    `${bottleneck}${adapted}`,
    wide,
  ));

test("and what it was put around is on one line again without it", () =>
  checkInsertion(
    `${bottleneck}${adapted.replace("_adapter = ", "_ada|pter = ")}`,
    "Remove Houlsby adapter from `attention_adapter`",
    `from torch import nn\n\n\n${plainBlock}`,
    wide,
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

test("what is put around layers and blocks leaves no trace where the formatter broke its statements", async () => {
  const text = `import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, hidden_width):
        super().__init__()
        self.attention = nn.MultiheadAttention(hidden_width, 4)
        self.norm = nn.LayerNorm(hidden_width)
        self.projection = nn.Linear(hidden_width, hidden_width)

    def forward(self, hidden_states):
        normed = self.norm(hidden_states)
        hidden_states = hidden_states + self.attention(normed, normed, normed)[0]
        return hidden_states


class Encoder(nn.Module):
    def __init__(self, hidden_width, depth):
        super().__init__()
        self.blocks = nn.ModuleList([Block(hidden_width) for _ in range(depth)])
        self.norm = nn.LayerNorm(hidden_width)

    def forward(self, hidden_states):
        hidden_states = torch.tanh(hidden_states)
        for block in self.blocks:
            hidden_states = block(hidden_states)
        return self.norm(hidden_states)
`;
  const project = { files: { "file:///project/pyproject.toml": "[tool.black]\nline-length = 81\n" } };
  const only = ["refactor.rewrite.adapter"];
  const everywhere = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
  const offered = serviceWith(text, project).codeActions(uri, everywhere, { diagnostics: [], only });
  let tried = 0;
  for (const action of offered) {
    const site = JSON.stringify(action.data);
    if (action.disabled !== undefined || !/@block-/.test(site)) continue;
    const { edit } = await serviceWith(text, project).resolveCodeAction(action);
    let current = applied(edit, { [uri]: text })[uri] ?? "";
    assert.notEqual(current, text, site);
    for (let round = 0; round < 3; round++) {
      const service = serviceWith(current, project);
      const removal = service
        .codeActions(uri, { ...everywhere, end: { line: 999, character: 0 } }, { diagnostics: [], only })
        .find(({ kind }) => kind?.endsWith(".remove") === true);
      if (removal === undefined) break;
      const { edit: taken } = await service.resolveCodeAction(removal);
      current = applied(taken, { [uri]: current })[uri] ?? "";
    }
    assert.equal(current, text, site);
    tried++;
  }
  assert.ok(tried > 8, String(tried));
});
