"""HRA: the chain is orthogonal."""

import pytest
import torch
from corpus import PYTHON

HRALinear = PYTHON["hra"]["HRALinear"]


def test_reflections_keep_lengths() -> None:
    layer = HRALinear(12, 12, bias=False, rank=4)
    with torch.no_grad():
        layer.hra_u.normal_()
        layer.weight.copy_(torch.eye(12))
    x = torch.randn(7, 12)
    torch.testing.assert_close(layer(x).norm(dim=1), x.norm(dim=1))
    assert not torch.allclose(layer(x), x, atol=1e-2)


def test_length_of_the_vectors_does_not_matter() -> None:
    layer = HRALinear(12, 5, rank=4)
    x = torch.randn(7, 12)
    with torch.no_grad():
        layer.hra_u.normal_()
        before = layer(x)
        layer.hra_u.mul_(torch.tensor([0.1, 1.0, 3.0, 10.0]))
    torch.testing.assert_close(layer(x), before, rtol=0, atol=1e-5)


@pytest.mark.parametrize("rank", [0, 3, 14])
def test_rank_is_even_and_fits(rank: int) -> None:
    with pytest.raises(ValueError, match=f"rank must be even and between 2 and 12, got {rank}"):
        HRALinear(12, 5, rank=rank)
