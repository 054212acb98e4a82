"""RandLoRA: full rank, shared factors, and the first step."""

import pytest
import torch
from corpus import PYTHON
from torch import nn

RandLoRALinear = PYTHON["randlora"]["RandLoRALinear"]
share_randlora_factors = PYTHON["randlora"]["share_randlora_factors"]


@pytest.mark.parametrize(("size", "rank", "terms"), [((12, 20), 5, 3), ((20, 12), 4, 3)])
def test_the_update_has_full_rank(size: tuple[int, int], rank: int, terms: int) -> None:
    torch.manual_seed(0)
    layer = RandLoRALinear(*size, rank=rank, alpha=1.0)
    assert layer.terms == terms
    torch.nn.init.normal_(layer.randlora_lambda)
    torch.nn.init.normal_(layer.randlora_gamma)  # equal at the start, which adds no rank
    update = layer.merged().weight - layer.weight
    assert torch.linalg.matrix_rank(update.double(), atol=1e-6) == 12


def test_only_lambda_learns_in_the_first_step() -> None:
    layer = RandLoRALinear(6, 5, rank=2)
    layer(torch.randn(3, 6)).square().sum().backward()
    assert layer.randlora_lambda.grad.abs().max() > 0
    assert layer.randlora_gamma.grad.abs().max() == 0


def test_layers_share_slices_of_one_pair() -> None:
    model = nn.Sequential(RandLoRALinear(6, 9, rank=4), RandLoRALinear(9, 5, rank=2))
    share_randlora_factors(model)
    first, second = model
    assert torch.equal(first.random_a[:2, :, :5], second.random_a)
    assert first.random_b.storage().data_ptr() == second.random_b.storage().data_ptr()
    assert model(torch.randn(3, 6)).shape == (3, 5)
    share_randlora_factors(nn.Linear(2, 2))  # a configuration may build none
