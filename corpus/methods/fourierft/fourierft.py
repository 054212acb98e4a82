import torch
from torch import Tensor, nn
from torch.nn import functional as F


class FourierFTLinear(nn.Linear):
    """`nn.Linear` plus an update with a sparse spectrum: FourierFT (Gao et al., 2024).

    h = (W + s * Re IDFT(F)) x + b (arXiv:2405.03003), W and b frozen, where F is zero but for
    `n_frequency` trained entries at random positions, equal in all layers of one size. They start
    normal, so the output changes from the start; `weight` and `bias` keep their names, so the
    checkpoint of the layer it replaces loads.

    Args:
        n_frequency: trained entries, 1 to in_features * out_features.
        scaling: factor s on the update.
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
        n_frequency: int = 1000,
        scaling: float = 150.0,
        seed: int = 777,
    ) -> None:
        largest = in_features * out_features
        if not 1 <= n_frequency <= largest:
            raise ValueError(f"n_frequency must be between 1 and {largest}, got {n_frequency}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.scaling = scaling
        generator = torch.Generator().manual_seed(seed)
        positions = torch.randperm(largest, generator=generator)[:n_frequency]
        self.register_buffer("positions", positions.to(self.weight.device))  # row * in + column
        self.spectrum = nn.Parameter(self.weight.new_empty(n_frequency))
        nn.init.normal_(self.spectrum)

    def update(self) -> Tensor:  # (out, in)
        """s * Re IDFT(F); the transform needs single precision."""
        entries = self.spectrum
        entries = entries if entries.dtype is torch.float64 else entries.float()
        flat = entries.new_zeros(self.out_features * self.in_features)
        dense = flat.index_add(0, self.positions, entries).view(self.out_features, -1)
        return (self.scaling * torch.fft.ifft2(dense).real).to(self.spectrum.dtype)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return F.linear(x, self.weight + self.update(), self.bias)

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        return self.weight + self.update()

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the update folded in."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
