import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LoHaLinear(nn.Linear):
    """`nn.Linear` plus a Hadamard product of two low-rank products: LoHa (arXiv:2108.06098).

    h = (W + (alpha / rank) * (A_1 B_1) * (A_2 B_2)) x + b, the middle product entry by entry, with
    W and b frozen (Hyeon-Woo et al., 2021, FedPara; LyCORIS, arXiv:2309.14859). The rank of the
    update can reach rank^2. B_2 starts at zero, so the layer starts as the one it replaces;
    `weight` and `bias` keep their names, so its checkpoint loads.

    Args:
        rank: inner dimension r of both products, 1 to min(in_features, out_features).
        alpha: numerator of the scale.
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
        alpha: float = 8.0,
    ) -> None:
        largest = min(in_features, out_features)
        if not 1 <= rank <= largest:
            raise ValueError(f"rank must be between 1 and {largest}, got {rank}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.scale = alpha / rank
        new = self.weight.new_empty
        self.loha_A1 = nn.Parameter(new(out_features, rank))  # (out, r)
        self.loha_B1 = nn.Parameter(new(rank, in_features))  # (r, in)
        self.loha_A2 = nn.Parameter(new(out_features, rank))  # (out, r)
        self.loha_B2 = nn.Parameter(self.weight.new_zeros(rank, in_features))  # (r, in)
        for factor in (self.loha_A1, self.loha_B1, self.loha_A2):
            nn.init.kaiming_uniform_(factor, a=math.sqrt(5))

    def update(self) -> Tensor:  # (out, in)
        """(alpha / r) * (A_1 B_1) * (A_2 B_2)"""
        return self.scale * (self.loha_A1 @ self.loha_B1) * (self.loha_A2 @ self.loha_B2)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return F.linear(x, self.weight + self.update(), self.bias)

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        return self.weight + self.update()

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the update folded in."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
