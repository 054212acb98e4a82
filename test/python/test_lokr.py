"""LoKr: it is a Kronecker product, whole or of low rank."""

import pytest
import torch
from corpus import PYTHON

LoKrLinear = PYTHON["lokr"]["LoKrLinear"]


@pytest.mark.parametrize(("rank", "whole"), [(1, False), (3, True)])
def test_the_update_is_a_kronecker_product(rank: int, whole: bool) -> None:
    layer = LoKrLinear(12, 20, rank=rank, alpha=1.0, factor=4)
    torch.nn.init.normal_(layer.lokr_W1)
    assert hasattr(layer, "lokr_W2") == whole
    large = layer.lokr_W2 if whole else layer.lokr_A2 @ layer.lokr_B2  # (5, 3)
    expected = torch.einsum("ac,bd->abcd", layer.lokr_W1, large).reshape(20, 12) / rank
    torch.testing.assert_close(layer.merged().weight - layer.weight, expected)


def test_only_the_small_factor_learns_in_the_first_step() -> None:
    layer = LoKrLinear(64, 64, rank=2, factor=4)
    layer(torch.randn(3, 64)).square().sum().backward()
    assert layer.lokr_W1.grad.abs().max() > 0
    assert layer.lokr_A2.grad.abs().max() == 0 and layer.lokr_B2.grad.abs().max() == 0


def test_factor_divides_both_sizes() -> None:
    with pytest.raises(ValueError, match="factor must be a divisor of 12 and 20, got 3"):
        LoKrLinear(12, 20, factor=3)
