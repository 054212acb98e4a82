import math
from typing import Any

from shared.plain_conv import plain_conv
from torch import Tensor, nn


class LoRAConv(nn.modules.conv._ConvNd):
    """LoRA (Hu et al., 2021, arXiv:2106.09685) for a convolution over one, two or three dimensions.

    h = W * x + b + (alpha / rank) * B (A * x), with W and b frozen: A is a convolution of the same
    shape to `rank` channels, B mixes these one by one. With groups, all groups share A. B starts at
    zero, so the layer starts as the one it replaces; its checkpoint loads.

    Args:
        rank: channels between A and B, at least 1.
        alpha: numerator of the scale.
        dropout: on the input of the update only, in [0, 1).
    """

    def __init__(
        self,
        *arguments: Any,
        rank: int = 8,
        alpha: float = 8.0,
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
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:  # (B, in, ...) -> (B, out, ...)
        h = self._conv_forward(x, self.weight, self.bias)
        # A * x in every group, with the layer's own stride and padding
        a = self.lora_A.repeat([self.groups] + [1] * (self.weight.dim() - 1))
        thin = self._conv_forward(self.dropout(x), a, None)  # (B, groups r, ...)
        thin = thin.flatten(2 - self.weight.dim()).unflatten(-2, (self.groups, -1))
        mixed = self.lora_B.unflatten(0, (self.groups, -1)) @ thin  # (B, groups, out / groups, .)
        # h = W * x + b + (alpha / r) B (A * x)
        return h + self.scale * mixed.reshape(h.shape)

    def merged_weight(self) -> Tensor:  # (out, in / groups, k, ...)
        """The weight in effect, for code that computes with it."""
        update = self.lora_B @ self.lora_A.flatten(1)
        return self.weight + self.scale * update.view_as(self.weight)

    def merged(self) -> "nn.Conv1d | nn.Conv2d | nn.Conv3d":
        """A plain layer with the update folded in: W + (alpha / r) B A."""
        return plain_conv(self, self.merged_weight())


class LoRAConv1d(LoRAConv, nn.Conv1d):
    """`nn.Conv1d` plus a trainable low-rank update: LoRA (Hu et al., 2021, arXiv:2106.09685)."""


class LoRAConv2d(LoRAConv, nn.Conv2d):
    """`nn.Conv2d` plus a trainable low-rank update: LoRA (Hu et al., 2021, arXiv:2106.09685)."""


class LoRAConv3d(LoRAConv, nn.Conv3d):
    """`nn.Conv3d` plus a trainable low-rank update: LoRA (Hu et al., 2021, arXiv:2106.09685)."""
