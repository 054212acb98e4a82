import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BatLinear(nn.Linear):
    """`nn.Linear` with block-affine updates guided by the weight: Bat (arXiv:2409.15371).

    W is cut into square blocks; block (p, q) becomes W_pq + W_pq M_p + M_p, one trained M_p for
    each row of blocks (Kang, 2024). M starts at zero, so the layer starts as the one it replaces;
    `weight` and `bias` keep their names, so its checkpoint loads.

    Args:
        block_size: side of a block; must divide in_features and out_features.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        block_size: int = 64,
    ) -> None:
        if block_size < 1 or in_features % block_size or out_features % block_size:
            raise ValueError(
                f"block_size must divide in_features and out_features, "
                f"got {block_size} for {in_features} and {out_features}"
            )
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.block_size = block_size
        rows = out_features // block_size
        self.bat = nn.Parameter(self.weight.new_zeros(rows, block_size, block_size))  # (p, r, r)

    def merged_weight(self) -> Tensor:  # (out, in)
        """W with every block W_pq replaced by W_pq + W_pq M_p + M_p."""
        side = self.block_size
        blocks = self.weight.reshape(-1, side, self.in_features // side, side)  # (p, r, q, r)
        blocks = blocks.transpose(1, 2)  # (p, q, r, r)
        update = blocks @ self.bat[:, None] + self.bat[:, None]
        return self.weight + update.transpose(1, 2).reshape_as(self.weight)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return F.linear(x, self.merged_weight(), self.bias)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the adapted weight."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
