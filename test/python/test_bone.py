"""Bone and Bat: updates block by block."""

import torch
from corpus import PYTHON
from torch import Tensor

BoneLinear = PYTHON["bone"]["BoneLinear"]
BatLinear = PYTHON["bat"]["BatLinear"]


def update(layer: torch.nn.Linear) -> Tensor:
    return layer.merged().weight - layer.weight  # type: ignore[operator]


def test_every_strip_of_columns_gets_the_same_block() -> None:
    torch.manual_seed(0)
    layer = BoneLinear(10, 6, block_size=4)  # the last strip has two columns
    layer.bone.data.normal_()
    for column in range(10):
        torch.testing.assert_close(
            update(layer)[:, column], layer.bone[column % 4], rtol=0, atol=1e-6
        )
    assert torch.linalg.matrix_rank(update(layer).double(), atol=1e-5) <= 4


def test_bone_does_not_see_the_order_of_shards() -> None:
    torch.manual_seed(0)
    layer = BoneLinear(12, 6, block_size=4).double()
    layer.bone.data.normal_()
    layer.weight.data.zero_()
    x = torch.randn(3, 12).double()
    swapped = torch.cat([x[:, 8:], x[:, :4], x[:, 4:8]], dim=1)
    torch.testing.assert_close(layer(swapped), layer(x))


def test_bat_block_by_block() -> None:
    torch.manual_seed(0)
    layer = BatLinear(12, 8, block_size=4).double()
    layer.bat.data.normal_()
    for p in range(2):
        for q in range(3):
            rows, columns = slice(4 * p, 4 * p + 4), slice(4 * q, 4 * q + 4)
            block = layer.weight[rows, columns]
            expected = block @ layer.bat[p] + layer.bat[p]
            torch.testing.assert_close(update(layer)[rows, columns], expected)


def test_bat_can_be_undone() -> None:
    """W = (W' - M) (1 + M)^-1, block by block."""
    torch.manual_seed(0)
    layer = BatLinear(4, 4, block_size=4).double()
    layer.bat.data.normal_(std=0.1)
    merged, block = layer.merged().weight, layer.bat[0]
    restored = (merged - block) @ torch.linalg.inv(torch.eye(4).double() + block)
    torch.testing.assert_close(restored, layer.weight)


def test_bat_of_a_zero_weight_is_its_blocks() -> None:
    layer = BatLinear(8, 4, block_size=4)
    layer.weight.data.zero_()
    layer.bat.data.normal_()
    assert torch.equal(update(layer), layer.bat[0].repeat(1, 2))


def test_both_learn_from_the_first_step() -> None:
    for layer, name in (
        (BoneLinear(8, 8, block_size=4), "bone"),
        (BatLinear(8, 8, block_size=4), "bat"),
    ):
        layer(torch.randn(3, 8)).square().sum().backward()
        assert getattr(layer, name).grad.abs().max() > 0
