"""LoRA-FA: the corrected step is the best one that B can make."""

import torch
from corpus import PYTHON

LoRALinear = PYTHON["lora"]["LoRALinear"]
freeze_lora_a = PYTHON["lora-fa"]["freeze_lora_a"]
correct_lora_fa_gradients = PYTHON["lora-fa"]["correct_lora_fa_gradients"]


def test_the_change_of_the_weight_is_the_projected_gradient() -> None:
    torch.manual_seed(0)
    layer = LoRALinear(12, 7, bias=False, rank=4, alpha=2.0)
    freeze_lora_a(layer)
    x, target = torch.randn(20, 12), torch.randn(20, 7)
    (layer(x) - target).square().sum().backward()
    assert layer.lora_A.grad is None
    full = 2 * (layer(x) - target).T @ x  # the gradient of W
    correct_lora_fa_gradients(layer)
    change = layer.scale * layer.lora_B.grad @ layer.lora_A
    # the part of the full gradient in the rows of A, the nearest that the frozen A can express
    basis = torch.linalg.qr(layer.lora_A.T).Q  # (12, 4)
    torch.testing.assert_close(change, full @ basis @ basis.T, rtol=1e-3, atol=1e-3)


def test_layers_without_a_gradient_are_left() -> None:
    layer = LoRALinear(6, 5, rank=2)
    correct_lora_fa_gradients(layer)
    assert layer.lora_B.grad is None
