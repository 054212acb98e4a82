import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class GatedTokenFuser(nn.Module):
    """Gated attention to garment tokens: TryOn-Adapter (Xing et al., 2024, arXiv:2404.00878).

    x + tanh(alpha) SA(LN [x; W P]) at the positions of x, then x + tanh(beta) FF(LN x), between the
    cross-attention and the feed-forward network of a U-Net's transformer block. alpha and beta
    start at zero, so the block starts as the one it was.

    Args:
        dim: width of the tokens x.
        ctx_dim: width of the garment tokens P.
        heads: attention heads; must divide dim.
    """

    def __init__(self, dim: int, ctx_dim: int, heads: int) -> None:
        if heads < 1 or dim % heads:
            raise ValueError(f"heads must divide dim {dim}, got {heads}")
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(ctx_dim, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.ff_in = nn.Linear(dim, 8 * dim)  # value and gate of a GEGLU
        self.ff_out = nn.Linear(4 * dim, dim)
        self.alpha = nn.Parameter(torch.zeros(()))
        self.beta = nn.Parameter(torch.zeros(()))

    def attention(self, x: Tensor) -> Tensor:  # (B, L, dim) -> (B, L, dim)
        heads = [part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in x.chunk(3, dim=-1)]
        query, key, value = heads  # (B, heads, L, dim / heads)
        weights = (query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5).softmax(-1)
        return self.out((weights @ value).transpose(1, 2).flatten(2))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:  # (B, N, dim), (B, M, ctx) -> like x
        both = self.norm1(torch.cat([x, self.project(context)], dim=1))
        x = x + torch.tanh(self.alpha) * self.attention(self.qkv(both))[:, : x.shape[1]]
        value, gate = self.ff_in(self.norm2(x)).chunk(2, dim=-1)
        return x + torch.tanh(self.beta) * self.ff_out(value * F.gelu(gate))


class PositionAttention(nn.Module):
    """y = x + gamma softmax(Q K^T) V over all positions, Q and K at C / 8; gamma starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.key = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, H, W)
        query, key, value = (part(x).flatten(2) for part in (self.query, self.key, self.value))
        weights = (query.transpose(1, 2) @ key).softmax(-1)  # (B, H W, H W)
        return x + self.gamma * (value @ weights.transpose(1, 2)).view_as(x)


class ConditionBlock(nn.Module):
    """Average pool or not, 1 x 1 where channels change, then x + conv1(ReLU(conv3(x)))."""

    def __init__(self, in_channels: int, out_channels: int, down: bool) -> None:
        super().__init__()
        self.down = down
        self.enter = (
            nn.Identity()
            if in_channels == out_channels
            else nn.Conv2d(in_channels, out_channels, 1)
        )
        self.conv3 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.conv1 = nn.Conv2d(out_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:  # (B, in, H, W) -> (B, out, H, W) or half of it
        x = self.enter(F.avg_pool2d(x, 2) if self.down else x)
        return x + self.conv1(F.relu(self.conv3(x)))


class SpatialConditionAdapter(nn.Module):
    """Texture or structure adapter of TryOn-Adapter (Xing et al., 2024, arXiv:2404.00878).

    Pixel-unshuffles a condition image by 8 and gives one feature map for each scale of the U-Net's
    encoder, to be added to the outputs of its input blocks 3, 6, 9 and 12. It does not start at
    zero: the U-Net's output changes at once.

    Args:
        cin: channels after unshuffling, 64 for each of the image: 64 for a Sobel map, 192 for RGB.
        channels: of the U-Net at each scale.
        n_blocks: residual blocks at each scale.
    """

    def __init__(
        self, cin: int, channels: "Sequence[int]" = (320, 640, 1280, 1280), n_blocks: int = 2
    ) -> None:
        if cin < 1 or cin % 64:
            raise ValueError(f"cin must be a multiple of 64, got {cin}")
        if n_blocks < 1:
            raise ValueError(f"n_blocks must be at least 1, got {n_blocks}")
        super().__init__()
        self.enter = nn.Conv2d(cin, channels[0], 3, padding=1)
        self.scales = nn.ModuleList()
        before = channels[0]
        for index, size in enumerate(channels):
            scale = nn.Sequential()
            for block in range(n_blocks):
                down = index > 0 and block == 0
                scale.append(ConditionBlock(before, size, down))
                scale.append(PositionAttention(size))
                before = size
            self.scales.append(scale)

    def forward(self, condition: Tensor) -> "list[Tensor]":  # (B, cin / 64, H, W)
        x = self.enter(F.pixel_unshuffle(condition, 8))
        features: list[Tensor] = []
        for scale in self.scales:
            x = scale(x)
            features.append(x)
        return features


class TokenMixAdapter(nn.Module):
    """Style tokens of TryOn-Adapter (Xing et al., 2024, arXiv:2404.00878).

    The garment's VAE latent becomes `n_extra` tokens beside the `n_clip` patch tokens of CLIP, and
    a linear map over the token axis that starts as [I | 0] mixes them back to `n_clip`. At the
    start the CLIP tokens come out with only the map's bias added.

    Args:
        n_clip: CLIP patch tokens.
        n_extra: channels of the latent, a token each.
        latent_size: height times width of the latent.
        dim: width of the CLIP tokens.
    """

    def __init__(
        self, n_clip: int = 256, n_extra: int = 4, *, latent_size: int = 784, dim: int = 1024
    ) -> None:
        if n_clip < 1:
            raise ValueError(f"n_clip must be at least 1, got {n_clip}")
        if n_extra < 1:
            raise ValueError(f"n_extra must be at least 1, got {n_extra}")
        super().__init__()
        self.project = nn.Linear(latent_size, dim)
        # plain parameters: a model-wide initialiser of nn.Linear must not undo the identity
        self.mix_weight = nn.Parameter(torch.eye(n_clip, n_clip + n_extra))  # [I | 0]
        self.mix_bias = nn.Parameter(torch.empty(n_clip))
        bound = 1 / math.sqrt(n_clip + n_extra)
        nn.init.uniform_(self.mix_bias, -bound, bound)

    def forward(self, clip: Tensor, latent: Tensor) -> Tensor:
        # clip (B, n_clip, dim), latent (B, n_extra, h, w) -> (B, n_clip, dim)
        tokens = torch.cat([clip, self.project(latent.flatten(2))], dim=1)
        return self.mix_weight @ tokens + self.mix_bias[:, None]


def t_repaint(
    z_t: Tensor,
    z0_warp: Tensor,
    mask: Tensor,
    t: Tensor,
    q_sample: "Callable[[Tensor, Tensor], Tensor]",
) -> Tensor:
    """T-RePaint before a sampling step: z_t <- M q(z_warp, t) + (1 - M) z_t.

    `q_sample` noises the latent of the warped garment to step t; `mask` is one where it lies.
    """
    return mask * q_sample(z0_warp, t) + (1 - mask) * z_t
