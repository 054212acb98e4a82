import torch
from shared.cayley import cayley
from torch import Tensor, nn
from torch.nn import functional as F


class BOFTLinear(nn.Linear):
    """`nn.Linear` behind a butterfly rotation: BOFT (Liu et al., 2024, arXiv:2311.06243).

    h = s * (W R^T x) + b with R = R_m ... R_1, each R_f a block-diagonal rotation of permuted
    coordinates, W and b frozen. Skew parts start at zero and s at one, so the layer starts as the
    one it replaces; `weight` and `bias` keep their names, so its checkpoint loads.

    Args:
        block_size: size b of a block.
        factors: number m of butterfly factors; b * 2^(m - 1) must divide in_features.
    """

    order: Tensor
    back: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        block_size: int = 4,
        factors: int = 1,
    ) -> None:
        if block_size < 2 or in_features % block_size != 0:
            raise ValueError(
                f"block_size must be at least 2 and a divisor of {in_features}, got {block_size}"
            )
        most = 1
        while block_size % 2 == 0 and in_features % (block_size * 2**most) == 0:
            most += 1
        if not 1 <= factors <= most:
            raise ValueError(f"factors must be between 1 and {most}, got {factors}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.block_size = block_size
        blocks = in_features // block_size
        self.boft_r = nn.Parameter(self.weight.new_zeros(factors, blocks, block_size, block_size))
        # s is held as its difference from one, so that weight decay pulls it to its start
        self.boft_scale_offset = nn.Parameter(self.weight.new_zeros(out_features))
        order = torch.stack([butterfly(in_features, block_size, f) for f in range(factors)])
        self.register_buffer("order", order.to(self.weight.device))  # (m, in)
        self.register_buffer("back", order.argsort(dim=1).to(self.weight.device))  # (m, in)

    def turned(self, x: Tensor) -> Tensor:  # (..., in) -> (..., in)
        """R^T x: the factors act from the last to the first."""
        rotations = cayley((self.boft_r - self.boft_r.transpose(2, 3)) / 2)  # (m, n, b, b)
        for rotation, order, back in reversed(list(zip(rotations, self.order, self.back))):
            blocks = x[..., back].unflatten(-1, (-1, 1, self.block_size))  # (..., n, 1, b)
            x = (blocks @ rotation).flatten(-3)[..., order]
        return x

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        h = (1 + self.boft_scale_offset) * F.linear(self.turned(x), self.weight)
        return h if self.bias is None else h + self.bias

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        rotation = self.turned(torch.eye(self.in_features).to(self.weight)).T  # R^T
        return (1 + self.boft_scale_offset)[:, None] * (self.weight @ rotation)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with rotation and scale folded in: diag(s) W R^T."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


def butterfly(size: int, block_size: int, factor: int) -> Tensor:
    """Order of the coordinates before factor 0, 1, ...: in groups that double with each factor,
    half blocks of even number first, then those of odd number."""
    if factor == 0:
        return torch.arange(size)
    halves = torch.arange(size).reshape(-1, 2**factor, 2, block_size // 2)
    return halves.transpose(1, 2).flatten()
