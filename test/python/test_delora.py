"""DeLoRA: the bound holds whatever the factors do."""

import torch
from corpus import PYTHON

DeLoRALinear = PYTHON["delora"]["DeLoRALinear"]


def test_the_update_is_bounded_relative_to_the_weight() -> None:
    torch.manual_seed(0)
    layer = DeLoRALinear(12, 9, rank=4, delora_lambda=3.0)
    for size in (0.01, 1.0, 100.0):
        torch.nn.init.normal_(layer.delora_A, std=size)
        torch.nn.init.normal_(layer.delora_B, std=size)
        update = layer.merged().weight - layer.weight
        assert (update / layer.column_norms()).norm() <= 3.0 + 1e-4


def test_one_pair_reaches_the_bound() -> None:
    layer = DeLoRALinear(12, 9, rank=1, delora_lambda=3.0)
    torch.nn.init.normal_(layer.delora_B)
    update = layer.merged().weight - layer.weight
    torch.testing.assert_close((update / layer.column_norms()).norm(), torch.tensor(3.0))


def test_only_b_learns_in_the_first_step() -> None:
    layer = DeLoRALinear(6, 5, rank=2)
    layer(torch.randn(3, 6)).square().sum().backward()
    assert layer.delora_B.grad.abs().max() > 1e3  # as large as the clamp makes it
    assert layer.delora_A.grad.abs().max() == 0 and layer.delora_lambda.grad == 0
