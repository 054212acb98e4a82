import math

import torch
from torch import Tensor, nn


class GraLoRALinear(nn.Linear):
    """`nn.Linear` plus a low-rank update a block: GraLoRA (Jung et al., 2025, arXiv:2505.20355).

    h = W x + b + (alpha / rank) * D x, with W and b frozen, where D is cut in k x k blocks and
    block (p, q) has rank / k directions of its own: D_pq = (A_q[p] B_p[q])^T. B starts at zero, so
    the layer starts as the one it replaces; `weight` and `bias` keep their names, so its checkpoint
    loads.

    Args:
        rank: total rank r, a multiple of `blocks`.
        alpha: numerator of the scale alpha / rank.
        blocks: blocks k a side, a divisor of in_features and out_features.
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
        rank: int = 32,
        alpha: float = 64.0,
        blocks: int = 2,
        dropout: float = 0.0,
    ) -> None:
        if blocks < 1 or in_features % blocks != 0 or out_features % blocks != 0:
            sizes = f"{in_features} and {out_features}"
            raise ValueError(f"blocks must be a divisor of {sizes}, got {blocks}")
        largest = min(in_features, out_features)
        if not 1 <= rank <= largest or rank % blocks != 0:
            raise ValueError(
                f"rank must be a multiple of {blocks} and at most {largest}, got {rank}"
            )
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.scale = alpha / rank
        self.blocks = blocks
        self.dropout = nn.Dropout(dropout)
        new = self.weight
        self.gralora_A = nn.Parameter(new.new_empty(blocks, in_features // blocks, rank))
        self.gralora_B = nn.Parameter(new.new_zeros(blocks, rank, out_features // blocks))
        bound = 1 / math.sqrt(in_features // blocks)
        nn.init.uniform_(self.gralora_A, -bound, bound)  # Kaiming-uniform in each block

    def update(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        """(alpha / r) D x"""
        parts = x.unflatten(-1, (self.blocks, 1, -1))  # (..., q, 1, in / k)
        inner = (parts @ self.gralora_A).squeeze(-2)  # (..., q, r)
        # the p-th slice of every q goes to output block p
        inner = inner.unflatten(-1, (self.blocks, -1)).transpose(-3, -2)  # (..., p, q, r / k)
        inner = inner.flatten(-2).unsqueeze(-2)  # (..., p, 1, r)
        return self.scale * (inner @ self.gralora_B).flatten(-3)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return nn.functional.linear(x, self.weight, self.bias) + self.update(self.dropout(x))

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        every = torch.eye(self.in_features).to(self.weight)
        return self.weight + self.update(every).T

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with all blocks folded in: W + (alpha / r) D."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
