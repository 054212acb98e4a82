import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class LoRALinear(nn.Linear):
    """`nn.Linear` plus a trainable low-rank update: LoRA (Hu et al., 2021, arXiv:2106.09685).

    h = W x + b + (alpha / rank) * B A x, with W and b frozen. B starts at zero, so the layer
    starts as the one it replaces; `weight` and `bias` keep their names, so its checkpoint loads.

    Args:
        rank: inner dimension r of the update, 1 to min(in_features, out_features).
        alpha: numerator of the scale; the paper keeps it fixed while trying ranks.
        dropout: on the input of the update only, in [0, 1).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 8,
        alpha: float = 16.0,
        dropout: float = 0.0,
    ) -> None:
        largest = min(in_features, out_features)
        if not 1 <= rank <= largest:
            raise ValueError(f"rank must be between 1 and {largest}, got {rank}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.scale = alpha / rank
        self.dropout = nn.Dropout(dropout)
        self.lora_A = nn.Parameter(self.weight.new_empty(rank, in_features))  # (r, in)
        self.lora_B = nn.Parameter(self.weight.new_zeros(out_features, rank))  # (out, r)
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # h = W x + b + (alpha / r) B A x, as two thin products: B A is never formed
        update = self.dropout(x) @ self.lora_A.T @ self.lora_B.T
        return nn.functional.linear(x, self.weight, self.bias) + self.scale * update

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        return self.weight + self.scale * self.lora_B @ self.lora_A

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the update folded in: W + (alpha / r) B A."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


class LoRABeside(nn.Module):
    """A trainable low-rank product beside a linear layer that stays: LoRA (Hu et al., 2021).

    h = layer(x) + (alpha / rank) * B A x (arXiv:2106.09685), for layers that no subclass can stand
    for: those under weight_norm or spectral_norm, and those with packed weights. `layer` is frozen
    and called, not held, so it keeps its place in checkpoints. B starts at zero.

    Args:
        layer: has in_features and out_features.
        rank: inner dimension r of the update, 1 to min(in_features, out_features).
        alpha: numerator of the scale; the paper keeps it fixed while trying ranks.
        dropout: on the input of the update only, in [0, 1).
    """

    def __init__(
        self,
        layer: Any,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 8,
        alpha: float = 16.0,
        dropout: float = 0.0,
    ) -> None:
        largest = min(layer.in_features, layer.out_features)
        if not 1 <= rank <= largest:
            raise ValueError(f"rank must be between 1 and {largest}, got {rank}")
        super().__init__()
        layer.requires_grad_(False)
        self.scale = alpha / rank
        self.dropout = nn.Dropout(dropout)
        where = next(layer.parameters()).device if device is None else device
        a = torch.empty(rank, layer.in_features, device=where, dtype=dtype)
        b = torch.zeros(layer.out_features, rank, device=where, dtype=dtype)
        self.lora_A, self.lora_B = nn.Parameter(a), nn.Parameter(b)  # (r, in), (out, r)
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, layer: "Callable[[Tensor], Tensor]", x: Tensor) -> Tensor:
        h = layer(x)  # (..., in) -> (..., out)
        # what is packed in 8 or 4 bits computes in a precision of its own
        update = self.dropout(x.to(self.lora_A)) @ self.lora_A.T @ self.lora_B.T
        return h + self.scale * update.to(h)
