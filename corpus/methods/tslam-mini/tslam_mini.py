import math
from typing import Any

import torch
from shared.nf4 import dequantize_nf4, quantize_nf4
from torch import Tensor, nn
from torch.nn import functional as F


def tslam_mini_recipe() -> "dict[str, dict[str, Any]]":
    """The QLoRA settings reported for TSLAM-Mini (Ethiraj et al., 2025, arXiv:2505.07877).

    Keyword arguments by class: BitsAndBytesConfig, LoraConfig and TrainingArguments. The figures
    come from notes on the model's card, so this is a reconstruction; how 32 divides into batch and
    accumulation is this implementation's choice.
    """
    return {
        "BitsAndBytesConfig": {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_use_double_quant": True,
            "bnb_4bit_compute_dtype": torch.bfloat16,
        },
        "LoraConfig": {
            "r": 16,
            "lora_alpha": 32,
            # the model's fused projections: query, key and value; gate and up
            "target_modules": ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"],
            "task_type": "CAUSAL_LM",
        },
        "TrainingArguments": {
            "learning_rate": 2e-5,
            "per_device_train_batch_size": 4,
            "gradient_accumulation_steps": 8,
            "lr_scheduler_type": "cosine",
            "optim": "adamw_torch",
            "bf16": True,
        },
    }


class NF4Linear(nn.Module):
    """A linear layer in 4 bits with a low-rank update: QLoRA, as in TSLAM-Mini (arXiv:2505.07877).

    y = dq(W) x + b + (alpha / rank) * B A x, where W is kept as NF4 codes and the largest |w| of
    each block as 8-bit numbers (double quantisation). B starts at zero, so the layer starts as
    the quantised one; only A and B train (Ethiraj et al., 2025). W is formed anew at each use.

    Args:
        linear: the layer to replace; its weight is read, not changed.
        rank: inner dimension r of the update, 1 to min(in_features, out_features).
        alpha: numerator of the scale.
        dropout: on the input of the update only, in [0, 1).
        block: weights that share a largest |w|.
    """

    codes: Tensor
    levels: Tensor
    steps: Tensor
    mean: Tensor
    bias: "Tensor | None"

    def __init__(
        self,
        linear: nn.Linear,
        *,
        rank: int = 16,
        alpha: float = 32.0,
        dropout: float = 0.0,
        block: int = 64,
    ) -> None:
        largest_rank = min(linear.in_features, linear.out_features)
        if not 1 <= rank <= largest_rank:
            raise ValueError(f"rank must be between 1 and {largest_rank}, got {rank}")
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        weight = linear.weight.detach()
        codes, largest = quantize_nf4(weight, block)
        # second quantisation: 256 blocks share a step of their largest |w| less the mean
        mean = largest.mean()
        grouped = F.pad(largest - mean, (0, -len(largest) % 256)).view(-1, 256)
        steps = grouped.abs().amax(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) / 127
        self.register_buffer("codes", codes)
        self.register_buffer("levels", (grouped / steps).round().to(torch.int8))
        self.register_buffer("steps", steps)
        self.register_buffer("mean", mean)
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach().clone())
        self.scale = alpha / rank
        self.dropout = nn.Dropout(dropout)
        self.lora_A = nn.Parameter(weight.new_empty(rank, self.in_features))  # (r, in)
        self.lora_B = nn.Parameter(weight.new_zeros(self.out_features, rank))  # (out, r)
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def dequantized(self) -> Tensor:  # (out, in)
        """The weight that the codes stand for."""
        largest = (self.levels * self.steps + self.mean).flatten()[: len(self.codes)]
        weight = dequantize_nf4(self.codes, largest, (self.out_features, self.in_features))
        return weight.to(self.lora_A.dtype)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # y = dq(W) x + b + (alpha / r) B A x
        y = F.linear(x, self.dequantized().to(x.dtype), self.bias)
        return y + self.scale * (self.dropout(x) @ self.lora_A.T @ self.lora_B.T)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer, no longer quantised: dq(W) + (alpha / r) B A."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.lora_A)
        layer.weight.copy_(self.dequantized() + self.scale * self.lora_B @ self.lora_A)
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


def quantize_linears(
    model: nn.Module, *names: str, rank: int = 16, alpha: float = 32.0
) -> "list[nn.Parameter]":
    """Freeze `model` and put its linear layers of these names into 4 bits with an update each.

    Names are the last part, as `target_modules` of LoraConfig; returns what to optimise. Load the
    checkpoint first (TSLAM-Mini, Ethiraj et al., 2025, arXiv:2505.07877).
    """
    model.requires_grad_(False)
    trained: list[nn.Parameter] = []
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if name in names and isinstance(child, nn.Linear):
                layer = NF4Linear(child, rank=rank, alpha=alpha)
                setattr(module, name, layer)
                trained += [layer.lora_A, layer.lora_B]
    if not trained:
        raise ValueError(f"names must be of linear layers in the model, got {', '.join(names)}")
    return trained
