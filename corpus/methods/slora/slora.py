import math

import torch
from torch import Tensor, nn


class SLoRALinear(nn.Linear):
    """`nn.Linear` plus a low-rank update with a middle matrix: SLoRA (Guo et al., 2025).

    h = W x + b + (alpha / rank) * B N A x (arXiv:2502.14482), with W and b frozen and N of size
    rank x rank between the two thin factors. B starts at zero, so the layer starts as the one it
    replaces; `weight` and `bias` keep their names, so its checkpoint loads.

    Args:
        rank: inner dimension r of the update, 1 to min(in_features, out_features).
        alpha: numerator of the scale.
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
        rank: int = 128,
        alpha: float = 128.0,
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
        self.lora_N = nn.Parameter(self.weight.new_empty(rank, rank))  # (r, r)
        self.lora_B = nn.Parameter(self.weight.new_zeros(out_features, rank))  # (out, r)
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        nn.init.kaiming_uniform_(self.lora_N, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # h = W x + b + (alpha / r) B N A x
        hidden = self.dropout(x) @ self.lora_A.T @ self.lora_N.T  # (..., r)
        return nn.functional.linear(x, self.weight, self.bias) + self.scale * (
            hidden @ self.lora_B.T
        )

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        return self.weight + self.scale * self.lora_B @ self.lora_N @ self.lora_A

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the update folded in: W + (alpha / r) B N A."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
