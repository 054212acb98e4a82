"""Preference optimisation from four log-likelihoods."""

import math

import pytest
import torch
from corpus import SHARED

dpo_loss = SHARED["dpo_loss"]


def test_is_ln_2_where_the_model_is_its_reference() -> None:
    w, loser = torch.randn(5) - 20, torch.randn(5) - 30
    for beta in (0.1, 0.5):
        assert dpo_loss(w, loser, w, loser, beta).item() == pytest.approx(math.log(2), rel=1e-6)


def test_by_hand() -> None:
    found = dpo_loss(*(torch.tensor([value]) for value in (-10.0, -14.0, -12.0, -11.0)), beta=0.5)
    # 0.5 * ((-10 + 12) - (-14 + 11)) = 2.5
    assert found.item() == pytest.approx(math.log(1 + math.exp(-2.5)), rel=1e-6)


def test_pushes_the_two_apart() -> None:
    logp_w, logp_l = (torch.full((3,), -10.0, requires_grad=True) for _ in range(2))
    dpo_loss(logp_w, logp_l, logp_w.detach(), logp_l.detach(), beta=0.1).backward()
    torch.testing.assert_close(logp_w.grad, torch.full((3,), -0.05 / 3))
    torch.testing.assert_close(logp_l.grad, torch.full((3,), 0.05 / 3))
    with pytest.raises(ValueError, match="beta must be above 0"):
        dpo_loss(logp_w, logp_l, logp_w, logp_l, beta=0.0)
