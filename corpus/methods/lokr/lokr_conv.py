import math
from typing import Any

import torch
from shared.plain_conv import plain_conv
from torch import Tensor, nn


class LoKrConv(nn.modules.conv._ConvNd):
    """LoKr (LyCORIS, arXiv:2309.14859) for a convolution over one, two or three dimensions.

    h = (W + (alpha / rank) * (W_1 kron W_2)) * x + b, with W and b frozen (Yeh et al., 2024). W_1
    is (factor, factor); W_2 covers the rest, (out / factor, in / groups / factor) with the kernel,
    whole, or as A and B with a core T that has a rank by rank matrix for each position of the
    kernel: W_2[o, i, k] = sum_rs A[r, o] T[r, s, k] B[s, i]; without a core it is A B with the
    kernel laid out flat. W_1 starts at zero, so the layer starts as the one it replaces; its
    checkpoint loads.

    Args:
        rank: of W_2; from half its longer side on it is kept whole.
        alpha: numerator of the scale, also where W_2 is whole.
        factor: size of W_1, a divisor of in_channels / groups and out_channels.
        use_effective_conv2d: with a core, for kernels of more than one position.
    """

    def __init__(
        self,
        *arguments: Any,
        rank: int = 8,
        alpha: float = 8.0,
        factor: int = 8,
        use_effective_conv2d: bool = True,
        **options: Any,
    ) -> None:
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        super().__init__(*arguments, **options)
        outputs, inputs, *kernel = self.weight.shape
        if factor < 1 or inputs % factor != 0 or outputs % factor != 0:
            raise ValueError(f"factor must be a divisor of {inputs} and {outputs}, got {factor}")
        self.requires_grad_(False)
        self.scale = alpha / rank
        rows, columns = outputs // factor, inputs // factor
        self.lokr_W1 = nn.Parameter(self.weight.new_zeros(factor, factor))
        if 2 * rank >= max(rows, columns):
            self.lokr_W2 = self.part(rows, columns, *kernel)
        elif use_effective_conv2d and math.prod(kernel) > 1:
            self.lokr_T2 = self.part(rank, rank, *kernel)
            self.lokr_A2, self.lokr_B2 = self.part(rank, rows), self.part(rank, columns)
        else:
            self.lokr_A2 = self.part(rows, rank)  # (out / f, r)
            self.lokr_B2 = self.part(rank, columns * math.prod(kernel))  # (r, in / f k ...)

    def part(self, *shape: int) -> nn.Parameter:
        """A new part of W_2."""
        part = nn.Parameter(self.weight.new_empty(shape))
        nn.init.kaiming_uniform_(part, a=math.sqrt(5))
        return part

    def update(self) -> Tensor:  # (out, in / groups, k, ...)
        """(alpha / r) * W_1 kron W_2"""
        if hasattr(self, "lokr_W2"):
            large = self.lokr_W2
        elif hasattr(self, "lokr_T2"):
            product = "rs...,ro,si->oi..."
            large = torch.einsum(product, self.lokr_T2, self.lokr_A2, self.lokr_B2)
        else:
            large = self.lokr_A2 @ self.lokr_B2
        # laid out flat, the kernel stays together
        update = torch.kron(self.lokr_W1, large.flatten(1))
        return self.scale * update.view_as(self.weight)

    def forward(self, x: Tensor) -> Tensor:  # (B, in, ...) -> (B, out, ...)
        return self._conv_forward(x, self.weight + self.update(), self.bias)

    def merged_weight(self) -> Tensor:  # (out, in / groups, k, ...)
        """The weight in effect, for code that computes with it."""
        return self.weight + self.update()

    def merged(self) -> "nn.Conv1d | nn.Conv2d | nn.Conv3d":
        """A plain layer with the update folded in: W + (alpha / r) W_1 kron W_2."""
        return plain_conv(self, self.merged_weight())


class LoKrConv1d(LoKrConv, nn.Conv1d):
    """`nn.Conv1d` plus a Kronecker product: LoKr (Yeh et al., 2024, LyCORIS, arXiv:2309.14859)."""


class LoKrConv2d(LoKrConv, nn.Conv2d):
    """`nn.Conv2d` plus a Kronecker product: LoKr (Yeh et al., 2024, LyCORIS, arXiv:2309.14859)."""


class LoKrConv3d(LoKrConv, nn.Conv3d):
    """`nn.Conv3d` plus a Kronecker product: LoKr (Yeh et al., 2024, LyCORIS, arXiv:2309.14859)."""
