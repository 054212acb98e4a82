"""MFTCoder: losses averaged by task, and weights that follow validation losses."""

import math

import pytest
import torch
from corpus import PYTHON
from torch import Tensor

multitask_lm_loss = PYTHON["mftcoder"]["multitask_lm_loss"]
CoBaWeights = PYTHON["mftcoder"]["CoBaWeights"]
slope = PYTHON["mftcoder"]["slope"]


def batch(lengths: list[int]) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Logits, labels with -100 behind each sample's length, and the loss of each token."""
    logits, labels = torch.randn(len(lengths), 6, 7), torch.randint(7, (len(lengths), 6))
    tokens: list[Tensor] = []
    for index, length in enumerate(lengths):
        labels[index, length:] = -100
        picked = logits[index, :length].log_softmax(-1)
        tokens.append(-picked[torch.arange(length), labels[index, :length]])
    return logits, labels, tokens


def test_each_mode_by_hand() -> None:
    logits, labels, tokens = batch([6, 2, 3])
    tasks = torch.tensor([4, 0, 4])
    first, second = torch.cat([tokens[0], tokens[2]]), tokens[1]
    by_sample = (tokens[0].mean() + tokens[2].mean()) / 2
    expected = {
        "case1": torch.cat(tokens).mean(),
        "case2": torch.stack([part.mean() for part in tokens]).mean(),
        "case3": (first.mean() + second.mean()) / 2,
        "case4": (by_sample + second.mean()) / 2,
    }
    for mode, loss in expected.items():
        torch.testing.assert_close(multitask_lm_loss(logits, labels, tasks, mode=mode), loss)
    weights = torch.tensor([1.0, 9.0, 9.0, 9.0, 3.0])
    found = multitask_lm_loss(logits, labels, tasks, task_weights=weights)
    torch.testing.assert_close(found, (3 * first.mean() + second.mean()) / 4)


def test_one_task_is_the_mean_over_tokens() -> None:
    logits, labels, _ = batch([6, 2, 3])
    tasks = torch.zeros(3, dtype=torch.long)
    one = multitask_lm_loss(logits, labels, tasks, mode="case1")
    torch.testing.assert_close(multitask_lm_loss(logits, labels, tasks), one)


def test_equal_lengths_make_samples_and_tokens_alike() -> None:
    logits, labels, _ = batch([4, 4])
    tasks = torch.tensor([0, 1])
    one, two = (multitask_lm_loss(logits, labels, tasks, mode=mode) for mode in ("case1", "case2"))
    torch.testing.assert_close(one, two)


@pytest.mark.parametrize("mode", ["case3", "case4"])
def test_repeating_a_task_does_not_raise_it(mode: str) -> None:
    logits, labels, _ = batch([6, 2])
    again = torch.tensor([0, 1, 1, 1])
    few = multitask_lm_loss(logits, labels, torch.tensor([0, 1]), mode=mode)
    torch.testing.assert_close(
        multitask_lm_loss(logits[again], labels[again], again, mode=mode), few
    )


def test_ignored_tokens_and_samples() -> None:
    logits, labels, tokens = batch([6, 0])
    logits.requires_grad_(True)
    loss = multitask_lm_loss(logits, labels, torch.tensor([0, 1]))
    torch.testing.assert_close(loss, tokens[0].mean())
    loss.backward()
    assert logits.grad[1].abs().sum() == 0
    with pytest.raises(ValueError, match="labels must have at least one token"):
        multitask_lm_loss(logits, torch.full_like(labels, -100), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match='got "case5"'):
        multitask_lm_loss(logits, labels, torch.tensor([0, 1]), mode="case5")


def test_slope_of_a_line() -> None:
    steps = torch.arange(9).double()
    lines = torch.stack([2 - 0.5 * steps, 3 * steps], dim=1)
    torch.testing.assert_close(slope(lines), torch.tensor([-0.5, 3.0]).double())


def follow(losses: list[tuple[float, ...]], warmup: int = 3) -> list[Tensor]:
    balance = CoBaWeights(len(losses[0]), window=10, warmup=warmup)
    return [balance.update(torch.tensor(each)) for each in losses]


def test_uniform_before_the_warmup_is_over() -> None:
    found = follow([(3.0, 2.0)] * 2, warmup=3)
    assert all(each.tolist() == [0.5, 0.5] for each in found)


def test_a_task_that_falls_slower_gains() -> None:
    found = follow([(4.0 - 0.3 * step, 4.0 - 0.1 * step) for step in range(8)])[-1]
    assert found[1] > found[0]


def test_a_task_that_rises_loses() -> None:
    falling = [4.0 - 0.2 * step for step in range(14)]
    turning = [4.0 - 0.2 * step for step in range(7)] + [2.8 + 0.4 * step for step in range(7)]
    found = follow(list(zip(falling, turning, strict=True)))[-1]
    assert found[1] < found[0]


def test_weights_have_a_sum_of_one_and_a_floor() -> None:
    torch.manual_seed(3)
    for losses in (torch.rand(30, 4) + 1, torch.ones(30, 4)):
        balance = CoBaWeights(4, window=10, warmup=5)
        for row in losses:
            found = balance.update(row)
            assert found.sum().item() == pytest.approx(1, abs=1e-5)
            assert found.min() >= 1 / 40 - 1e-6 and math.isfinite(found.max())
