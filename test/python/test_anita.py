"""ANITA: two steps of settings, and what they train."""

import math
from typing import Any

import pytest
import torch
from corpus import PYTHON
from torch import nn

ANITA = PYTHON["anita"]
STEPS = (ANITA["anita_sft_recipe"], ANITA["anita_dpo_recipe"])


def scale(lora: dict[str, Any]) -> float:
    rank = lora["r"]
    return lora["lora_alpha"] / (math.sqrt(rank) if lora["use_rslora"] else rank)


def test_scales_of_both_steps() -> None:
    sft, dpo = (step()["LoraConfig"] for step in STEPS)
    assert (sft["r"], sft["lora_alpha"], scale(sft)) == (16, 8, 0.5)
    assert (dpo["r"], dpo["lora_alpha"], scale(dpo)) == (64, 16, 2.0)


def test_counts_on_llama_3_8b() -> None:
    kv, width, inner = 1024, 4096, 14336
    per_rank = 32 * (2 * 2 * width + 2 * (width + kv) + 3 * (width + inner))
    assert per_rank == 2_621_440
    for step, count in zip(STEPS, (41_943_040, 167_772_160), strict=True):
        lora = step()["LoraConfig"]
        assert len(lora["target_modules"]) == 7 and lora["r"] * per_rank == count


def test_figures_of_training() -> None:
    sft, dpo = STEPS[0]()["TrainingArguments"], STEPS[1]()["DPOConfig"]
    assert sft["per_device_train_batch_size"] * sft["gradient_accumulation_steps"] == 128
    assert dpo["per_device_train_batch_size"] * dpo["gradient_accumulation_steps"] == 96
    assert (sft["learning_rate"], dpo["learning_rate"], dpo["beta"]) == (2e-4, 5e-5, 0.1)
    assert (dpo["max_length"], dpo["max_prompt_length"]) == (1024, 512)


def test_recipes_can_be_changed() -> None:
    ANITA["anita_sft_recipe"]()["LoraConfig"]["target_modules"].append("lm_head")
    assert "lm_head" not in ANITA["anita_sft_recipe"]()["LoraConfig"]["target_modules"]


def test_preferences_train_the_update_alone() -> None:
    """The reference is the same layer without its update, which starts at zero."""
    layer = PYTHON["lora"]["LoRALinear"](8, 6, rank=2)
    x, won, lost = torch.randn(5, 8), torch.randint(6, (5, 1)), torch.randint(6, (5, 1))

    def scores(logits: torch.Tensor) -> list[torch.Tensor]:
        return [logits.log_softmax(-1).gather(1, each)[:, 0] for each in (won, lost)]

    reference = scores(nn.functional.linear(x, layer.weight, layer.bias))
    loss = ANITA["dpo_loss"](*scores(layer(x)), *reference, beta=0.1)
    assert loss.item() == pytest.approx(math.log(2), rel=1e-6)
    loss.backward()
    assert layer.weight.grad is None and layer.lora_B.grad.abs().sum() > 0
