"""EPT: fusion with the low-rank change, and gated sub-spaces."""

import math

import pytest
import torch
from corpus import PYTHON
from torch import nn

EPTPrompt = PYTHON["ept"]["EPTPrompt"]


def trained(**sizes: int) -> nn.Module:
    module = EPTPrompt(8, short_len=3, max_len=6, rank=2, **sizes)
    for part in module.parameters():
        nn.init.normal_(part)
    return module


def test_starts_as_prompt_tuning() -> None:
    module = EPTPrompt(8, short_len=3)
    x = torch.randn(2, 5, 8)
    result = module(x)
    assert result.shape == (2, 8, 8)
    assert torch.equal(result[:, :3], module.prompt.expand(2, -1, -1))
    assert torch.equal(module.strip(result), x)
    torch.testing.assert_close(module.gates(x), torch.full((2, 3), 1 / 3))


def test_equals_the_formula_written_out() -> None:
    module = trained(n_spaces=2, bottleneck=3)
    x = torch.randn(1, 4, 8)
    change = module.lora_A[:4] @ module.lora_B
    weights = torch.exp(module.prompt @ change.T / math.sqrt(8))
    fused = module.prompt + weights / weights.sum(1, keepdim=True) @ change
    scores = torch.exp(module.gate @ x[0].mean(0))
    expected = fused.clone()
    for space in range(2):
        inner = nn.functional.gelu(fused @ module.down[space].T)
        expected += scores[space] / scores.sum() * (inner @ module.up[space].T)
    result = module(x)[0]
    torch.testing.assert_close(result[:3], expected)
    torch.testing.assert_close(result[3:], x[0] + change)


def test_gates() -> None:
    x = torch.randn(2, 4, 8)
    torch.testing.assert_close(trained().gates(x).sum(-1), torch.ones(2))
    assert torch.equal(trained(n_spaces=1).gates(x), torch.ones(2, 1))
    assert not torch.allclose(trained().gates(x)[0], trained().gates(x)[1])


def test_default_sizes_fit_the_budget_on_t5_base() -> None:
    assert sum(part.numel() for part in EPTPrompt(768).parameters()) == 76_032 <= 100 * 768


def test_refuses_longer_inputs() -> None:
    with pytest.raises(ValueError, match="x must have at most max_len = 6 tokens, got 7"):
        trained()(torch.randn(1, 7, 8))
