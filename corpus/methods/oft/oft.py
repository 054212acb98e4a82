import torch
from shared.cayley import cayley
from torch import Tensor, nn


class OFTLinear(nn.Linear):
    """`nn.Linear` behind a learned rotation: OFT (Qiu et al., 2023, arXiv:2306.07280).

    h = W R^T x + b with R = blockdiag(R_1, ..., R_n) and R_k = (I - Q_k)(I + Q_k)^-1, W and b
    frozen. The input is turned and not the weight (OFTv2, arXiv:2506.19847). Q is skew-symmetric,
    given by the entries above its diagonal; these start at zero, so the layer starts as the one it
    replaces; `weight` and `bias` keep their names, so its checkpoint loads.

    Args:
        block_size: size b of a block, a divisor of in_features.
        block_share: one rotation for all blocks.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        block_size: int = 32,
        block_share: bool = False,
    ) -> None:
        if block_size < 2 or in_features % block_size != 0:
            raise ValueError(
                f"block_size must be at least 2 and a divisor of {in_features}, got {block_size}"
            )
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.block_size = block_size
        blocks = 1 if block_share else in_features // block_size
        entries = block_size * (block_size - 1) // 2
        self.oft_q = nn.Parameter(self.weight.new_zeros(blocks, entries))

    def rotation(self) -> Tensor:  # (n or 1, b, b)
        """R_k of every block."""
        rows, columns = torch.triu_indices(
            self.block_size, self.block_size, 1, device=self.oft_q.device
        )
        upper = self.oft_q.new_zeros(len(self.oft_q), self.block_size, self.block_size)
        upper[:, rows, columns] = self.oft_q
        return cayley(upper - upper.transpose(1, 2))

    def turned(self, x: Tensor) -> Tensor:  # (..., in) -> (..., in)
        """R^T x, block by block."""
        blocks = x.unflatten(-1, (-1, 1, self.block_size))  # (..., n, 1, b)
        return (blocks @ self.rotation()).flatten(-3)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # h = W R^T x + b
        return super().forward(self.turned(x))

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        rotations = self.rotation().expand(self.in_features // self.block_size, -1, -1)
        return self.weight @ torch.block_diag(*rotations).T

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the rotation folded in: W R^T."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
