"""DoRA: magnitude and direction."""

import torch
from corpus import PYTHON
from torch import nn

DoRALinear = PYTHON["dora"]["DoRALinear"]


def test_the_magnitude_is_the_norm_of_whatever_weight_is_loaded() -> None:
    layer = DoRALinear(12, 7, rank=3)
    nn.init.normal_(layer.weight, std=2.0)  # a model-wide initialiser
    base = nn.Linear(12, 7)
    layer.load_state_dict(base.state_dict(), strict=False)
    x = torch.randn(4, 12)
    torch.testing.assert_close(layer(x), base(x), rtol=0, atol=1e-6)
    assert torch.equal(layer.gain(), torch.ones(7))


def test_rows_of_the_merged_weight_have_the_learned_magnitude() -> None:
    torch.manual_seed(0)
    layer = DoRALinear(12, 7, rank=3)
    with torch.no_grad():
        layer.lora_B.normal_()
        layer.magnitude_offset.normal_()
    magnitude = layer.weight.norm(dim=1) + layer.magnitude_offset
    torch.testing.assert_close(layer.merged().weight.norm(dim=1), magnitude.abs())


def test_direction_alone_leaves_the_norm() -> None:
    torch.manual_seed(0)
    layer = DoRALinear(12, 7, rank=3)
    with torch.no_grad():
        layer.lora_B.normal_()
    torch.testing.assert_close(layer.merged().weight.norm(dim=1), layer.weight.norm(dim=1))


def test_the_norm_is_a_constant_in_the_backward_pass() -> None:
    """By hand: dL/dB = scale * diag(m / |V|) G^T X A^T, with no term through |V|."""
    torch.manual_seed(0)
    layer = DoRALinear(6, 5, rank=2, alpha=3.0).double()
    with torch.no_grad():
        layer.lora_B.normal_()
        layer.magnitude_offset.normal_()
    x, upstream = torch.randn(4, 6).double(), torch.randn(4, 5).double()
    layer(x).backward(upstream)
    adapted = layer.weight + 1.5 * layer.lora_B @ layer.lora_A
    norm = adapted.norm(dim=1)
    gain = (layer.weight.norm(dim=1) + layer.magnitude_offset) / norm
    expected = 1.5 * gain[:, None] * (upstream.T @ x @ layer.lora_A.T)
    torch.testing.assert_close(layer.lora_B.grad, expected)
    per_row = (upstream * (x @ adapted.T)).sum(0) / norm
    torch.testing.assert_close(layer.magnitude_offset.grad, per_row)


def test_a_layer_of_zeros_stays_finite() -> None:
    layer = DoRALinear(6, 5, rank=2)
    nn.init.zeros_(layer.weight)
    x = torch.randn(3, 6)
    torch.testing.assert_close(layer(x), layer.bias.expand(3, 5))
    layer(x).sum().backward()
    assert all(torch.isfinite(part.grad).all() for part in layer.parameters() if part.requires_grad)
