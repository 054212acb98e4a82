"""Riemannian preconditioner: steps do not depend on how the factors are scaled."""

import torch
from corpus import PYTHON

LoRALinear = PYTHON["lora"]["LoRALinear"]
precondition_lora_gradients = PYTHON["riemannian"]["precondition_lora_gradients"]


def change(stretch: float, epsilon: float) -> torch.Tensor:
    """First-order change of B A after one step, with B stretched and A shrunk alike."""
    torch.manual_seed(0)
    layer = LoRALinear(12, 7, bias=False, rank=3)
    torch.nn.init.normal_(layer.lora_B)
    with torch.no_grad():
        layer.lora_A /= stretch
        layer.lora_B *= stretch
    layer(torch.randn(20, 12)).square().sum().backward()
    precondition_lora_gradients(layer, epsilon)
    return layer.lora_B.grad @ layer.lora_A + layer.lora_B @ layer.lora_A.grad


def test_scaling_the_factors_against_each_other_changes_nothing() -> None:
    expected = change(1.0, 1e-9)
    scale = expected.abs().max().item()
    torch.testing.assert_close(change(4.0, 1e-9), expected, rtol=0, atol=1e-3 * scale)
    assert not torch.allclose(change(4.0, 10.0), expected, rtol=0, atol=1e-2 * scale)


def test_at_the_start_the_damping_keeps_it_finite() -> None:
    layer = LoRALinear(6, 5, rank=2)
    layer(torch.randn(3, 6)).square().sum().backward()
    precondition_lora_gradients(layer)
    assert layer.lora_A.grad.abs().max() == 0
    assert layer.lora_B.grad.isfinite().all() and layer.lora_B.grad.abs().max() > 0
