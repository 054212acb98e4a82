/** Attention whose projections are no layers: nn.MultiheadAttention, and PyTorch's own transformers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt, applied, checkInsertion, source, uri } from "./check";

// the file can say `nn.functional` already, so it gets no import of F
const adapted = source("shared/adapted_attention.py", "AdaptedAttention").replace(
  "F.multi",
  "nn.functional.multi",
);
const weights = source("shared/adapted_attention.py", "projection_weights");
const lora = source("lora-mha/lora_mha.py", "LoRAMultiheadAttention");

const block = (cursor: string, built: string): string => `class Block(nn.Module):
    def __init__(self, width: int = 512) -> None:
        super().__init__()
        self.at${cursor}tn = ${built}
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.norm(x + self.attn(x, x, x)[0]))
`;

const plain = `nn.MultiheadAttention(
            width,
            num_heads=8,
            dropout=0.1,  # of the weights
        )`;

const inserted = `import math

import torch
from torch import Tensor, nn


${adapted}


${weights}


${lora}


${block(
  "|",
  `LoRAMultiheadAttention(
            width,
            num_heads=8,
            dropout=0.1,  # of the weights
            rank=8,
            alpha=16,
        )`,
)}`;

test("an attention gets factors for its queries and values", () =>
  checkInsertion(
    `import torch
from torch import Tensor, nn


${block("|", plain)}`,
    // 2 projections of 512 × 512 at rank 8
    "Adapt `attn` with LoRA for multi-head attention (16,384 trainable)",
    inserted.replace("at|tn", "attn"),
  ));

test("and is as it was, its own dropout and comment too, once that is taken out", () =>
  checkInsertion(
    inserted,
    "Remove LoRA for multi-head attention from `attn`",
    `import torch
from torch import Tensor, nn


${block("", plain)}`,
  ));

const encoder = (cursor: string): string => `from torch import Tensor, nn


class Enc${cursor}oder(nn.Module):
    def __init__(self, width: int = 64, depth: int = 3) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, 4, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=depth)
        self.decoder = nn.ModuleList([nn.TransformerDecoderLayer(width, 4, 128) for _ in range(2)])
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))
`;

test("what PyTorch's transformers build inside is adapted across the model", async () => {
  const { service, text, actions } = actionsAt(encoder("|"));
  const titles = actions.flatMap(({ title, disabled }) => (disabled === undefined ? title : []));
  // (3 + 2 · 2) attentions with 2 · 8 · (64 + 64) each
  const attention =
    "Adapt `self_attn`, `multihead_attn` across `Encoder` with LoRA for multi-head attention (14,336 trainable)";
  // 3 · 2 · 8 · (64 + 2048) + 2 · 2 · 8 · (64 + 128) + 8 · (64 + 10)
  const linear = "Adapt `linear1`, `linear2`, `head` across `Encoder` with LoRA (108,112 trainable)";
  assert.ok(titles.includes(attention), titles.join("\n"));
  assert.ok(titles.includes(linear), titles.join("\n"));
  const action = actions.find(({ title }) => title === attention);
  assert.ok(action);
  const edited = applied((await service.resolveCodeAction(action)).edit, { [uri]: text })[uri] ?? "";
  assert.match(
    edited,
    /self\.head = nn\.Linear\(width, 10\)\n {8}apply_lora_mha\(self, targets=\("self_attn", "multihead_attn"\), rank=8, alpha=16\)\n/,
  );
});
