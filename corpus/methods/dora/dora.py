import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DoRALinear(nn.Linear):
    """`nn.Linear` with magnitude and direction apart: DoRA (Liu et al., 2024, arXiv:2402.09353).

    h = (m / |V|) * V x + b with V = W + (alpha / rank) * B A, where |V| holds the norm of each row
    and is a constant in the backward pass. The magnitude is m = |W| + `magnitude_offset`, which
    starts at zero: so m is the norm of whatever weight is loaded, and the layer starts as the one
    it replaces; `weight` and `bias` keep their names, so its checkpoint loads.

    Args:
        rank: inner dimension r of the update, 1 to min(in_features, out_features).
        alpha: numerator of the scale of the update.
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
        self.magnitude_offset = nn.Parameter(self.weight.new_zeros(out_features))  # (out,)
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def gain(self) -> Tensor:  # (out,)
        """m / |V|: what the rows of V are multiplied by; exactly one at the start."""
        with torch.no_grad():
            smallest = torch.finfo(self.weight.dtype).tiny  # a row of zeros has no direction
            adapted = self.weight + self.scale * self.lora_B @ self.lora_A
            norm = torch.linalg.vector_norm(adapted, dim=1).clamp_min(smallest)
            start = torch.linalg.vector_norm(self.weight, dim=1).clamp_min(smallest)
        return (start + self.magnitude_offset) / norm

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # V x = W x + (alpha / r) B A x
        direction = F.linear(x, self.weight)
        direction = direction + self.scale * (self.dropout(x) @ self.lora_A.T @ self.lora_B.T)
        h = self.gain() * direction
        return h if self.bias is None else h + self.bias

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        adapted = self.weight + self.scale * self.lora_B @ self.lora_A
        return self.gain()[:, None] * adapted

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the rows of V at their learned magnitude."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
