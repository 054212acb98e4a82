import torch
from torch import Tensor, nn
from torch.nn import functional as F


class GranularityGatedAdapter(nn.Module):
    """Gated multi-head adapter of an encoder: VL-PET (Hu et al., 2023, arXiv:2308.09804).

    s * G ⊙ (h + W_up GELU([W_1 h; ...; W_heads h] + b_down) + b_up), on the output h of attention
    and of the feed-forward network before the residual sum. The gate G reads the residual stream x:
    large: sigmoid(W_2 GELU(W_1 x)), a number for each element; middleX: one for each token;
    middleY: 1 + gamma, one for each channel; small: one for each sequence. Sigmoid gates start
    near 1/2, so the block does not start as the one it was.

    Args:
        width: size of the last dimension of the input.
        bottleneck: inner size r, over all heads.
        heads: parts of the down-projection; must divide the bottleneck.
        granularity: large, middleX, middleY or small.
        gate_dim: inner size of the large gate.
        scale: s; the released T5 recipes use 0.3, the BART ones 1.
        init_std: standard deviation of the weights at the start.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        bottleneck: int = 96,
        heads: int = 4,
        granularity: str = "large",
        gate_dim: int = 96,
        scale: float = 1.0,
        init_std: float = 0.02,
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if bottleneck < 1:
            raise ValueError(f"bottleneck must be at least 1, got {bottleneck}")
        if heads < 1 or bottleneck % heads:
            raise ValueError(f"heads must divide the bottleneck {bottleneck}, got {heads}")
        if gate_dim < 1:
            raise ValueError(f"gate_dim must be at least 1, got {gate_dim}")
        shapes = {
            "large": [(gate_dim, width), (width, gate_dim)],
            "middleX": [(1, width)],
            "middleY": [(width,)],
            "small": [(1, 2 * width)],
        }
        if granularity not in shapes:
            raise ValueError(f"granularity must be one of {', '.join(shapes)}, got {granularity}")
        super().__init__()
        self.granularity = granularity
        self.scale = scale

        def normal(*shape: int) -> nn.Parameter:
            weight = torch.empty(shape, device=device, dtype=dtype)
            return nn.Parameter(nn.init.normal_(weight, std=init_std))

        def zeros(size: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(size, device=device, dtype=dtype))

        # plain parameters: a model-wide initialiser of nn.Linear must not change the start
        self.down_weight = normal(heads, bottleneck // heads, width)
        self.down_bias = zeros(bottleneck)
        self.up_weight = normal(width, bottleneck)
        self.up_bias = zeros(width)
        self.gate_weights = nn.ParameterList(normal(*shape) for shape in shapes[granularity])
        self.gate_biases = nn.ParameterList(
            zeros(shape[0]) for shape in shapes[granularity] if len(shape) == 2
        )

    def gate(self, stream: Tensor, adapted: Tensor) -> Tensor:
        """G of shape (..., L, width), (..., L, 1), (width,) or (..., 1, 1), large to small."""
        if self.granularity == "middleY":
            return 1 + self.gate_weights[0]
        if self.granularity == "middleX":
            stream = stream + adapted
        elif self.granularity == "small":
            stream = torch.cat([stream, adapted], dim=-1)  # (..., L, 2 width)
        logits = F.linear(stream, self.gate_weights[0], self.gate_biases[0])
        if self.granularity == "large":
            hidden = F.gelu(logits, approximate="tanh")
            return torch.sigmoid(F.linear(hidden, self.gate_weights[1], self.gate_biases[1]))
        gate = torch.sigmoid(logits)  # (..., L, 1)
        return gate.mean(-2, keepdim=True) if self.granularity == "small" else gate

    def forward(self, h: Tensor, stream: "Tensor | None" = None) -> Tensor:
        # h is what the sub-layer gives, `stream` what it is added to (h where there is none)
        # h~ = h + W_up GELU(W_down h + b_down) + b_up, the heads as rows of one W_down
        hidden = F.linear(h, self.down_weight.flatten(0, 1), self.down_bias)
        hidden = F.gelu(hidden, approximate="tanh")
        adapted = h + F.linear(hidden, self.up_weight, self.up_bias)
        return self.scale * self.gate(h if stream is None else stream, adapted) * adapted


class ValueParallelAdapter(nn.Linear):
    """Value projection of cross-attention with a parallel adapter: VL-PET (arXiv:2308.09804).

    V = W_v m + b_v + W_up GELU(W_down m + b_down) + b_up with m the encoder's output and W_v, b_v
    frozen: the only change of the decoder. `weight` and `bias` keep their names.

    Args:
        bottleneck: inner size of the adapter.
        init_std: standard deviation of W_down and W_up at the start; with 0 the layer starts
            as the one it replaces, but then neither matrix learns.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        bottleneck: int = 96,
        init_std: float = 0.02,
    ) -> None:
        if bottleneck < 1:
            raise ValueError(f"bottleneck must be at least 1, got {bottleneck}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.down_weight = nn.Parameter(self.weight.new_empty(bottleneck, in_features))
        self.down_bias = nn.Parameter(self.weight.new_zeros(bottleneck))
        self.up_weight = nn.Parameter(self.weight.new_empty(out_features, bottleneck))
        self.up_bias = nn.Parameter(self.weight.new_zeros(out_features))
        for weight in (self.down_weight, self.up_weight):
            nn.init.normal_(weight, std=init_std)

    def forward(self, memory: Tensor) -> Tensor:  # (..., in) -> (..., out)
        hidden = F.gelu(F.linear(memory, self.down_weight, self.down_bias), approximate="tanh")
        return super().forward(memory) + F.linear(hidden, self.up_weight, self.up_bias)
