"""ZeroSearch: rising noise, rewards by words, and text that teaches nothing."""

from itertools import pairwise

import pytest
import torch
from corpus import PYTHON
from torch.nn import functional as F

ZEROSEARCH = PYTHON["zerosearch"]
curriculum_noise_prob = ZEROSEARCH["curriculum_noise_prob"]
token_f1 = ZEROSEARCH["token_f1"]
parse_action = ZEROSEARCH["parse_action"]
SimulatedSearch = ZEROSEARCH["SimulatedSearch"]


def test_noise_rises_ever_faster() -> None:
    found = [curriculum_noise_prob(step, 10, p_start=0.1, p_end=0.6) for step in range(14)]
    assert found[0] == pytest.approx(0.1) and found[10:] == pytest.approx([0.6] * 4)
    rises = [later - earlier for earlier, later in pairwise(found[:11])]
    assert all(0 < a < b for a, b in pairwise(rises))
    assert found[5] == pytest.approx(0.1 + 0.5 / 3)  # (2 - 1) / (4 - 1)


def test_base_one_is_a_line() -> None:
    for base in (1.0, 1.0 + 1e-6):
        assert curriculum_noise_prob(3, 10, p_end=1.0, base=base) == pytest.approx(0.3, abs=1e-5)
    with pytest.raises(ValueError, match="total must be at least 1, got 0"):
        curriculum_noise_prob(0, 0)


def test_f1_by_hand() -> None:
    assert token_f1("The Eiffel Tower!", "eiffel tower") == 1.0
    assert token_f1("tower of paris", "eiffel tower") == pytest.approx(2 * 1 / (3 + 2))
    assert token_f1("a b b", "b b c") == pytest.approx(2 * 2 / (2 + 3))  # "a" is an article
    assert token_f1("x y", "y x") == 1.0 and token_f1("x", "y") == 0.0 == token_f1("", "y")
    assert token_f1("one two", "two") == token_f1("two", "one two")


def test_actions() -> None:
    assert parse_action("I think <search> who?\n</search> then") == ("search", "who?")
    assert parse_action("<answer>Rome</answer><search>x</search>") == ("answer", "Rome")
    assert parse_action("<search>open</answer>") == (None, "") == parse_action("nothing")


def test_advantages_compare_rollouts_of_one_prompt() -> None:
    rewards = torch.tensor([0.0, 1.0, 0.5, 7.0, 7.0, 7.0])
    found = ZEROSEARCH["grpo_advantages"](rewards, 3)
    torch.testing.assert_close(found[:3], torch.tensor([-1.0, 1.0, 0.0]), atol=1e-4, rtol=0)
    assert found[3:].tolist() == [0.0] * 3
    torch.testing.assert_close(found.view(2, 3).sum(1), torch.zeros(2), atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="group must be at least 2 and divide 6, got 4"):
        ZEROSEARCH["grpo_advantages"](rewards, 4)


def test_retrieved_tokens_teach_nothing() -> None:
    labels = torch.randint(9, (2, 6))
    masked = ZEROSEARCH["mask_observation_tokens"](labels, [[(1, 3)], []])
    logits = torch.randn(2, 6, 9, requires_grad=True)
    F.cross_entropy(logits.flatten(0, 1), masked.flatten()).backward()
    silent = logits.grad.abs().sum(-1) == 0
    assert silent.tolist() == [[False, True, True, False, False, False], [False] * 6]
    assert (labels >= 0).all()


def test_share_of_noise() -> None:
    asked: list[str] = []
    search = SimulatedSearch(
        lambda prompt: asked.append(prompt) or "text", generator=torch.Generator().manual_seed(0)
    )
    for p in (0.0, 1.0, 0.3):
        asked.clear()
        search.p = p
        for _ in range(1000):
            assert search("who?") == "text"
        assert sum("noisy" in each for each in asked) == pytest.approx(1000 * p, abs=50)
        assert all("5 " in each and "who?" in each for each in asked)


def test_an_episode() -> None:
    turns = iter(["<search>capital</search>", "hm", "<answer>Rome</answer>", "never"])
    search = SimulatedSearch(lambda _: "It is Rome.")
    text = search.rollout(lambda _: next(turns), "Q ")
    assert text == (
        "Q <search>capital</search>\n<information>It is Rome.</information>\n"
        "hm<answer>Rome</answer>"
    )
    assert next(turns) == "never"
    endless = search.rollout(lambda _: "<search>x</search>", "", max_turns=3)
    assert endless.count("<information>") == 3
