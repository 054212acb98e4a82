"""LoRA: scale, dropout and the first step."""

import pytest
import torch
from corpus import PYTHON
from torch import nn

LoRALinear = PYTHON["lora"]["LoRALinear"]
LoRABeside = PYTHON["lora"]["LoRABeside"]


def test_only_b_learns_in_the_first_step() -> None:
    layer = LoRALinear(6, 5, rank=2)
    layer(torch.randn(3, 6)).square().sum().backward()
    assert layer.lora_A.grad.abs().max() == 0
    assert layer.lora_B.grad.abs().max() > 0
    assert layer.weight.grad is None and layer.bias.grad is None


@pytest.mark.parametrize(("rank", "alpha", "scale"), [(4, 16.0, 4.0), (8, 2.0, 0.25)])
def test_scale_is_alpha_over_rank(rank: int, alpha: float, scale: float) -> None:
    layer = LoRALinear(8, 8, rank=rank, alpha=alpha)
    with torch.no_grad():
        layer.lora_B.normal_()
    update = layer.merged().weight - layer.weight
    torch.testing.assert_close(update, scale * layer.lora_B @ layer.lora_A, rtol=0, atol=1e-6)
    assert torch.linalg.matrix_rank(update.double(), atol=1e-5) <= rank


def test_dropout_acts_in_training_on_the_update_alone() -> None:
    torch.manual_seed(0)
    layer = LoRALinear(64, 64, rank=4, dropout=0.5)
    x = torch.randn(2, 64)
    assert torch.equal(layer(x), layer.eval()(x))  # B is zero: nothing to drop
    with torch.no_grad():
        layer.lora_B.normal_()
    assert not torch.equal(layer.train()(x), layer.eval()(x))
    assert torch.equal(layer(x), layer(x))


@pytest.mark.parametrize("rank", [0, 6, -1])
def test_rank_out_of_range(rank: int) -> None:
    with pytest.raises(ValueError, match=f"rank must be between 1 and 5, got {rank}"):
        LoRALinear(6, 5, rank=rank)


def test_beside_a_layer_that_no_subclass_can_stand_for() -> None:
    torch.manual_seed(0)
    plain = nn.Linear(6, 5)
    normed = nn.utils.weight_norm(plain)
    beside = LoRABeside(normed, rank=2, alpha=6.0)
    x = torch.randn(4, 3, 6)
    assert torch.equal(beside(normed, x), normed(x))
    assert not any(part.requires_grad for part in normed.parameters())
    # the layer stays where it was: nothing of it is stored twice
    assert set(beside.state_dict()) == {"lora_A", "lora_B"}
    beside(normed, x).square().sum().backward()
    assert beside.lora_B.grad.abs().max() > 0
    with torch.no_grad():
        beside.lora_B.normal_()
        update = 3.0 * beside.lora_B @ beside.lora_A
    torch.testing.assert_close(beside(normed, x), normed(x) + x @ update.T)


def test_beside_a_layer_of_another_precision() -> None:
    layer = nn.Linear(6, 5).bfloat16()
    beside = LoRABeside(layer, rank=2)
    x = torch.randn(3, 6).bfloat16()
    assert beside.lora_A.dtype == torch.float32
    assert torch.equal(beside(layer, x), layer(x))


@pytest.mark.parametrize("rank", [0, 6])
def test_beside_with_a_rank_out_of_range(rank: int) -> None:
    with pytest.raises(ValueError, match="rank must be between 1 and 5"):
        LoRABeside(nn.Linear(6, 5), rank=rank)
