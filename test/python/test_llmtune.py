"""LLMTune: configurations as words and back, and a search from a proposal."""

import json
from collections.abc import Mapping

import pytest
from corpus import PYTHON

LLMTUNE = PYTHON["llmtune"]
bin_config, unbin_config = LLMTUNE["bin_config"], LLMTUNE["unbin_config"]
warm_start_search = LLMTUNE["warm_start_search"]
SPACE = {"buffers": (128.0, 8192.0), "cost": (-1.0, 1.0)}


def test_labels_by_hand() -> None:
    space = {"knob": (100.0, 200.0)}
    values = {100.0: "0% to 10%", 109.9: "0% to 10%", 130.0: "30% to 40%", 200.0: "90% to 100%"}
    for value, label in values.items():
        assert bin_config({"knob": value}, space) == {"knob": label}
    assert bin_config({"knob": 0.3}, {"knob": (0.0, 1.0)}) == {"knob": "30% to 40%"}
    assert unbin_config({"knob": "30% to 40%"}, space) == {"knob": pytest.approx(135.0)}


def test_at_most_half_a_bin_off() -> None:
    for name, (low, high) in SPACE.items():
        starts: list[int] = []
        for step in range(101):
            value = low + (high - low) * step / 100
            labels = bin_config({name: value}, SPACE)
            back = unbin_config(labels, SPACE)
            assert abs(back[name] - value) <= (high - low) / 20 + 1e-9
            assert bin_config(back, SPACE) == labels
            starts.append(int(labels[name].split("%")[0]))
        assert starts == sorted(starts) and set(starts) == set(range(0, 100, 10))


def test_labels_survive_text() -> None:
    labels = bin_config({"buffers": 4096.0, "cost": 0.2}, SPACE)
    assert json.loads(json.dumps(labels)) == labels


def test_quantile_bins() -> None:
    best = [{"knob": float(value), "flag": float(value > 8)} for value in range(10)]
    edges = LLMTUNE["fit_quantile_bins"](best)
    assert edges["knob"] == pytest.approx(list(range(10)))
    assert edges["flag"] == [0.0, 1.0]  # equal edges fall together
    words = [LLMTUNE["quantile_labels"]({"knob": value}, edges)["knob"] for value in (-5, 4.5, 99)]
    assert words == ["extremely low", "medium", "extremely high"]
    space = {"knob": (0.0, 50.0), "flag": (0.0, 2.0)}
    back = LLMTUNE["from_quantile_labels"]({"knob": "medium", "flag": "medium"}, edges, space)
    assert back == {"knob": 4.5, "flag": 2.0}  # beyond the bins of a knob is its maximum
    for k, word in enumerate(LLMTUNE["QUANTILE_WORDS"]):
        back = LLMTUNE["from_quantile_labels"]({"knob": word}, edges, space)
        assert back["knob"] == k + 0.5
        assert LLMTUNE["quantile_labels"](back, edges) == {"knob": word}


def score(cfg: Mapping[str, float]) -> float:
    return -((cfg["cost"] - 0.3) ** 2) - ((cfg["buffers"] - 1000) / 8000) ** 2


def test_never_worse_than_the_proposal() -> None:
    proposal = {"buffers": 1100.0, "cost": 0.31}
    for n_iter in (0, 1, 40):
        _, found = warm_start_search(score, SPACE, [proposal], n_iter)
        assert found >= score(proposal)
    best, found = warm_start_search(score, SPACE, [proposal], 400)
    assert found > score(proposal) and score(best) == found
    assert all(low <= best[name] <= high for name, (low, high) in SPACE.items())


def test_without_a_proposal_it_is_the_plain_search() -> None:
    seen: list[list[dict[str, float]]] = []
    for init in ((), []):
        asked: list[dict[str, float]] = []
        warm_start_search(lambda cfg, to=asked: (to.append(dict(cfg)), score(cfg))[1], SPACE, init)
        seen.append(asked)
    assert seen[0] == seen[1] and len(seen[0]) == 50
    assert warm_start_search(score, SPACE, seed=1) != warm_start_search(score, SPACE, seed=2)


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"cfg must have cost between -1.0 and 1.0, got 3"):
        bin_config({"cost": 3.0}, SPACE)
    with pytest.raises(ValueError, match="n_bins must divide 100, got 7"):
        bin_config({"cost": 0.0}, SPACE, n_bins=7)
    with pytest.raises(ValueError, match='got "lots" for cost'):
        unbin_config({"cost": "lots"}, SPACE)
