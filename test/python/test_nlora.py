"""SLoRA and NLoRA: a matrix between the factors, and a start from the weight."""

import pytest
import torch
from corpus import PYTHON
from torch import nn

SLoRALinear = PYTHON["slora"]["SLoRALinear"]
NLoRALinear = PYTHON["nlora"]["NLoRALinear"]


def trained(layer: nn.Module) -> int:
    return sum(part.numel() for part in layer.parameters() if part.requires_grad)


def test_slora_by_hand() -> None:
    torch.manual_seed(0)
    layer = SLoRALinear(10, 6, rank=3, alpha=6.0).double()
    layer.lora_B.data.normal_()
    update = layer.merged().weight - layer.weight
    torch.testing.assert_close(update, 2 * layer.lora_B @ layer.lora_N @ layer.lora_A)
    assert torch.linalg.matrix_rank(update) == 3


def test_nlora_starts_from_the_weight_that_is_loaded() -> None:
    torch.manual_seed(0)
    layer, base = NLoRALinear(10, 6, rank=3, alpha=6.0).double(), nn.Linear(10, 6).double()
    layer.load_state_dict(base.state_dict(), strict=False)
    weight, x = base.weight, torch.randn(4, 10).double()
    product = weight[:, :3] @ weight[:3, :3] @ weight[:3]
    torch.testing.assert_close(layer(x), base(x) + 2 * x @ product.T)
    assert torch.linalg.matrix_rank(layer.merged().weight - weight) == 3


def test_start_can_be_subtracted() -> None:
    torch.manual_seed(0)
    layer = NLoRALinear(10, 6, rank=3, subtract_start=True)
    plain = nn.Linear(10, 6)
    layer.load_state_dict(plain.state_dict(), strict=False)
    x = torch.randn(4, 10)
    assert torch.equal(layer(x), plain(x))
    for part in (layer.A_offset, layer.N_offset, layer.B_offset):
        part.data.normal_()
    assert not torch.allclose(layer(x), plain(x))
    torch.testing.assert_close(layer.merged()(x), layer(x), rtol=1e-4, atol=1e-4)


def test_gradients_are_those_of_the_factors() -> None:
    torch.manual_seed(0)
    layer = NLoRALinear(5, 4, rank=2, alpha=2.0).double()
    A, N, B = (part.detach().requires_grad_() for part in layer.factors())
    x = torch.randn(3, 5).double()
    layer(x).square().sum().backward()
    by_hand = x @ layer.weight.T + layer.bias + x @ A.T @ N.T @ B.T
    by_hand.square().sum().backward()
    for part, expected in ((layer.A_offset, A), (layer.N_offset, N), (layer.B_offset, B)):
        torch.testing.assert_close(part.grad, expected.grad)


def test_intermediate_only() -> None:
    layer = NLoRALinear(10, 6, rank=3, intermediate_only=True)
    layer(torch.randn(2, 10)).sum().backward()
    named = {name for name, part in layer.named_parameters() if part.grad is not None}
    assert named == {"N_offset"}
    assert trained(layer) == 9


def test_nystrom_identity() -> None:
    """B N^+ A is W where the corner has the rank of W; the released start has no inverse."""
    torch.manual_seed(0)
    weight = torch.randn(9, 4).double() @ torch.randn(4, 12).double()
    layer = NLoRALinear(12, 9, rank=5).double()
    layer.weight.data.copy_(weight)
    A, N, B = layer.start()
    torch.testing.assert_close(B @ torch.linalg.pinv(N, rtol=1e-10) @ A, weight)


def test_counts_in_llama_2() -> None:
    """Rank 128 on the seven projections: 3,670,016 in the middle matrices, 319.8M in the others."""
    shapes = [(4096, 4096)] * 4 + [(4096, 11008)] * 2 + [(11008, 4096)]
    middle = sum(trained(NLoRALinear(*s, device="meta", intermediate_only=True)) for s in shapes)
    whole = sum(trained(SLoRALinear(*s, device="meta")) for s in shapes)
    assert 32 * middle == 3_670_016
    assert 32 * (whole - middle) == pytest.approx(319.8e6, rel=1e-3)
