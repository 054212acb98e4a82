"""Exam tasks: settings, points, and what merging into the full weight changes."""

import pytest
import torch
from corpus import PYTHON

EXAM = PYTHON["ukrainian-exam-tuning"]
grade_matching, merge_lora = EXAM["grade_matching"], EXAM["merge_lora"]


@pytest.mark.parametrize(
    ("pred", "points"),
    [("ABCD", 4), ("ABDC", 2), ("BADC", 0), ("A", 1), ("", 0), ("ABCDE", 0), ("ABC", 3)],
)
def test_points_by_position(pred: str, points: float) -> None:
    assert grade_matching(pred, "ABCD", 4) == points


def test_limits_of_grading() -> None:
    assert grade_matching("ABCDE", "ABCD", 4, strict=False) == 4
    assert grade_matching("ABCDEFGHIJK", "ABCD", 4, strict=False) == 0
    assert grade_matching("B", "B", 1) == 1 and grade_matching("A", "B", 1) == 0
    with pytest.raises(ValueError, match="key must have at least one letter"):
        grade_matching("A", "", 1)


def test_more_right_letters_never_cost() -> None:
    key = "ABCDE"
    grades = [grade_matching(key[:right] + "X" * (5 - right), key, 3.0) for right in range(6)]
    assert grades == sorted(grades) and grades[0] == 0 and grades[-1] == 3.0


def test_merging_keeps_what_was_trained() -> None:
    W, A, B, x = torch.randn(24, 64), torch.randn(4, 64), torch.randn(24, 4), torch.randn(5, 64)
    held = PYTHON["tslam-mini"]["dequantize_nf4"](
        *PYTHON["tslam-mini"]["quantize_nf4"](W), (24, 64)
    )
    trained = x @ held.T + 2.0 * (x @ A.T @ B.T)
    exact = x @ merge_lora(W, A, B, alpha=8, r=4, quantized=True).T
    full = x @ merge_lora(W, A, B, alpha=8, r=4).T
    torch.testing.assert_close(exact, trained, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(full, trained, atol=0.05)
    residual = EXAM["quantization_residual"](W)
    torch.testing.assert_close(full - exact, x @ residual.T, rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="r must be the rank of A and B, got 8"):
        merge_lora(W, A, B, alpha=8, r=8)


def trained(rank: int, layers: int, width: int, queries: int, keys: int, inner: int) -> int:
    """r (in + out) of the seven projections: q, o; k, v; gate, up, down."""
    sizes = 2 * (width + queries) + 2 * (width + keys) + 3 * (width + inner)
    return rank * layers * sizes


def test_known_counts() -> None:
    recipe = EXAM["zno_recipe"]()
    lora = recipe["LoraConfig"]
    assert len(lora["target_modules"]) == 7
    assert (lora["lora_alpha"], lora["lora_dropout"]) == (16, 0.05)
    rank = lora["r"]
    assert trained(rank, 32, 4096, 4096, 1024, 14336) == 41_943_040  # LLaMA-3.1-8B
    assert trained(rank, 28, 3072, 3072, 1024, 8192) == 24_313_856  # LLaMA-3.2-3B
    assert trained(rank, 42, 3584, 4096, 2048, 14336) == 54_018_048  # Gemma-2-9B
    training = recipe["TrainingArguments"]
    assert (training["learning_rate"], training["warmup_steps"]) == (3e-4, 20)
    assert training["num_train_epochs"] == 4 and training["optim"] == "adamw_8bit"
    assert recipe["BitsAndBytesConfig"]["bnb_4bit_compute_dtype"] is torch.float16
