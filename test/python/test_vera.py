"""VeRA: the shared factors and the first step."""

import torch
from corpus import PYTHON
from torch import nn

VeRALinear = PYTHON["vera"]["VeRALinear"]
share_vera_factors = PYTHON["vera"]["share_vera_factors"]


def test_only_the_output_vector_learns_in_the_first_step() -> None:
    layer = VeRALinear(6, 5, rank=4)
    layer(torch.randn(3, 6)).square().sum().backward()
    assert layer.lambda_d.grad.abs().max() == 0
    assert layer.lambda_b.grad.abs().max() > 0


def test_layers_share_slices_of_one_pair() -> None:
    model = nn.Sequential(VeRALinear(6, 9, rank=4), VeRALinear(9, 5, rank=2))
    share_vera_factors(model)
    first, second = model
    assert torch.equal(first.random_a[:2], second.random_a[:, :6])
    assert torch.equal(first.random_b[:5, :2], second.random_b)
    assert first.random_a.storage().data_ptr() == second.random_a.storage().data_ptr()
    assert model(torch.randn(3, 6)).shape == (3, 5)


def test_seeds_give_other_factors() -> None:
    one, other = VeRALinear(6, 5), VeRALinear(6, 5)
    assert torch.equal(one.random_a, other.random_a)
    share_vera_factors(other, seed=1)
    assert not torch.equal(one.random_a, other.random_a)


def test_a_model_that_is_built_without_such_layers_stays_as_it_is() -> None:
    model = nn.Linear(2, 2)
    weight = model.weight.clone()
    share_vera_factors(model)
    assert torch.equal(model.weight, weight)
    assert list(dict(model.named_buffers())) == []
