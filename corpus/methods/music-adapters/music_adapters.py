import torch
from torch import Tensor, nn
from torch.nn import functional as F


def xavier(*shape: int, device: "torch.device | str | None", dtype: "torch.dtype | None") -> Tensor:
    return nn.init.xavier_uniform_(torch.empty(shape, device=device, dtype=dtype))


class ConvBottleneckAdapter(nn.Module):
    """Convolutional adapter of a U-Net for music (Mehta et al., 2025, arXiv:2506.21298).

    x + Conv(GELU(Conv(x))) on feature maps, after the cross-attention at the end of a U-Net block;
    then a LayerNorm over channels if `norm`. With kernel 1 it mixes channels at each pixel alone.

    Args:
        channels: of the feature map.
        reduction: channels over inner channels.
        kernel_size: of both convolutions, odd.
        n_blocks: such steps in a row.
        zero_init: start the second convolutions at zero, so that the U-Net starts as it was; the
            released code starts them Xavier-uniform.
        norm: LayerNorm after the last step, as released; with it the start is not the identity.
    """

    def __init__(
        self,
        channels: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        reduction: int = 8,
        kernel_size: int = 1,
        n_blocks: int = 1,
        zero_init: bool = True,
        norm: bool = False,
    ) -> None:
        if reduction < 1 or channels < reduction:
            raise ValueError(f"reduction must be 1 to channels {channels}, got {reduction}")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd and at least 1, got {kernel_size}")
        if n_blocks < 1:
            raise ValueError(f"n_blocks must be at least 1, got {n_blocks}")
        super().__init__()
        inner, sides = channels // reduction, (kernel_size, kernel_size)
        self.downs, self.down_biases = nn.ParameterList(), nn.ParameterList()
        self.ups, self.up_biases = nn.ParameterList(), nn.ParameterList()
        for _ in range(n_blocks):
            down = xavier(inner, channels, *sides, device=device, dtype=dtype)
            up = xavier(channels, inner, *sides, device=device, dtype=dtype)
            self.downs.append(nn.Parameter(down))
            self.down_biases.append(nn.Parameter(down.new_zeros(inner)))
            self.ups.append(nn.Parameter(up * 0 if zero_init else up))
            self.up_biases.append(nn.Parameter(down.new_zeros(channels)))
        self.norm = nn.LayerNorm(channels, device=device, dtype=dtype) if norm else None

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, H, W)
        edge = self.downs[0].shape[-1] // 2
        for down, down_bias, up, up_bias in zip(
            self.downs, self.down_biases, self.ups, self.up_biases
        ):
            hidden = F.gelu(F.conv2d(x, down, down_bias, padding=edge))
            x = x + F.conv2d(hidden, up, up_bias, padding=edge)
        return x if self.norm is None else self.norm(x.movedim(1, -1)).movedim(-1, 1)


class LinearBottleneckAdapter(nn.Module):
    """Linear adapter after a Transformer decoder for music (Mehta et al., 2025, 2506.21298).

    dropout(x + W_up GELU(W_down x + b_down) + b_up). W_up starts at zero, so the model starts as it
    was, unless `zero_init` is off.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        bottleneck: int = 32,
        dropout: float = 0.1,
        zero_init: bool = True,
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if bottleneck < 1:
            raise ValueError(f"bottleneck must be at least 1, got {bottleneck}")
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        down = xavier(bottleneck, width, device=device, dtype=dtype)
        up = xavier(width, bottleneck, device=device, dtype=dtype)
        # plain parameters: a model-wide initialiser of nn.Linear must not undo the zeros
        self.down_weight = nn.Parameter(down)
        self.down_bias = nn.Parameter(down.new_zeros(bottleneck))
        self.up_weight = nn.Parameter(up * 0 if zero_init else up)
        self.up_bias = nn.Parameter(down.new_zeros(width))

    def forward(self, x: Tensor) -> Tensor:  # (..., width) -> (..., width)
        hidden = F.gelu(F.linear(x, self.down_weight, self.down_bias))
        return self.dropout(x + F.linear(hidden, self.up_weight, self.up_bias))


class TransformerBottleneckAdapter(nn.Module):
    """Transformer adapter after a decoder for music (Mehta et al., 2025, arXiv:2506.21298).

    Down-projection, self-attention and a GELU feed-forward network with their own shortcuts and a
    LayerNorm before and after each, up-projection, shortcut. The order of the norms and the size of
    the feed-forward network are a reconstruction; W_up starts at zero unless `zero_init` is off.

    Args:
        width: size of the last dimension of the input.
        bottleneck: inner size b.
        n_heads: attention heads; must divide the bottleneck.
        ratio: size of the feed-forward network over the bottleneck.
        causal: whether a position sees only those before it, as a decoder needs.
        zero_init: start the up-projection at zero, so that the model starts as it was.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        bottleneck: int = 32,
        n_heads: int = 4,
        ratio: int = 4,
        causal: bool = True,
        zero_init: bool = True,
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if bottleneck < 1:
            raise ValueError(f"bottleneck must be at least 1, got {bottleneck}")
        if n_heads < 1 or bottleneck % n_heads:
            raise ValueError(f"n_heads must divide the bottleneck {bottleneck}, got {n_heads}")
        if ratio < 1:
            raise ValueError(f"ratio must be at least 1, got {ratio}")
        super().__init__()
        self.n_heads = n_heads
        self.causal = causal

        def weight(rows: int, columns: int) -> nn.Parameter:
            return nn.Parameter(xavier(rows, columns, device=device, dtype=dtype))

        def zeros(size: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(size, device=device, dtype=dtype))

        # plain parameters: a model-wide initialiser of nn.Linear must not undo the zeros
        self.down_weight, self.down_bias = weight(bottleneck, width), zeros(bottleneck)
        self.qkv_weight, self.qkv_bias = weight(3 * bottleneck, bottleneck), zeros(3 * bottleneck)
        self.out_weight, self.out_bias = weight(bottleneck, bottleneck), zeros(bottleneck)
        self.ff_in_weight = weight(ratio * bottleneck, bottleneck)
        self.ff_in_bias = zeros(ratio * bottleneck)
        self.ff_out_weight = weight(bottleneck, ratio * bottleneck)
        self.ff_out_bias = zeros(bottleneck)
        self.norms = nn.ModuleList(
            nn.LayerNorm(bottleneck, device=device, dtype=dtype) for _ in range(4)
        )
        up = xavier(width, bottleneck, device=device, dtype=dtype)
        self.up_weight, self.up_bias = nn.Parameter(up * 0 if zero_init else up), zeros(width)

    def attention(self, x: Tensor) -> Tensor:  # (..., T, b) -> (..., T, b)
        query, key, value = (
            part.unflatten(-1, (self.n_heads, -1)).transpose(-3, -2)
            for part in F.linear(x, self.qkv_weight, self.qkv_bias).chunk(3, dim=-1)
        )
        scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
        if self.causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
            scores = scores.masked_fill(later, float("-inf"))
        read = (scores.softmax(-1) @ value).transpose(-3, -2).flatten(-2)
        return F.linear(read, self.out_weight, self.out_bias)

    def forward(self, x: Tensor) -> Tensor:  # (..., T, width) -> (..., T, width)
        pre, post, ff_pre, ff_post = self.norms
        h = F.linear(x, self.down_weight, self.down_bias)
        h = h + post(self.attention(pre(h)))
        hidden = F.gelu(F.linear(ff_pre(h), self.ff_in_weight, self.ff_in_bias))
        h = h + ff_post(F.linear(hidden, self.ff_out_weight, self.ff_out_bias))
        return x + F.linear(h, self.up_weight, self.up_bias)
