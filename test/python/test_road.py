"""RoAd: pairs turn by the angle, in each variant."""

import math

import pytest
import torch
from corpus import PYTHON

RoAdLinear = PYTHON["road"]["RoAdLinear"]


def test_a_pair_turns_by_its_angle() -> None:
    layer = RoAdLinear(4, 4, bias=False, group_size=4)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(4))
        layer.road_theta[0, 0, 1] = math.pi / 2  # outputs 1 and 3
    x = torch.tensor([1.0, 2.0, 3.0, 4.0])
    torch.testing.assert_close(layer(x), torch.tensor([1.0, -4.0, 3.0, 2.0]))


@pytest.mark.parametrize("variant", [1, 2, 4])
def test_every_variant_merges_weight_and_bias(variant: int) -> None:
    layer = RoAdLinear(6, 8, variant=variant, group_size=4)
    torch.nn.init.normal_(layer.road_theta)
    torch.nn.init.normal_(layer.road_alpha_offset)
    x = torch.randn(3, 6)
    torch.testing.assert_close(layer.merged()(x), layer(x), rtol=0, atol=1e-5)


def test_the_first_variant_keeps_lengths() -> None:
    layer = RoAdLinear(6, 8, group_size=8)
    torch.nn.init.normal_(layer.road_theta)
    y = torch.randn(3, 8)
    torch.testing.assert_close(layer.turned(y).norm(dim=1), y.norm(dim=1))
