"""MindLLM's block: rotary positions, causality, gated network, scaled residual sums."""

import math

import pytest
import torch
from corpus import PYTHON
from torch import nn

Block = PYTHON["mindllm"]["LightweightDecoderBlock"]
rotate_pairs = PYTHON["mindllm"]["rotate_pairs"]


def test_rotation_keeps_norms_and_depends_on_distance() -> None:
    q, k = torch.randn(8), torch.randn(8)
    turned_q, turned_k = rotate_pairs(q.expand(20, 8)), rotate_pairs(k.expand(20, 8))
    torch.testing.assert_close(turned_q.norm(dim=-1), q.norm().expand(20))
    scores = turned_q @ turned_k.T
    for distance in range(5):
        along = scores.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(turned_q[0], q)
    # the second pair of token 3 turns by 3 * 10000^(-2/8)
    angle = 3 * 10000 ** (-2 / 8)
    expected = q[2] * math.cos(angle) - q[3] * math.sin(angle)
    torch.testing.assert_close(turned_q[3, 2], expected, rtol=1e-4, atol=1e-5)


def test_a_token_does_not_see_the_future() -> None:
    block = Block(16, 2, 24, 4)
    x = torch.randn(2, 6, 16)
    other = x.clone()
    other[:, 4:] = torch.randn(2, 2, 16)
    torch.testing.assert_close(block(x)[:, :4], block(other)[:, :4])
    assert not torch.allclose(block(x)[:, 4:], block(other)[:, 4:], atol=1e-2)


def test_norm_is_blind_to_scale() -> None:
    block = Block(16, 2, 24, 4)
    x = torch.randn(3, 16)
    scale = torch.rand(16)
    torch.testing.assert_close(block.norm(5 * x, scale), block.norm(x, scale), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        block.norm(x, torch.ones(16)).square().mean(-1), torch.ones(3), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("depth", [1, 8, 24])
def test_deepnorm_follows_the_depth(depth: int) -> None:
    block = Block(64, 4, 96, depth)
    assert block.residual == pytest.approx((2 * depth) ** 0.25)
    gain = (8 * depth) ** -0.25
    glorot = math.sqrt(2 / (64 + 64))
    assert block.value.std().item() == pytest.approx(gain * glorot, rel=0.06)
    assert block.query.std().item() == pytest.approx(glorot, rel=0.06)
    assert block.down.std().item() == pytest.approx(gain * math.sqrt(2 / 160), rel=0.06)


def test_residual_sums_by_hand() -> None:
    block = Block(16, 2, 24, 8)
    x = torch.randn(1, 3, 16)
    with torch.no_grad():
        block.output.zero_()
        block.down.zero_()
    once = block.norm(2.0 * x, block.attention_norm)  # (2 * 8)^(1/4) = 2
    torch.testing.assert_close(block(x), block.norm(2.0 * once, block.feed_forward_norm))


def test_gated_network() -> None:
    block = Block(16, 2, 24, 8)
    x = torch.randn(3, 16)
    inner = nn.functional.gelu(x @ block.gate.T) * (x @ block.up.T)
    torch.testing.assert_close(block.feed_forward(x), inner @ block.down.T)


def test_counts_and_refusals() -> None:
    block = Block(16, 2, 24, 8)
    assert sum(part.numel() for part in block.parameters()) == 4 * 256 + 3 * 16 * 24 + 2 * 16
    with pytest.raises(ValueError, match="n_heads must divide 16 into even parts, got 16"):
        Block(16, 16, 24, 8)
