"""HST: a pyramid of side blocks beside a frozen ViT."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

HierarchicalSideNetwork = PYTHON["hst"]["HierarchicalSideNetwork"]
SideBlock = PYTHON["hst"]["SideBlock"]
TransformBridge = PYTHON["hst"]["TransformBridge"]


class Block(nn.Module):
    def __init__(self, width: int, device: str | None = None) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, device=device)
        self.attn = nn.MultiheadAttention(width, 4, batch_first=True, device=device)
        self.norm2 = nn.LayerNorm(width, device=device)
        self.mlp = nn.Linear(width, width, device=device)
        self.seen: tuple[int, ...] = ()

    def forward(self, x: Tensor) -> Tensor:
        self.seen = tuple(x.shape)
        h = self.norm1(x)
        x = x + self.attn(h, h, h, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, 16, 16)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """The parts of timm's class of this name that are read."""

    def __init__(self, width: int, depth: int, patches: int, device: str | None = None) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width, device=device))
        self.pos_embed = nn.Parameter(torch.zeros(1, patches + 1, width, device=device))
        self.blocks = nn.ModuleList(Block(width, device) for _ in range(depth))


def small() -> nn.Module:
    torch.manual_seed(0)
    vit = VisionTransformer(16, 4, 16)
    return HierarchicalSideNetwork(vit, dims=(8, 12), heads=(2, 4), depths=(2, 2), num_classes=5)


def test_size_beside_vit_base() -> None:
    """764,840 without the head: 727,976 in the pyramid and 36,864 in the LayerNorms."""
    model = HierarchicalSideNetwork(VisionTransformer(768, 12, 196, "meta"), num_classes=100)
    trained = {name: part.numel() for name, part in model.named_parameters() if part.requires_grad}
    norms = sum(count for name, count in trained.items() if name.startswith("vit."))
    head = sum(count for name, count in trained.items() if name.startswith("head."))
    assert (norms, head) == (36_864, 7_300)
    assert sum(trained.values()) - norms - head == 727_976


def test_trains_the_pyramid_and_the_norms_of_the_vit() -> None:
    model = small()
    scores = model(torch.randn(3, 3, 64, 64))
    assert scores.shape == (3, 5)
    scores.square().sum().backward()
    for name, part in model.named_parameters():
        frozen = name.startswith("vit.") and "norm" not in name
        assert part.requires_grad != frozen, name
        if frozen:
            assert part.grad is None, name
    assert all(model.meta.grad[index].abs().sum() > 0 for index in range(4))
    assert all(block.norm1.weight.grad.abs().sum() > 0 for block in model.vit.blocks)


def test_each_block_sees_one_meta_token_more() -> None:
    model = small()
    features = model.vit_features(torch.randn(2, 3, 64, 64))
    assert [block.seen for block in model.vit.blocks] == [(2, 18, 16)] * 4
    assert [meta.shape for meta, _ in features] == [(2, 1, 16)] * 4
    assert [patches.shape for _, patches in features] == [(2, 16, 16)] * 4


def test_stages_have_a_quarter_of_the_tokens_of_the_one_before() -> None:
    sizes: list[tuple[int, ...]] = []
    model = small()
    for norm in model.norms:
        norm.register_forward_hook(lambda module, inputs, output: sizes.append(output.shape))
    model(torch.randn(2, 3, 64, 64))
    assert sizes == [(2, 16 * 16, 8), (2, 8 * 8, 12)]


def test_attends_to_two_tokens_and_adds_the_patches() -> None:
    block = SideBlock(8, 2)
    x, meta, patches = torch.randn(2, 9, 8), torch.randn(2, 1, 8), torch.randn(2, 9, 8)
    for part in (block.proj, block.mlp[2]):
        nn.init.zeros_(part.weight)
        nn.init.zeros_(part.bias)
    torch.testing.assert_close(block(x, meta, patches), x + patches)
    block = SideBlock(8, 2)
    memory = torch.cat([meta, patches.mean(1, keepdim=True)], dim=1)
    assert memory.shape[1] == 2
    swapped = block.attention(x, memory.flip(1))
    torch.testing.assert_close(swapped, block.attention(x, memory))


def test_bridge_resizes_and_shares_its_map() -> None:
    bridge = TransformBridge(16, 8, blocks=2)
    meta, patches = torch.randn(2, 1, 16), torch.randn(2, 16, 4, 4)
    first, second = (bridge(meta, patches, (8, 8), index) for index in range(2))
    assert first[0].shape == (2, 1, 8) and first[1].shape == (2, 64, 8)
    assert torch.equal(first[1], second[1])


def test_sizes_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="depths must sum to the 4 blocks"):
        HierarchicalSideNetwork(VisionTransformer(16, 4, 16), depths=(3, 3, 3, 3))
    with pytest.raises(ValueError, match="vit must have patch_embed, cls_token"):
        HierarchicalSideNetwork(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="heads must divide dim 8, got 3"):
        SideBlock(8, 3)


def test_blocks_are_divided_evenly_and_patches_may_come_as_an_image() -> None:
    vit = VisionTransformer(32, 6, 16)
    torch.manual_seed(0)
    model = HierarchicalSideNetwork(vit, num_classes=5).eval()
    assert model.depths == (2, 2, 1, 1)
    image = torch.randn(
        2,
        3,
        16 * int((vit.pos_embed.shape[1] - 1) ** 0.5),
        16 * int((vit.pos_embed.shape[1] - 1) ** 0.5),
    )
    scores = model(image)
    vit.patch_embed = vit.patch_embed.proj
    assert torch.equal(model(image), scores)
