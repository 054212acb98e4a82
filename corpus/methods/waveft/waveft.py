import torch
from torch import Tensor, nn
from torch.nn import functional as F


class WaveFTLinear(nn.Linear):
    """`nn.Linear` plus an update with few wavelet coefficients: WaveFT (Bilican et al., 2025).

    h = (W + s * IDWT(C)) x + b (arXiv:2505.12532), W and b frozen, where C is zero but for
    `n_frequency` trained entries at random positions and IDWT is one level of the inverse Haar
    transform. They start at zero, so the layer starts as the one it replaces; `weight` and `bias`
    keep their names, so its checkpoint loads.

    Args:
        n_frequency: trained entries, 1 to in_features * out_features.
        scaling: factor s on the update.
        seed: of the positions.
    """

    positions: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        n_frequency: int = 2592,
        scaling: float = 25.0,
        seed: int = 777,
    ) -> None:
        for name, size in (("in_features", in_features), ("out_features", out_features)):
            if size % 2 != 0:
                raise ValueError(f"{name} must be even, got {size}")
        largest = in_features * out_features
        if not 1 <= n_frequency <= largest:
            raise ValueError(f"n_frequency must be between 1 and {largest}, got {n_frequency}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.scaling = scaling
        generator = torch.Generator().manual_seed(seed)
        positions = torch.randperm(largest, generator=generator)[:n_frequency]
        self.register_buffer("positions", positions.to(self.weight.device))  # row * in + column
        self.coefficients = nn.Parameter(self.weight.new_zeros(n_frequency))

    def update(self) -> Tensor:  # (out, in)
        """s * IDWT(C)"""
        flat = self.coefficients.new_zeros(self.out_features * self.in_features)
        dense = flat.index_add(0, self.positions, self.coefficients)
        # quadrants of C: averages, changes from row to row, from column to column, and of both
        quadrants = dense.view(2, self.out_features // 2, 2, self.in_features // 2)
        (a, h), (v, d) = (row.unbind(1) for row in quadrants.unbind(0))  # (out / 2, in / 2)
        top = torch.stack([a + h + v + d, a + h - v - d], dim=2)
        bottom = torch.stack([a - h + v - d, a - h - v + d], dim=2)
        blocks = torch.stack([top, bottom], dim=1)  # (out / 2, 2, in / 2, 2)
        return self.scaling / 2 * blocks.reshape(self.out_features, self.in_features)

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
