from typing import Any

from shared.plain_conv import plain_conv
from torch import Tensor, nn


class IA3Conv(nn.modules.conv._ConvNd):
    """(IA)³ (arXiv:2205.05638) for a convolution over one, two or three dimensions.

    h = l ⊙ (W * x + b), or h = W * (l ⊙ x) + b with `scale_input`: l has an entry for each channel
    (Liu et al., 2022). W and b are frozen and l starts at one, so the layer starts as the one it
    replaces and loads its checkpoint.

    Args:
        scale_input: rescale the input in place of the output.
    """

    def __init__(self, *arguments: Any, scale_input: bool = False, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.requires_grad_(False)
        self.scale_input = scale_input
        size = self.in_channels if scale_input else self.out_channels
        ones = [1] * (self.weight.dim() - 2)
        self.ia3_scale = nn.Parameter(self.weight.new_ones(size, *ones))  # l: (in or out, 1, ...)

    def forward(self, x: Tensor) -> Tensor:  # (B, in, ...) -> (B, out, ...)
        if self.scale_input:
            return self._conv_forward(self.ia3_scale * x, self.weight, self.bias)  # W * (l ⊙ x) + b
        return self.ia3_scale * self._conv_forward(x, self.weight, self.bias)  # l ⊙ (W * x + b)

    def merged(self) -> "nn.Conv1d | nn.Conv2d | nn.Conv3d":
        """A plain layer with l folded in: W diag(l), or diag(l) W and l ⊙ b."""
        scale = self.ia3_scale.detach().flatten()
        if self.scale_input:
            # channel i of group g is input g * (in / groups) + i
            grouped = self.weight.unflatten(0, (self.groups, -1)).flatten(3)
            columns = scale.view(self.groups, 1, -1, 1)
            return plain_conv(self, (grouped * columns).view_as(self.weight))
        plain = plain_conv(self, self.weight * self.ia3_scale[:, None])
        if plain.bias is not None:
            plain.bias.data *= scale
        return plain


class IA3Conv1d(IA3Conv, nn.Conv1d):
    """`nn.Conv1d` with output or input channels rescaled by a vector: (IA)³, arXiv:2205.05638."""


class IA3Conv2d(IA3Conv, nn.Conv2d):
    """`nn.Conv2d` with output or input channels rescaled by a vector: (IA)³, arXiv:2205.05638."""


class IA3Conv3d(IA3Conv, nn.Conv3d):
    """`nn.Conv3d` with output or input channels rescaled by a vector: (IA)³, arXiv:2205.05638."""
