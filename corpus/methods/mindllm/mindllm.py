import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def rotate_pairs(x: Tensor, base: float = 10000.0) -> Tensor:  # (..., T, d_h) -> (..., T, d_h)
    """Rotary positions, as in MindLLM (Yang et al., 2023, arXiv:2310.15777).

    The pair of entries 2j and 2j + 1 of token m turns by the angle m * base^(-2j / d_h).
    """
    length, size = x.shape[-2:]
    steps = torch.arange(0, size, 2, device=x.device, dtype=torch.float32)
    places = torch.arange(length, device=x.device, dtype=torch.float32)
    angles = places[:, None] * base ** (-steps / size)  # (T, d_h / 2)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


class LightweightDecoderBlock(nn.Module):
    """A decoder block to train from scratch: MindLLM (Yang et al., 2023, arXiv:2310.15777).

    x <- Norm(a x + Attention(x)), x <- Norm(a x + W_d (GELU(W_g x) * W_u x)): rotary positions,
    causal attention, RMSNorm and a GeGLU network, without biases. The residual weight of DeepNorm
    is a = (2 M)^(1/4) for M layers, and values, outputs and the network start with Glorot's gain
    (8 M)^(-1/4). The report names these parts; which of its two models has which is not known, so
    their union here is a reconstruction, with DeepNorm's usual constants.

    Args:
        d_model: width.
        n_heads: attention heads; must divide d_model into even parts.
        d_ff: inner width of the feed-forward network.
        n_layers_total: blocks of the whole model, M.
        eps: added to the mean square in RMSNorm.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        n_layers_total: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        eps: float = 1e-6,
    ) -> None:
        if n_heads < 1 or d_model < 2 or d_model % (2 * n_heads):
            raise ValueError(f"n_heads must divide {d_model} into even parts, got {n_heads}")
        if d_ff < 1:
            raise ValueError(f"d_ff must be at least 1, got {d_ff}")
        if n_layers_total < 1:
            raise ValueError(f"n_layers_total must be at least 1, got {n_layers_total}")
        super().__init__()
        self.n_heads, self.eps = n_heads, eps
        self.residual = (2 * n_layers_total) ** 0.25  # a

        def matrix(rows: int, columns: int, gain: float = 1.0) -> nn.Parameter:
            weight = nn.Parameter(torch.empty(rows, columns, device=device, dtype=dtype))
            nn.init.xavier_normal_(weight, gain=gain)
            return weight

        gain = (8 * n_layers_total) ** -0.25
        self.query, self.key = matrix(d_model, d_model), matrix(d_model, d_model)
        self.value, self.output = matrix(d_model, d_model, gain), matrix(d_model, d_model, gain)
        self.gate, self.up = matrix(d_ff, d_model, gain), matrix(d_ff, d_model, gain)
        self.down = matrix(d_model, d_ff, gain)
        self.attention_norm = nn.Parameter(torch.ones(d_model, device=device, dtype=dtype))
        self.feed_forward_norm = nn.Parameter(torch.ones(d_model, device=device, dtype=dtype))

    def norm(self, x: Tensor, scale: Tensor) -> Tensor:
        """x / sqrt(mean(x^2) + eps) * scale, over the last dimension."""
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * scale

    def attend(self, x: Tensor) -> Tensor:  # (B, T, d) -> (B, T, d)
        """Causal attention; a token sees itself and what is before."""

        def heads(weight: Tensor) -> Tensor:  # (B, H, T, d_h)
            return F.linear(x, weight).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

        q, k, v = rotate_pairs(heads(self.query)), rotate_pairs(heads(self.key)), heads(self.value)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (B, H, T, T)
        future = torch.ones_like(scores[0, 0], dtype=torch.bool).triu(1)
        weights = scores.masked_fill(future, -math.inf).softmax(-1)
        return F.linear((weights @ v).transpose(1, 2).flatten(2), self.output)

    def feed_forward(self, x: Tensor) -> Tensor:
        """W_d (GELU(W_g x) * W_u x)."""
        return F.linear(F.gelu(F.linear(x, self.gate)) * F.linear(x, self.up), self.down)

    def forward(self, x: Tensor) -> Tensor:  # (B, T, d_model) -> (B, T, d_model)
        x = self.norm(self.residual * x + self.attend(x), self.attention_norm)
        return self.norm(self.residual * x + self.feed_forward(x), self.feed_forward_norm)
