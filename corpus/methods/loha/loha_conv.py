import math
from typing import Any

import torch
from shared.plain_conv import plain_conv
from torch import Tensor, nn


class LoHaConv(nn.modules.conv._ConvNd):
    """LoHa (arXiv:2108.06098) for a convolution over one, two or three dimensions.

    h = (W + (alpha / rank) * P_1 * P_2) * x + b, the product of P_1 and P_2 entry by entry, with W
    and b frozen (Hyeon-Woo et al., 2021, FedPara; LyCORIS, arXiv:2309.14859). Each P is a core T,
    which has a rank by rank matrix for each position of the kernel, between A and B:
    P[o, i, k] = sum_rs A[r, o] T[r, s, k] B[s, i]; without a core P = A B with the kernel laid out
    flat. B_2 starts at zero, so the layer starts as the one it replaces; its checkpoint loads.

    Args:
        rank: inner dimension r of both products, at least 1.
        alpha: numerator of the scale.
        use_effective_conv2d: with cores, for kernels of more than one position.
    """

    def __init__(
        self,
        *arguments: Any,
        rank: int = 8,
        alpha: float = 8.0,
        use_effective_conv2d: bool = True,
        **options: Any,
    ) -> None:
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        super().__init__(*arguments, **options)
        self.requires_grad_(False)
        self.scale = alpha / rank
        outputs, inputs, *kernel = self.weight.shape
        if use_effective_conv2d and math.prod(kernel) > 1:
            self.loha_T1, self.loha_T2 = (
                self.factor(rank, rank, *kernel),
                self.factor(rank, rank, *kernel),
            )
            a, b = (rank, outputs), (rank, inputs)
        else:
            a, b = (outputs, rank), (rank, inputs * math.prod(kernel))
        self.loha_A1, self.loha_B1 = self.factor(*a), self.factor(*b)
        self.loha_A2, self.loha_B2 = self.factor(*a), self.factor(*b)
        nn.init.zeros_(self.loha_B2)

    def factor(self, *shape: int) -> nn.Parameter:
        """A new factor."""
        factor = nn.Parameter(self.weight.new_empty(shape))
        nn.init.kaiming_uniform_(factor, a=math.sqrt(5))
        return factor

    def update(self) -> Tensor:  # (out, in / groups, k, ...)
        """(alpha / r) * P_1 * P_2"""
        if hasattr(self, "loha_T1"):
            product = "rs...,ro,si->oi..."
            first = torch.einsum(product, self.loha_T1, self.loha_A1, self.loha_B1)
            second = torch.einsum(product, self.loha_T2, self.loha_A2, self.loha_B2)
        else:
            first, second = self.loha_A1 @ self.loha_B1, self.loha_A2 @ self.loha_B2
        return self.scale * (first * second).view_as(self.weight)

    def forward(self, x: Tensor) -> Tensor:  # (B, in, ...) -> (B, out, ...)
        return self._conv_forward(x, self.weight + self.update(), self.bias)

    def merged_weight(self) -> Tensor:  # (out, in / groups, k, ...)
        """The weight in effect, for code that computes with it."""
        return self.weight + self.update()

    def merged(self) -> "nn.Conv1d | nn.Conv2d | nn.Conv3d":
        """A plain layer with the update folded in."""
        return plain_conv(self, self.merged_weight())


class LoHaConv1d(LoHaConv, nn.Conv1d):
    """`nn.Conv1d` plus a Hadamard product of two low-rank products: LoHa (arXiv:2108.06098)."""


class LoHaConv2d(LoHaConv, nn.Conv2d):
    """`nn.Conv2d` plus a Hadamard product of two low-rank products: LoHa (arXiv:2108.06098)."""


class LoHaConv3d(LoHaConv, nn.Conv3d):
    """`nn.Conv3d` plus a Hadamard product of two low-rank products: LoHa (arXiv:2108.06098)."""
