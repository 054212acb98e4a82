"""The count by which methods are compared."""

import pytest
from corpus import PYTHON
from torch import nn

count_trainable = PYTHON["peft-survey"]["count_trainable"]


def test_counts_and_share() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2, bias=False))
    model[0].requires_grad_(False)
    assert count_trainable(model) == (8, 24, pytest.approx(100 / 3))


def test_shared_parameters_count_once() -> None:
    first, second = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
    second.weight = first.weight
    assert count_trainable(nn.Sequential(first, second)) == (16, 16, 100.0)


def test_nothing_to_count() -> None:
    assert count_trainable(nn.ReLU()) == (0, 0, 0.0)


def test_lora_by_the_formula_of_the_survey() -> None:
    """r (in + out) beside the frozen in * out + out."""
    layer = PYTHON["lora"]["LoRALinear"](64, 32, rank=4)
    assert count_trainable(layer)[:2] == (4 * 96, 4 * 96 + 64 * 32 + 32)
