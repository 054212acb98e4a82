from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class S2RowLinear(nn.Linear):
    """`nn.Linear` that trains a slice of its input channels: S²FT (Yang et al., 2024).

    h = W x + b + S x[start : start + channels] (arXiv:2412.06289), for the layers that read the
    chosen channels: output projection and second layer of the feed-forward network. W and b are
    frozen and S starts at zero, so the layer starts as the one it replaces and loads its
    checkpoint. The paper picks channels at random and moves them together (`permute_ffn_`).

    Args:
        start: first trained channel.
        channels: number of trained channels.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        start: int = 0,
        channels: int = 32,
    ) -> None:
        if not 0 <= start < in_features:
            raise ValueError(f"start must be between 0 and {in_features - 1}, got {start}")
        if not 1 <= channels <= in_features - start:
            raise ValueError(f"channels must be between 1 and {in_features - start}: {channels}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.slice = slice(start, start + channels)
        self.s2 = nn.Parameter(self.weight.new_zeros(out_features, channels))  # S: (out, c)

    @classmethod
    def from_linear(cls, base: nn.Linear, start: int, end: int) -> "S2RowLinear":
        """`base` with its channels from `start` up to `end` trained; its weight is shared."""
        sizes = base.in_features, base.out_features, base.bias is not None
        where = base.weight.device, base.weight.dtype
        layer = cls(*sizes, *where, start=start, channels=end - start)
        layer.weight, layer.bias = base.weight, base.bias
        layer.weight.requires_grad_(False)
        if base.bias is not None:
            layer.bias.requires_grad_(False)
        return layer

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return super().forward(x) + x[..., self.slice] @ self.s2.T  # W x + b + S x[a:b]

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        sides = (self.slice.start, self.in_features - self.slice.stop)
        return self.weight + F.pad(self.s2, sides)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with S added to its columns of W."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


class S2ColumnLinear(nn.Linear):
    """`nn.Linear` that trains a slice of its output channels: S²FT (Yang et al., 2024).

    h = W x + b with S x added to h[start : start + channels] (arXiv:2412.06289), for the layers
    that make the chosen channels: value projection and first layer of the feed-forward network.
    W and b are frozen and S starts at zero, so the layer starts as the one it replaces and loads
    its checkpoint.

    Args:
        start: first trained channel.
        channels: number of trained channels.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        start: int = 0,
        channels: int = 32,
    ) -> None:
        if not 0 <= start < out_features:
            raise ValueError(f"start must be between 0 and {out_features - 1}, got {start}")
        if not 1 <= channels <= out_features - start:
            raise ValueError(f"channels must be between 1 and {out_features - start}: {channels}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.slice = slice(start, start + channels)
        self.s2 = nn.Parameter(self.weight.new_zeros(channels, in_features))  # S: (c, in)

    @classmethod
    def from_linear(cls, base: nn.Linear, start: int, end: int) -> "S2ColumnLinear":
        """`base` with its channels from `start` up to `end` trained; its weight is shared."""
        sizes = base.in_features, base.out_features, base.bias is not None
        where = base.weight.device, base.weight.dtype
        layer = cls(*sizes, *where, start=start, channels=end - start)
        layer.weight, layer.bias = base.weight, base.bias
        layer.weight.requires_grad_(False)
        if base.bias is not None:
            layer.bias.requires_grad_(False)
        return layer

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        h, change = super().forward(x), x @ self.s2.T  # (..., out), (..., c)
        before, after = h[..., : self.slice.start], h[..., self.slice.stop :]
        return torch.cat([before, h[..., self.slice] + change, after], dim=-1)

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        sides = (0, 0, self.slice.start, self.out_features - self.slice.stop)
        return self.weight + F.pad(self.s2, sides)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with S added to its rows of W."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


@torch.no_grad()
def permute_ffn_(
    up: nn.Linear, gate: "nn.Linear | None", down: nn.Linear, order: "Sequence[int]"
) -> None:
    """Reorder the inner channels of a feed-forward network, which leaves what it computes.

    Rows of `up` and of `gate` move with the columns of `down` (S²FT, arXiv:2412.06289).
    """
    if sorted(order) != list(range(down.in_features)):
        raise ValueError(f"order must hold each of 0 to {down.in_features - 1} once")
    index = torch.tensor(order, device=down.weight.device)
    for layer in (up, gate):
        if layer is not None:
            layer.weight.copy_(layer.weight[index])
            if layer.bias is not None:
                layer.bias.copy_(layer.bias[index])
    down.weight.copy_(down.weight[:, index])


def convert_ffn_to_s2(
    block: nn.Module,
    chosen: "Sequence[int]",
    up: str = "up_proj",
    gate: str = "gate_proj",
    down: str = "down_proj",
) -> S2RowLinear:
    """Train the chosen inner channels of a feed-forward network in its last layer (S²FT).

    Moves them to the front and replaces the attribute `down` of `block`; the weights are reordered,
    so load the checkpoint before. A block without `gate` is as good.
    """
    layers = [getattr(block, name, None) for name in (up, gate, down)]
    first, middle, last = (part if isinstance(part, nn.Linear) else None for part in layers)
    if first is None or last is None:
        raise ValueError(f"block must have nn.Linear layers {up} and {down}")
    front = list(dict.fromkeys(chosen))
    if not front or not all(0 <= channel < last.in_features for channel in front):
        raise ValueError(f"chosen must name some of 0 to {last.in_features - 1}, got {front}")
    rest = sorted(set(range(last.in_features)) - set(front))
    permute_ffn_(first, middle, last, front + rest)
    layer = S2RowLinear.from_linear(last, 0, len(front))
    setattr(block, down, layer)
    return layer
