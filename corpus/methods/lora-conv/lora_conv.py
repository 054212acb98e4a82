import math

import torch
from torch import Tensor, nn


class LoRAConv2d(nn.Conv2d):
    """`nn.Conv2d` plus a trainable low-rank update: LoRA (Hu et al., 2021, arXiv:2106.09685).

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
        in_channels: int,
        out_channels: int,
        kernel_size: "int | tuple[int, int]",
        stride: "int | tuple[int, int]" = 1,
        padding: "str | int | tuple[int, int]" = 0,
        dilation: "int | tuple[int, int]" = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 8,
        alpha: float = 8.0,
        dropout: float = 0.0,
    ) -> None:
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )
        self.requires_grad_(False)
        self.scale = alpha / rank
        self.dropout = nn.Dropout(dropout)
        new = self.weight.new_zeros
        self.lora_A = nn.Parameter(new(rank, *self.weight.shape[1:]))  # (r, in / groups, k, k)
        self.lora_B = nn.Parameter(new(out_channels, rank))  # (out, r)
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:  # (B, in, H, W) -> (B, out, H', W')
        # A * x in every group, (B, groups r, H', W'), with the layer's own stride and padding
        thin = self._conv_forward(self.dropout(x), self.lora_A.repeat(self.groups, 1, 1, 1), None)
        update = nn.functional.conv2d(thin, self.lora_B[:, :, None, None], groups=self.groups)
        # h = W * x + b + (alpha / r) B (A * x)
        return self._conv_forward(x, self.weight, self.bias) + self.scale * update

    def merged_weight(self) -> Tensor:  # (out, in / groups, k, k)
        """The weight in effect, for code that computes with it."""
        update = self.lora_B @ self.lora_A.flatten(1)
        return self.weight + self.scale * update.view_as(self.weight)

    @torch.no_grad()
    def merged(self) -> nn.Conv2d:
        """A plain layer with the update folded in: W + (alpha / r) B A."""
        names = ("kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
        same = {name: getattr(self, name) for name in names}
        layer = nn.Conv2d(self.in_channels, self.out_channels, bias=self.bias is not None, **same)
        layer = layer.to(self.weight)
        layer.load_state_dict(self.state_dict(), strict=False)
        layer.weight.copy_(self.merged_weight())
        return layer
