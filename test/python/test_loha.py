"""LoHa: the rank it reaches and the first step."""

import torch
from corpus import PYTHON

LoHaLinear = PYTHON["loha"]["LoHaLinear"]


def test_the_update_reaches_the_squared_rank() -> None:
    torch.manual_seed(0)
    layer = LoHaLinear(32, 32, rank=3)
    for factor in (layer.loha_A1, layer.loha_B1, layer.loha_A2, layer.loha_B2):
        torch.nn.init.normal_(factor)
    assert torch.linalg.matrix_rank(layer.update(), atol=1e-4) == 9


def test_only_the_zero_factor_learns_in_the_first_step() -> None:
    layer = LoHaLinear(6, 5, rank=2)
    layer(torch.randn(3, 6)).square().sum().backward()
    assert layer.loha_B2.grad.abs().max() > 0
    for factor in (layer.loha_A1, layer.loha_B1, layer.loha_A2):
        assert factor.grad.abs().max() == 0


def test_scale_is_alpha_over_rank() -> None:
    layer = LoHaLinear(6, 5, rank=4, alpha=2.0)
    torch.nn.init.normal_(layer.loha_B2)
    products = (layer.loha_A1 @ layer.loha_B1) * (layer.loha_A2 @ layer.loha_B2)
    torch.testing.assert_close(layer.update(), 0.5 * products)
