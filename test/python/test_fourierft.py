"""FourierFT: the spectrum of the update is the trained one."""

import torch
from corpus import PYTHON

FourierFTLinear = PYTHON["fourierft"]["FourierFTLinear"]


def test_the_update_is_a_sum_of_waves() -> None:
    layer = FourierFTLinear(6, 4, n_frequency=2, scaling=3.0)
    rows = torch.arange(4.0)[:, None] / 4
    columns = torch.arange(6.0) / 6
    expected = torch.zeros(4, 6)
    for place, value in zip(layer.positions, layer.spectrum, strict=True):
        p, q = place // 6, place % 6
        expected += value * (2 * torch.pi * (p * rows + q * columns)).cos() / 24
    torch.testing.assert_close(layer.update(), 3 * expected, rtol=0, atol=1e-5)


def test_layers_of_one_size_have_the_same_positions() -> None:
    one, other = FourierFTLinear(6, 4, n_frequency=5), FourierFTLinear(6, 4, n_frequency=5)
    assert torch.equal(one.positions, other.positions)
    assert not torch.equal(one.positions, FourierFTLinear(6, 4, n_frequency=5, seed=1).positions)
