import torch
from torch import Tensor, nn
from torch.nn import functional as F


class HoulsbyAdapter(nn.Module):
    """Bottleneck adapter after a sub-layer (Houlsby et al., 2019, arXiv:1902.00751).

    A(h) = h + W_up f(W_down h + b_down) + b_up, put on the output of attention and of the
    feed-forward network before the residual sum. Both matrices start near zero, so the block
    starts close to the one it was; the released code also trains the model's LayerNorms.

    Args:
        width: size of the last dimension of the input.
        bottleneck: inner size r.
        activation: name of a function in `torch.nn.functional`.
        init_std: standard deviation of both matrices, drawn within two of it.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        bottleneck: int = 64,
        activation: str = "gelu",
        init_std: float = 1e-3,
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if bottleneck < 1:
            raise ValueError(f"bottleneck must be at least 1, got {bottleneck}")
        if not callable(getattr(F, activation, None)):
            raise ValueError(
                f"activation must name a function of torch.nn.functional: {activation}"
            )
        super().__init__()
        self.activation = activation
        # plain parameters: a model-wide initialiser of nn.Linear must not make them large
        self.down_weight = nn.Parameter(torch.empty(bottleneck, width, device=device, dtype=dtype))
        self.down_bias = nn.Parameter(torch.zeros(bottleneck, device=device, dtype=dtype))
        self.up_weight = nn.Parameter(torch.empty(width, bottleneck, device=device, dtype=dtype))
        self.up_bias = nn.Parameter(torch.zeros(width, device=device, dtype=dtype))
        for weight in (self.down_weight, self.up_weight):
            nn.init.trunc_normal_(weight, std=init_std, a=-2 * init_std, b=2 * init_std)

    def forward(self, x: Tensor) -> Tensor:  # (..., width) -> (..., width)
        hidden: Tensor = getattr(F, self.activation)(F.linear(x, self.down_weight, self.down_bias))
        return x + F.linear(hidden, self.up_weight, self.up_bias)
