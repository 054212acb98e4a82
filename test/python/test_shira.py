"""SHiRA: sparse, of high rank, at fixed positions."""

import pytest
import torch
from corpus import PYTHON

SHiRALinear = PYTHON["shira"]["SHiRALinear"]


def test_only_the_chosen_entries_change() -> None:
    layer = SHiRALinear(16, 24, rank=2)
    torch.nn.init.normal_(layer.shira_values)
    change = (layer.merged().weight - layer.weight).flatten()
    assert change.nonzero().flatten().tolist() == layer.positions.tolist()
    assert len(layer.positions) == 80


def test_the_change_has_a_higher_rank_than_lora() -> None:
    torch.manual_seed(0)
    layer = SHiRALinear(16, 24, rank=2)
    torch.nn.init.normal_(layer.shira_values)
    assert torch.linalg.matrix_rank(layer.merged().weight - layer.weight, atol=1e-5) > 8


def test_rank_is_bounded_by_the_entries() -> None:
    SHiRALinear(16, 16, rank=8)
    with pytest.raises(ValueError, match="rank must be between 1 and 8, got 9"):
        SHiRALinear(16, 16, rank=9)
