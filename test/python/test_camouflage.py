"""CAMOUFLaGE: guidance and decoupled cross-attention."""

import pytest
import torch
from corpus import PYTHON
from torch import nn
from torch.nn import functional as F

DecoupledCrossAttention = PYTHON["camouflage"]["DecoupledCrossAttention"]
AttributeTokens = PYTHON["camouflage"]["AttributeTokens"]
anonymization_guidance = PYTHON["camouflage"]["anonymization_guidance"]


def layer() -> nn.Module:
    torch.manual_seed(0)
    return DecoupledCrossAttention(16, 12, 4, lam=0.5)


def test_without_weight_it_is_the_base_layer() -> None:
    attention = layer()
    x, text, attributes = torch.randn(2, 5, 16), torch.randn(2, 7, 12), torch.randn(2, 3, 12)
    base = attention(x, text)
    full = attention(x, text, attributes)
    attention.lam = 0.0
    assert torch.equal(attention(x, text, attributes), base)
    assert not torch.allclose(full, base)


def test_each_pair_of_keys_and_values_is_an_attention_of_its_own() -> None:
    attention = layer()
    x, text, attributes = torch.randn(2, 5, 16), torch.randn(2, 7, 12), torch.randn(2, 3, 12)
    parts = []
    for context, key, value in (
        (text, attention.to_k, attention.to_v),
        (attributes, attention.to_k_ip, attention.to_v_ip),
    ):
        part, _ = F.multi_head_attention_forward(
            attention.to_q(x).transpose(0, 1), key(context).transpose(0, 1),
            value(context).transpose(0, 1), 16, 4, torch.eye(16).repeat(3, 1), None, None, None,
            False, 0.0, torch.eye(16), None,
        )  # fmt: skip
        parts.append(part.transpose(0, 1))
    expected = attention.to_out[0](parts[0] + 0.5 * parts[1])
    torch.testing.assert_close(attention(x, text, attributes), expected, rtol=1e-4, atol=1e-5)


def test_only_the_new_pair_trains() -> None:
    attention = layer()
    trained = {
        name: part.numel() for name, part in attention.named_parameters() if part.requires_grad
    }
    assert trained == {"to_k_ip.weight": 12 * 16, "to_v_ip.weight": 12 * 16}
    attention(*(torch.randn(2, 5, size) for size in (16, 12, 12))).square().sum().backward()
    assert attention.to_k_ip.weight.grad.abs().sum() > 0
    assert attention.to_k.weight.grad is None
    with pytest.raises(ValueError, match="heads must divide dim 16, got 3"):
        DecoupledCrossAttention(16, 12, 3)


def test_people_become_tokens_in_their_order() -> None:
    tokens = AttributeTokens(6, 12, tokens=4)
    codes = torch.randn(2, 3, 6)
    assert tokens(codes).shape == (2, 12, 12)
    torch.testing.assert_close(tokens(codes[:, 1:2]), tokens(codes)[:, 4:8])


def test_guidance() -> None:
    uncond, pos, identity = torch.randn(3, 2, 4, 8, 8)
    usual = anonymization_guidance(uncond, pos, identity, 7.5, 0.0)
    torch.testing.assert_close(usual, uncond + 7.5 * (pos - uncond))
    away = anonymization_guidance(uncond, pos, identity, 7.5, 2.0)
    torch.testing.assert_close(usual - away, 2 * (identity - uncond))
    torch.testing.assert_close(anonymization_guidance(uncond, pos, uncond, 1.0, 3.0), pos)
