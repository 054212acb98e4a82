import torch
from torch import Tensor, nn


class C3ALinear(nn.Linear):
    """`nn.Linear` plus circular convolutions: C3A (Chen et al., 2025, arXiv:2407.19342).

    h = W x + b + (1 / in_features) * C x with W and b frozen, where C consists of circulant blocks:
    the first row of block (m, n) is the kernel w_mn, each further row that one shifted. Kernels
    start Xavier-uniform, so the output changes a little from the start; `weight` and `bias` keep
    their names, so the checkpoint of the layer it replaces loads.

    Args:
        block_size: length b of a kernel, a divisor of in_features and out_features; the larger,
            the fewer parameters.
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
        if block_size < 1 or in_features % block_size != 0 or out_features % block_size != 0:
            sizes = f"{in_features} and {out_features}"
            raise ValueError(f"block_size must be a divisor of {sizes}, got {block_size}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.block_size = block_size
        kernels = (out_features // block_size, in_features // block_size, block_size)
        self.c3a_kernel = nn.Parameter(self.weight.new_empty(kernels))  # (out / b, in / b, b)
        bound = (6 / (in_features + out_features)) ** 0.5
        nn.init.uniform_(self.c3a_kernel, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # y_m = 1 / in * sum over n of IFFT(FFT(x_n) * conj(FFT(w_mn))); it needs single precision
        exact = torch.float64 if x.dtype is torch.float64 else torch.float32
        blocks = x.to(exact).unflatten(-1, (-1, self.block_size))  # (..., in / b, b)
        spectrum = torch.fft.rfft(blocks)
        kernels = torch.fft.rfft(self.c3a_kernel.to(exact)).conj()
        mixed = torch.einsum("...nf,mnf->...mf", spectrum, kernels)  # (..., out / b, b / 2 + 1)
        y = torch.fft.irfft(mixed, n=self.block_size).flatten(-2) / self.in_features
        return nn.functional.linear(x, self.weight, self.bias) + y.to(x.dtype)

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        size = self.block_size
        steps = torch.arange(size, device=self.weight.device)
        circulant = self.c3a_kernel[
            :, :, (steps - steps[:, None]) % size
        ]  # (out / b, in / b, b, b)
        update = circulant.transpose(1, 2).reshape(self.out_features, self.in_features)
        return self.weight + update / self.in_features

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the circulant blocks folded in."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
