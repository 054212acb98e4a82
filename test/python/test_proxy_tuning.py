"""Proxy-tuning: the identities of its sum of logits."""

from types import SimpleNamespace

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

ProxyTuned = PYTHON["proxy-tuning"]["ProxyTuned"]
proxy_tuned_logits = PYTHON["proxy-tuning"]["proxy_tuned_logits"]


def logits(seed: int, size: int = 11) -> Tensor:
    return torch.randn(2, 3, size, generator=torch.Generator().manual_seed(seed))


def test_identities() -> None:
    base, expert, antiexpert = logits(0), logits(1), logits(2)
    assert torch.equal(proxy_tuned_logits(base, expert, antiexpert, 0.0), base)
    assert torch.equal(proxy_tuned_logits(base, expert, expert), base)
    torch.testing.assert_close(proxy_tuned_logits(base, expert, base), expert)
    steered = proxy_tuned_logits(base, expert, antiexpert, 2.0)
    torch.testing.assert_close(steered, base + 2 * expert - 2 * antiexpert)
    shifted = proxy_tuned_logits(base + 3, expert - 5, antiexpert + 7)
    unshifted = proxy_tuned_logits(base, expert, antiexpert)
    torch.testing.assert_close(shifted.softmax(-1), unshifted.softmax(-1))


def test_vocabulary_of_the_small_pair_is_cut() -> None:
    base, expert, antiexpert = logits(0), logits(1, 13), logits(2, 12)
    expected = base + expert[..., :11] - antiexpert[..., :11]
    torch.testing.assert_close(proxy_tuned_logits(base, expert, antiexpert), expected)
    with pytest.raises(ValueError, match="expert must score 13 tokens"):
        proxy_tuned_logits(expert, base, antiexpert)


class Tiny(nn.Module):
    """Next-token logits from the last token; gives them as libraries do."""

    def __init__(self, seed: int, form: str) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.table = nn.Embedding(11, 11)
        self.form = form

    def forward(self, ids: Tensor) -> object:
        scores = self.table(ids)
        if self.form == "tuple":
            return scores, None
        return SimpleNamespace(logits=scores) if self.form == "object" else scores


def test_models_of_every_form_are_frozen_and_summed() -> None:
    base, expert, antiexpert = Tiny(0, "tuple"), Tiny(1, "object"), Tiny(2, "tensor")
    model = ProxyTuned(base, expert, antiexpert, alpha=0.5)
    ids = torch.tensor([[1, 2, 3]])
    expected = base.table(ids) + 0.5 * (expert.table(ids) - antiexpert.table(ids))
    torch.testing.assert_close(model(ids), expected)
    assert not any(part.requires_grad for part in model.parameters())
    assert not any(part.training for part in model.modules())


def test_generates_the_likeliest_or_samples() -> None:
    base, expert, antiexpert = (Tiny(seed, "tensor") for seed in range(3))
    model = ProxyTuned(base, expert, antiexpert)
    ids = torch.tensor([[1], [5]])
    table = base.table.weight + expert.table.weight - antiexpert.table.weight
    expected = [ids]
    for _ in range(4):
        expected.append(table[expected[-1]].argmax(-1))
    assert torch.equal(model.generate(ids, 4, temperature=0), torch.cat(expected, dim=1))
    assert torch.equal(model.generate(ids, 4, temperature=0, context=1), torch.cat(expected, dim=1))
    torch.manual_seed(0)
    drawn = model.generate(ids.expand(2, 1).repeat(400, 1), 1)[::2, -1]
    share = (drawn == table[1].argmax()).float().mean()
    assert share == pytest.approx(table[1].softmax(-1).max().item(), abs=0.1)
