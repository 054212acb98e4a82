"""Video Signature: which tensors may move, and what the frames must carry."""

import math

import pytest
import torch
from corpus import PYTHON
from torch import nn

VIDEO = PYTHON["video-signature"]
perturbation_sensitivity = VIDEO["perturbation_sensitivity"]
freeze_top_sensitive = VIDEO["freeze_top_sensitive"]
bit_accuracy = VIDEO["bit_accuracy"]


def decoder() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 4))


def test_sensitivity_of_a_bias_is_the_variance_of_the_noise() -> None:
    """A last bias moves each output by its own noise, and nothing else does."""
    module, z = decoder(), torch.randn(5, 4)
    before = {name: part.clone() for name, part in module.named_parameters()}
    found = perturbation_sensitivity(module, lambda: module(z), sigma=0.1, rounds=400)
    assert set(found) == set(before)
    assert found["2.bias"] == pytest.approx(0.01, rel=0.1)
    assert all(value > 0 for value in found.values())
    for name, part in module.named_parameters():
        assert torch.equal(part, before[name])


def test_the_most_sensitive_stay() -> None:
    module, z = decoder(), torch.randn(5, 4)
    with torch.no_grad():
        module[2].weight *= 100  # what comes before it moves the output most
    sens = perturbation_sensitivity(module, lambda: module(z))
    trained = freeze_top_sensitive(module, sens, 2)
    assert {name for name, part in module.named_parameters() if not part.requires_grad} == {
        "0.weight",
        "0.bias",
    }
    assert sum(part.numel() for part in trained) == 8 * 4 + 4
    frozen = module[0].weight.clone()
    module(z).square().sum().backward()
    torch.optim.SGD(trained, lr=0.1).step()
    assert module[0].weight.grad is None and torch.equal(module[0].weight, frozen)
    with pytest.raises(ValueError, match="k must be between 0 and 3, got 4"):
        freeze_top_sensitive(module, sens, 4)


def test_motion() -> None:
    loss = VIDEO["temporal_alignment_loss"]
    x = torch.randn(6, 3, 4, 4)
    assert loss(x, x).item() == 0.0
    # a still mark on every frame leaves the motion
    torch.testing.assert_close(loss(x + torch.randn(3, 4, 4), x), torch.tensor(0.0))
    still = torch.randn(1, 3, 4, 4).expand(6, -1, -1, -1)
    torch.testing.assert_close(loss(x, still), (x[1:] - x[:-1]).square().mean())
    with pytest.raises(ValueError, match="x_w must have at least 2 frames"):
        loss(x[:1], x[:1])


def test_bit_accuracy() -> None:
    key = torch.tensor([1.0, 0.0, 1.0, 0.0])
    logits = torch.tensor([[3.0, -1.0, -2.0, 1.0], [-1.0, -1.0, 3.0, 1.0]])  # mean 1, -1, .5, 1
    assert bit_accuracy(logits, key) == 0.75
    assert bit_accuracy(-logits, key) == 0.25


def test_signature_loss_by_hand() -> None:
    logits, key = torch.tensor([[0.2], [-0.1]]), torch.tensor([1])
    frames = (math.log1p(math.exp(-2.0)) + math.log1p(math.exp(1.0))) / 2
    mean = math.log1p(math.exp(-0.5))
    found = VIDEO["signature_loss"](logits, key)
    assert found.item() == pytest.approx(frames + mean, rel=1e-5)
    right = VIDEO["signature_loss"](torch.tensor([[5.0]]), key)
    assert right.item() == pytest.approx(0, abs=1e-6)
