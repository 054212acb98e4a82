"""Houlsby adapters: how far from the identity they start."""

import pytest
import torch
from corpus import PYTHON

HoulsbyAdapter = PYTHON["houlsby"]["HoulsbyAdapter"]


def test_starts_within_two_standard_deviations() -> None:
    adapter = HoulsbyAdapter(256)
    for weight in (adapter.down_weight, adapter.up_weight):
        assert weight.abs().max() <= 2e-3
        assert 0.8e-3 < weight.std() < 0.95e-3  # cut at two of it, a normal has 0.88
    assert adapter.up_bias.abs().max() == 0


def test_distance_from_identity_grows_with_the_square_of_the_start() -> None:
    x = torch.randn(4, 64)
    distances = []
    for std in (1e-3, 1e-2):
        torch.manual_seed(0)
        adapter = HoulsbyAdapter(64, activation="relu", init_std=std)
        distances.append((adapter(x) - x).double().norm().item())
    # the sum x + A(x) rounds away the last digits of the smaller one
    assert distances[1] / distances[0] == pytest.approx(100, rel=0.05)


def test_unknown_activation() -> None:
    with pytest.raises(ValueError, match="activation must name a function"):
        HoulsbyAdapter(8, activation="gleu")
