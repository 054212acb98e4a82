import math

import torch
from torch import Tensor, nn


class LoKrLinear(nn.Linear):
    """`nn.Linear` plus a Kronecker product: LoKr (Yeh et al., 2024, LyCORIS, arXiv:2309.14859).

    h = W x + b + (alpha / rank) * (W_1 kron W_2) x, with W and b frozen. W_1 is (factor, factor);
    W_2 covers the rest, (out / factor, in / factor), whole or as a product of rank r. W_1 starts at
    zero, so the layer starts as the one it replaces; `weight` and `bias` keep their names, so its
    checkpoint loads.

    Args:
        rank: of W_2; from half its longer side on it is kept whole.
        alpha: numerator of the scale, also where W_2 is whole.
        factor: size of W_1, a divisor of in_features and out_features.
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
        factor: int = 8,
    ) -> None:
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        if factor < 1 or in_features % factor != 0 or out_features % factor != 0:
            sizes = f"{in_features} and {out_features}"
            raise ValueError(f"factor must be a divisor of {sizes}, got {factor}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.scale = alpha / rank
        self.factor = factor
        rows, columns = out_features // factor, in_features // factor
        self.lokr_W1 = nn.Parameter(self.weight.new_zeros(factor, factor))
        if 2 * rank >= max(rows, columns):
            self.lokr_W2 = nn.Parameter(self.weight.new_empty(rows, columns))
            factors = [self.lokr_W2]
        else:
            self.lokr_A2 = nn.Parameter(self.weight.new_empty(rows, rank))  # (out / f, r)
            self.lokr_B2 = nn.Parameter(self.weight.new_empty(rank, columns))  # (r, in / f)
            factors = [self.lokr_A2, self.lokr_B2]
        for part in factors:
            nn.init.kaiming_uniform_(part, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # (W_1 kron W_2) x = W_1 X W_2^T with x as the matrix X (f, in / f): no (out, in) is formed
        blocks = x.unflatten(-1, (self.factor, -1))  # (..., f, in / f)
        if hasattr(self, "lokr_W2"):
            blocks = blocks @ self.lokr_W2.T
        else:
            blocks = blocks @ self.lokr_B2.T @ self.lokr_A2.T
        return nn.functional.linear(x, self.weight, self.bias) + self.scale * (
            self.lokr_W1 @ blocks
        ).flatten(-2)

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        whole = hasattr(self, "lokr_W2")
        large = self.lokr_W2 if whole else self.lokr_A2 @ self.lokr_B2
        return self.weight + self.scale * torch.kron(self.lokr_W1, large)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the update folded in: W + (alpha / r) W_1 kron W_2."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
