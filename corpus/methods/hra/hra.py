import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class HRALinear(nn.Linear):
    """`nn.Linear` behind a chain of reflections: HRA (Yuan et al., 2024, arXiv:2405.17484).

    h = W H_1 ... H_r x + b with H_k = I - 2 u_k u_k^T / |u_k|^2, W and b frozen. The u_k start in
    equal pairs whose reflections cancel, so the layer starts as the one it replaces; `weight` and
    `bias` keep their names, so its checkpoint loads.

    Args:
        rank: number r of reflections, even.
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
    ) -> None:
        if rank % 2 != 0 or not 2 <= rank <= in_features:
            raise ValueError(f"rank must be even and between 2 and {in_features}, got {rank}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        half = self.weight.new_empty(in_features, rank // 2)
        nn.init.kaiming_uniform_(half, a=math.sqrt(5))
        self.hra_u = nn.Parameter(torch.stack([half, half], dim=2).flatten(1))  # (in, r)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # H_r acts on x first: x - 2 (x . u) u, so the chain costs r (in) and no (in, in) matrix
        for u in reversed(F.normalize(self.hra_u, dim=0).unbind(1)):
            x = x - 2 * (x @ u)[..., None] * u
        return super().forward(x)

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        weight = self.weight
        for u in F.normalize(self.hra_u, dim=0).unbind(1):
            weight = weight - 2 * (weight @ u)[:, None] * u
        return weight

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the reflections folded in: W H_1 ... H_r."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
