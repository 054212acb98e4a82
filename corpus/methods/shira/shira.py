import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SHiRALinear(nn.Linear):
    """`nn.Linear` of which a few entries are trained: SHiRA (Bhardwaj et al., 2024).

    h = (W + V) x + b (arXiv:2406.13175), W and b frozen, where V is zero but for
    rank * (in_features + out_features) trained entries at random positions. They start at zero, so
    the layer starts as the one it replaces; `weight` and `bias` keep their names, so its checkpoint
    loads.

    Args:
        rank: sets how many entries are trained: as many as LoRA of this rank has.
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
        rank: int = 32,
        seed: int = 0,
    ) -> None:
        entries = in_features * out_features
        largest = entries // (in_features + out_features)
        if not 1 <= rank <= largest:
            raise ValueError(f"rank must be between 1 and {largest}, got {rank}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        chosen = rank * (in_features + out_features)
        generator = torch.Generator().manual_seed(seed)
        positions = torch.randperm(entries, generator=generator)[:chosen].sort().values
        self.register_buffer("positions", positions.to(self.weight.device))  # row * in + column
        self.shira_values = nn.Parameter(self.weight.new_zeros(chosen))

    def merged_weight(self) -> Tensor:  # (out, in)
        """W + V"""
        flat = self.weight.flatten().index_add(0, self.positions, self.shira_values)
        return flat.view_as(self.weight)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return F.linear(x, self.merged_weight(), self.bias)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the trained entries written in."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
