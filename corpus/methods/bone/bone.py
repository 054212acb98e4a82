import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BoneLinear(nn.Linear):
    """`nn.Linear` plus one block shared by all shards of the input: Bone (arXiv:2409.15371).

    The input is cut into shards of `block_size`; h = W x + b + M^T (sum of the shards), with W and
    b frozen (Kang, 2024; later called MiSS). M starts at zero, so the layer starts as the one it
    replaces; `weight` and `bias` keep their names, so its checkpoint loads.

    Args:
        block_size: length of a shard, 1 to in_features; the last shard may be shorter.
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
        if not 1 <= block_size <= in_features:
            raise ValueError(f"block_size must be between 1 and {in_features}, got {block_size}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.block_size = block_size
        self.shards = -(-in_features // block_size)  # rounded up
        self.bone = nn.Parameter(self.weight.new_zeros(block_size, out_features))  # (r, out)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        padded = F.pad(x, (0, self.shards * self.block_size - self.in_features))
        shards = padded.unflatten(-1, (self.shards, self.block_size))
        return F.linear(x, self.weight, self.bias) + shards.sum(-2) @ self.bone

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        update = self.bone.T.repeat(1, self.shards)[:, : self.in_features]
        return self.weight + update

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with M^T added to every strip of `block_size` columns of W."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
