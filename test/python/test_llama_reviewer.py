"""LLaMA-Reviewer: a gated prefix beside attention over the text."""

import math

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

ZeroInit = PYTHON["llama-reviewer"]["ZeroInitPrefixAttention"]


class Attention(nn.Module):
    """Attention with 4 heads of 4, keys and values for `groups` of them."""

    def __init__(self, groups: int = 4) -> None:
        super().__init__()
        self.q, self.o = nn.Linear(16, 16), nn.Linear(16, 16)
        self.k, self.v = nn.Linear(16, 4 * groups), nn.Linear(16, 4 * groups)
        self.prefix = ZeroInit(4, 4, prompt_len=3)

    def forward(self, x: Tensor, prefixed: bool = True) -> Tensor:
        q, k, v = (p(x).unflatten(-1, (-1, 4)).transpose(1, 2) for p in (self.q, self.k, self.v))
        k, v = (part.repeat_interleave(4 // part.shape[1], 1) for part in (k, v))
        y = (q @ k.transpose(-2, -1) / 2).softmax(-1) @ v
        if prefixed:
            y = y + self.prefix(q, self.k, self.v)
        return self.o(y.transpose(1, 2).flatten(2))


@pytest.mark.parametrize("groups", [4, 2, 1])
def test_starts_as_the_frozen_model(groups: int) -> None:
    module, x = Attention(groups), torch.randn(2, 5, 16)
    assert torch.equal(module(x), module(x, prefixed=False))
    module.prefix.gate.data.fill_(0.5)
    assert not torch.allclose(module(x), module(x, prefixed=False), atol=1e-4)


def test_the_prefix_takes_nothing_from_the_text() -> None:
    """The second softmax is its own: doubling the gate's factor doubles the term."""
    module, q = Attention(), torch.randn(2, 4, 5, 4)
    prefix = module.prefix
    terms: list[Tensor] = []
    for factor in (0.3, 0.6):
        prefix.gate.data.fill_(math.atanh(factor))
        terms.append(prefix(q, module.k, module.v))
    torch.testing.assert_close(terms[1], 2 * terms[0])
    k, v = (part(prefix.prompt)[:, 4:8] for part in (module.k, module.v))  # of head 1
    scores = torch.exp(q[1, 1, 2] @ k.T / 2)
    expected = 0.6 * (scores / scores.sum()) @ v
    torch.testing.assert_close(terms[1][1, 1, 2], expected, rtol=1e-4, atol=1e-5)


def test_trains_prefix_and_gates() -> None:
    module = Attention()
    for part in (module.q, module.k, module.v, module.o):
        part.requires_grad_(False)
    optimiser = torch.optim.SGD([part for part in module.parameters() if part.requires_grad], 0.5)
    for step in range(2):  # behind a closed gate the prefix learns from the second step
        optimiser.zero_grad()
        module(torch.randn(2, 5, 16)).square().sum().backward()
        assert module.prefix.gate.grad.abs().min() > 0
        assert (module.prefix.prompt.grad.abs().sum() > 0) == (step == 1)
        optimiser.step()
    assert module.k.weight.grad is None


def test_known_counts_on_llama_7b() -> None:
    prefix = ZeroInit(32, 128, device="meta")
    assert 30 * prefix.prompt.numel() == 1_228_800 and prefix.gate.numel() == 32
    lora = PYTHON["llama-reviewer"]["llama_reviewer_recipe"]()["LoraConfig"]
    layer = PYTHON["lora"]["LoRALinear"](4096, 4096, bias=False, device="meta", rank=lora["r"])
    trained = sum(part.numel() for part in layer.parameters() if part.requires_grad)
    assert 32 * len(lora["target_modules"]) * trained == 8_388_608


def test_refusals() -> None:
    with pytest.raises(ValueError, match="prompt_len must be at least 1, got 0"):
        ZeroInit(4, 4, prompt_len=0)
    with pytest.raises(ValueError, match="n_heads must be a multiple of 3, got 4"):
        ZeroInit(4, 4)(torch.randn(1, 4, 2, 4), nn.Linear(16, 12), nn.Linear(16, 12))
