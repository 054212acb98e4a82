import math

import torch
from torch import Tensor, nn


class DeLoRALinear(nn.Linear):
    """`nn.Linear` plus a bounded low-rank update: DeLoRA (Bini et al., 2025, arXiv:2503.18225).

    h = W x + b + (l / rank) * B X A (n * x) with X = 1 / (|A_k| |B_k|) for each of the r pairs of
    row and column and n the norms of the columns of W; W and b are frozen. So the size of the
    update relative to W is at most the trained bound l. B starts at zero, so the layer starts as
    the one it replaces; `weight` and `bias` keep their names, so its checkpoint loads.

    Args:
        rank: inner dimension r of the update, 1 to min(in_features, out_features).
        delora_lambda: start of the bound l.
        dropout: on the input of the update only, in [0, 1).
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
        delora_lambda: float = 15.0,
        dropout: float = 0.0,
    ) -> None:
        largest = min(in_features, out_features)
        if not 1 <= rank <= largest:
            raise ValueError(f"rank must be between 1 and {largest}, got {rank}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.rank = rank
        self.dropout = nn.Dropout(dropout)
        self.delora_A = nn.Parameter(self.weight.new_empty(rank, in_features))  # (r, in)
        self.delora_B = nn.Parameter(self.weight.new_zeros(out_features, rank))  # (out, r)
        self.delora_lambda = nn.Parameter(self.weight.new_full((1,), delora_lambda))
        nn.init.kaiming_uniform_(self.delora_A, a=math.sqrt(5))

    def strengths(self) -> Tensor:  # (r,)
        """(l / r) X: the clamp keeps B = 0 finite."""
        a = torch.linalg.vector_norm(self.delora_A, dim=1).clamp_min(1e-4)
        b = torch.linalg.vector_norm(self.delora_B, dim=0).clamp_min(1e-4)
        return self.delora_lambda / self.rank / (a * b)

    def column_norms(self) -> Tensor:  # (in,)
        """n: of the frozen weight, whichever is loaded."""
        return torch.linalg.vector_norm(self.weight, dim=0)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        inner = (self.dropout(x) * self.column_norms()) @ self.delora_A.T  # (..., r)
        return (
            nn.functional.linear(x, self.weight, self.bias)
            + (inner * self.strengths()) @ self.delora_B.T
        )

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        update = (self.delora_B * self.strengths()) @ self.delora_A
        return self.weight + update * self.column_norms()

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the update folded in: W + (l / r) B X A diag(n)."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
