import math
from typing import Any

import torch
from shared.plain_conv import plain_conv
from torch import Tensor, nn


class DoRAConv(nn.modules.conv._ConvNd):
    """DoRA (Liu et al., 2024, arXiv:2402.09353) for a convolution over one to three dimensions.

    h = (m / |V|) * (V * x) + b with V = W + (alpha / rank) * B A: |V| holds the norm of the kernel
    of each output channel and is a constant in the backward pass, A is a convolution of the same
    shape to `rank` channels, B mixes these; with groups, all groups share A. The magnitude is
    m = |W| + `magnitude_offset`, which starts at zero: so m is the norm of whatever weight is
    loaded, and the layer starts as the one it replaces; its checkpoint loads.

    Args:
        rank: channels between A and B, at least 1.
        alpha: numerator of the scale of the update.
        dropout: on the input of the update only, in [0, 1).
    """

    def __init__(
        self,
        *arguments: Any,
        rank: int = 8,
        alpha: float = 16.0,
        dropout: float = 0.0,
        **options: Any,
    ) -> None:
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        super().__init__(*arguments, **options)
        self.requires_grad_(False)
        self.scale = alpha / rank
        self.dropout = nn.Dropout(dropout)
        new = self.weight.new_zeros
        self.lora_A = nn.Parameter(new(rank, *self.weight.shape[1:]))  # (r, in / groups, k, ...)
        self.lora_B = nn.Parameter(new(self.out_channels, rank))  # (out, r)
        self.magnitude_offset = nn.Parameter(new(self.out_channels))  # (out,)
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def update(self) -> Tensor:  # (out, in / groups, k, ...)
        """(alpha / r) * B A"""
        return self.scale * (self.lora_B @ self.lora_A.flatten(1)).view_as(self.weight)

    def gain(self) -> Tensor:  # (out, 1, ...)
        """m / |V|: what the kernels of V are multiplied by; exactly one at the start."""
        with torch.no_grad():
            smallest = torch.finfo(self.weight.dtype).tiny  # a kernel of zeros has no direction
            adapted = (self.weight + self.update()).flatten(1)
            norm = torch.linalg.vector_norm(adapted, dim=1).clamp_min(smallest)
            start = torch.linalg.vector_norm(self.weight.flatten(1), dim=1).clamp_min(smallest)
        gain = (start + self.magnitude_offset) / norm
        return gain.view(-1, *[1] * (self.weight.dim() - 2))

    def forward(self, x: Tensor) -> Tensor:  # (B, in, ...) -> (B, out, ...)
        direction = self._conv_forward(x, self.weight, None)
        # A * x in every group, with the layer's own stride and padding
        a = self.lora_A.repeat([self.groups] + [1] * (self.weight.dim() - 1))
        thin = self._conv_forward(self.dropout(x), a, None)  # (B, groups r, ...)
        thin = thin.flatten(2 - self.weight.dim()).unflatten(-2, (self.groups, -1))
        mixed = self.lora_B.unflatten(0, (self.groups, -1)) @ thin  # (B, groups, out / groups, .)
        # V * x = W * x + (alpha / r) B (A * x)
        direction = direction + self.scale * mixed.reshape(direction.shape)
        gain = self.gain()
        h = gain * direction
        return h if self.bias is None else h + self.bias.view_as(gain)

    def merged_weight(self) -> Tensor:  # (out, in / groups, k, ...)
        """The weight in effect, for code that computes with it."""
        return self.gain()[:, None] * (self.weight + self.update())

    def merged(self) -> "nn.Conv1d | nn.Conv2d | nn.Conv3d":
        """A plain layer with the kernels of V at their learned magnitude."""
        return plain_conv(self, self.merged_weight())


class DoRAConv1d(DoRAConv, nn.Conv1d):
    """`nn.Conv1d` with magnitude and direction apart: DoRA (Liu et al., 2024, arXiv:2402.09353)."""


class DoRAConv2d(DoRAConv, nn.Conv2d):
    """`nn.Conv2d` with magnitude and direction apart: DoRA (Liu et al., 2024, arXiv:2402.09353)."""


class DoRAConv3d(DoRAConv, nn.Conv3d):
    """`nn.Conv3d` with magnitude and direction apart: DoRA (Liu et al., 2024, arXiv:2402.09353)."""
