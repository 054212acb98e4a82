"""GBT-SAM: LoRA on query and value, the depth branch and the patch embedding."""

import pytest
import torch
from corpus import PYTHON
from torch import nn
from torch.nn import functional as F

LoRAQV = PYTHON["gbt-sam"]["LoRAQV"]
DepthAdapter = PYTHON["gbt-sam"]["DepthAdapter"]
expand_patch_embed = PYTHON["gbt-sam"]["expand_patch_embed"]


def size(module: nn.Module) -> int:
    return sum(part.numel() for part in module.parameters() if part.requires_grad)


def test_sizes_on_sam_base() -> None:
    """12 depth branches, 12 fused projections at rank 12, and the patch embedding."""
    assert size(DepthAdapter(768)) == 297_428 and 12 * 297_428 == 3_569_136
    assert 12 * size(LoRAQV(768, 2304)) == 442_368
    assert size(expand_patch_embed(nn.Conv2d(3, 768, 16, 16))) == 787_200


def test_keys_never_change() -> None:
    torch.manual_seed(0)
    layer = LoRAQV(8, 24, rank=2)
    nn.init.normal_(layer.lora_B)
    update = layer.merged().weight - layer.weight
    assert update[8:16].abs().max() == 0
    for part, index in ((update[:8], 0), (update[16:], 1)):
        expected = 0.5 * layer.lora_B[index] @ layer.lora_A[index]
        torch.testing.assert_close(part, expected)
    x = torch.randn(3, 8)
    base = F.linear(x, layer.weight, layer.bias)
    assert torch.equal(layer(x)[:, 8:16], base[:, 8:16])


def test_depth_branch_mixes_the_slices_of_a_patient() -> None:
    torch.manual_seed(0)
    branch = DepthAdapter(16)
    x = torch.randn(8, 3, 2, 16)  # two patients of four slices
    delta = branch(x)
    assert delta.shape == x.shape and delta.abs().max() > 0
    swapped = torch.cat([x[4:], x[:4]])
    torch.testing.assert_close(branch(swapped), torch.cat([delta[4:], delta[:4]]))
    other = x.clone()
    other[1] += torch.randn(16)
    changed = (branch(other) - delta).flatten(1).abs().amax(1) > 1e-6
    assert changed.tolist() == [True] * 4 + [False] * 4


def test_slices_stand_alone_without_mixing() -> None:
    branch = DepthAdapter(16)
    nn.init.eye_(branch.mix.weight)
    nn.init.zeros_(branch.mix.bias)
    x = torch.randn(4, 3, 2, 16)
    hidden = F.gelu(branch.down(F.layer_norm(x, (16,), branch.norm.weight, branch.norm.bias)))
    expected = F.linear(hidden, branch.up_weight, branch.up_bias)
    torch.testing.assert_close(branch(x), expected)


def test_depth_branch_may_start_at_zero() -> None:
    assert DepthAdapter(16, zero_init=True)(torch.randn(4, 5, 16)).abs().max() == 0


def test_whole_patients_only() -> None:
    with pytest.raises(ValueError, match="x must hold a multiple of 4 slices, got 6"):
        DepthAdapter(16)(torch.randn(6, 5, 16))


@pytest.mark.parametrize("in_chans", [1, 4])
def test_images_with_equal_channels_keep_their_patches(in_chans: int) -> None:
    conv = nn.Conv2d(3, 8, 4, 4, padding=2, bias=in_chans == 4)
    expanded = expand_patch_embed(conv, in_chans)
    image = torch.randn(2, 1, 16, 16)
    expected = conv(image.expand(-1, 3, -1, -1))
    actual = expanded(image.expand(-1, in_chans, -1, -1))
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)
    assert expanded.weight.requires_grad and expanded.in_channels == in_chans


def test_sizes_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="out_features must be 3 times 16, got 32"):
        LoRAQV(16, 32)
    with pytest.raises(ValueError, match="conv must have one group, got 2"):
        expand_patch_embed(nn.Conv2d(4, 4, 2, groups=2))
