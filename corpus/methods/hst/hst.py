from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TransformBridge(nn.Module):
    """Brings a ViT's features to the width and size of a stage of HST (arXiv:2310.05393).

    g^ = LN_i(T g) for the meta token of block i, V^ = T(bilinear(V)) for its patches, with one
    linear map T for all blocks of the stage.
    """

    def __init__(self, vit_dim: int, side_dim: int, blocks: int = 1) -> None:
        super().__init__()
        self.linear = nn.Linear(vit_dim, side_dim)
        self.norms = nn.ModuleList(nn.LayerNorm(side_dim) for _ in range(blocks))

    def forward(
        self, meta: Tensor, patches: Tensor, size: "tuple[int, int]", block: int = 0
    ) -> "tuple[Tensor, Tensor]":
        # meta (B, 1, D), patches (B, D, h, w) -> (B, 1, m), (B, H W, m)
        resized = F.interpolate(patches, size, mode="bilinear", align_corners=False)
        return self.norms[block](self.linear(meta)), self.linear(resized.flatten(2).transpose(1, 2))


class SideBlock(nn.Module):
    """Block of the side network of HST (Lin et al., 2023, arXiv:2310.05393).

    x + MHA(LN x, K = V = [g^; mean V^]), then x + V^, then x + MLP(LN x): the image attends to two
    tokens of the frozen ViT.
    """

    def __init__(self, dim: int, heads: int, mlp_ratio: int = 4) -> None:
        if heads < 1 or dim % heads:
            raise ValueError(f"heads must divide dim {dim}, got {heads}")
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(dim)
        self.q = nn.Linear(dim, dim)
        self.kv = nn.Linear(dim, 2 * dim)
        self.proj = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(
            nn.Linear(dim, mlp_ratio * dim), nn.GELU(), nn.Linear(mlp_ratio * dim, dim)
        )

    def attention(self, x: Tensor, memory: Tensor) -> Tensor:  # (B, N, m), (B, 2, m) -> (B, N, m)
        def split(tokens: Tensor) -> Tensor:  # (B, n, m) -> (B, heads, n, m / heads)
            return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)

        query = split(self.q(x))
        key, value = (split(tokens) for tokens in self.kv(memory).chunk(2, dim=-1))
        weights = (query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5).softmax(-1)
        return self.proj((weights @ value).transpose(1, 2).flatten(2))

    def forward(self, x: Tensor, meta: Tensor, patches: Tensor) -> Tensor:
        # x and patches (B, N, m), meta (B, 1, m)
        memory = torch.cat([meta, patches.mean(1, keepdim=True)], dim=1)  # (B, 2, m)
        x = x + self.attention(self.norm1(x), memory)
        x = x + patches
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    """Overlapping 3 x 3 convolution of stride 2, then LayerNorm over channels."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1)
        self.norm = nn.LayerNorm(out_channels)

    def forward(self, x: Tensor) -> "tuple[Tensor, tuple[int, int]]":  # (B, C, H, W) -> (B, N, m)
        x = self.conv(x)
        return self.norm(x.flatten(2).transpose(1, 2)), (x.shape[2], x.shape[3])


class Stem(nn.Module):
    """Image to tokens at a quarter of its size: two convolutions of stride 2, then LayerNorm."""

    def __init__(self, out_channels: int, in_channels: int = 3) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 2, stride=2),
        )
        self.norm = nn.LayerNorm(out_channels)

    def forward(self, x: Tensor) -> "tuple[Tensor, tuple[int, int]]":  # (B, 3, H, W) -> (B, N, m)
        x = self.convs(x)
        return self.norm(x.flatten(2).transpose(1, 2)), (x.shape[2], x.shape[3])


class HierarchicalSideNetwork(nn.Module):
    """Pyramid beside a frozen ViT: Hierarchical Side-Tuning (Lin et al., 2023, arXiv:2310.05393).

    Every block i of the ViT gets a learned meta token in front, read and dropped after it. Four
    stages of `SideBlock` run over the raw image; each block of a stage reads the meta token and
    the patches of its ViT block through the stage's `TransformBridge`. The class scores come from
    the mean token of the last stage. Of the ViT only the blocks' LayerNorms train.

    Args:
        vit: has `patch_embed` (B, 3, H, W) -> (B, N, D) or (B, D, h, w), `cls_token`, `pos_embed`
            and `blocks`, as in timm; its own head and last norm are not used.
        dims: width of each stage.
        heads: attention heads of each stage.
        depths: blocks of each stage; their sum is the number of blocks of the ViT, which are
            divided evenly by default: 3 each of 12.
        num_classes: size of the output.
    """

    def __init__(
        self,
        vit: Any,
        *,
        dims: "Sequence[int]" = (32, 48, 64, 72),
        heads: "Sequence[int]" = (2, 4, 8, 12),
        depths: "Sequence[int] | None" = None,
        num_classes: int = 1000,
    ) -> None:
        missing = [
            name
            for name in ("patch_embed", "cls_token", "pos_embed", "blocks")
            if not hasattr(vit, name)
        ]
        if missing:
            raise ValueError(f"vit must have {', '.join(missing)}")
        if depths is None:
            whole, rest = divmod(len(vit.blocks), len(dims))
            depths = [whole + (stage < rest) for stage in range(len(dims))]
        if not len(dims) == len(heads) == len(depths):
            raise ValueError("dims must have as many entries as heads and depths")
        if sum(depths) != len(vit.blocks):
            raise ValueError(f"depths must sum to the {len(vit.blocks)} blocks of vit")
        if num_classes < 1:
            raise ValueError(f"num_classes must be at least 1, got {num_classes}")
        super().__init__()
        self.vit: Any = vit
        width = vit.cls_token.shape[-1]
        self.meta = nn.Parameter(torch.empty(sum(depths), 1, width))
        for token in self.meta.data.split(1):
            nn.init.xavier_uniform_(token)
        self.embeds = nn.ModuleList([Stem(dims[0])])
        self.embeds.extend(PatchEmbed(*pair) for pair in zip(dims, dims[1:]))
        self.bridges = nn.ModuleList(
            TransformBridge(width, dim, depth) for dim, depth in zip(dims, depths)
        )
        self.depths = tuple(depths)
        self.blocks = nn.ModuleList(
            SideBlock(dim, count)
            for dim, count, depth in zip(dims, heads, depths)
            for _ in range(depth)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for dim in dims)
        self.head_norm = nn.BatchNorm1d(dims[-1], eps=1e-6, affine=False)
        self.head = nn.Linear(dims[-1], num_classes)
        for part in (self.embeds, self.bridges, self.blocks, self.head):
            part.apply(self.initialise)
        self.vit.requires_grad_(False)
        for module in vit.blocks.modules():
            if isinstance(module, nn.LayerNorm):
                module.requires_grad_(True)

    @staticmethod
    def initialise(module: nn.Module) -> None:
        """Linear weights from a normal of 0.02, convolutions from one of variance 2 / fan_out."""
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    def vit_features(self, image: Tensor) -> "list[tuple[Tensor, Tensor]]":
        """For each block of the ViT its meta token (B, 1, D) and its patches (B, N, D)."""
        x = self.vit.patch_embed(image)
        if x.dim() == 4:
            x = x.flatten(2).transpose(1, 2)  # (B, N, D)
        x = torch.cat([self.vit.cls_token.expand(len(x), -1, -1), x], dim=1)
        x = x + self.vit.pos_embed
        found: list[tuple[Tensor, Tensor]] = []
        for token, block in zip(self.meta, self.vit.blocks):
            x = block(torch.cat([token.expand(len(x), -1, -1), x], dim=1))  # [e_i; cls; X]
            meta, x = x[:, :1], x[:, 1:]
            found.append((meta, x[:, 1:]))
        return found

    def forward(self, image: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, classes)
        features = zip(self.vit_features(image), self.blocks)
        x, size = image, (0, 0)
        for embed, bridge, depth, norm in zip(self.embeds, self.bridges, self.depths, self.norms):
            if x is not image:
                x = x.transpose(1, 2).unflatten(2, size)  # tokens back to an image
            x, size = embed(x)
            for index in range(depth):
                (meta, patches), block = next(features)
                side = int(patches.shape[1] ** 0.5)
                square = patches.transpose(1, 2).unflatten(2, (side, -1))  # (B, D, h, w)
                x = block(x, *bridge(meta, square, size, index))
            x = norm(x)
        return self.head(self.head_norm(x.mean(1)))
