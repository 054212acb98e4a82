from typing import Any

import torch
from shared.nf4 import dequantize_nf4, quantize_nf4
from torch import Tensor


def zno_recipe() -> "dict[str, dict[str, Any]]":
    """The QLoRA settings for Ukrainian exam tasks (Syromiatnikov et al., 2025, arXiv:2503.13988).

    Keyword arguments by class: BitsAndBytesConfig, LoraConfig and TrainingArguments, and in
    "SFTConfig" what only that class takes. For the model of 3B parameters the released code takes
    batches of 8 instead of 4.
    """
    return {
        "BitsAndBytesConfig": {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_use_double_quant": True,
            "bnb_4bit_compute_dtype": torch.float16,
        },
        "LoraConfig": {
            "r": 16,
            "lora_alpha": 16,
            "lora_dropout": 0.05,
            "target_modules": [
                *("q_proj", "k_proj", "v_proj", "o_proj"),
                *("gate_proj", "up_proj", "down_proj"),
            ],
            "task_type": "CAUSAL_LM",
        },
        "TrainingArguments": {
            "learning_rate": 3e-4,
            "lr_scheduler_type": "linear",
            "warmup_steps": 20,
            "num_train_epochs": 4,
            "per_device_train_batch_size": 4,
            "gradient_accumulation_steps": 4,
            "optim": "adamw_8bit",
            "weight_decay": 0.01,
            "fp16": True,
            "seed": 42,
            "load_best_model_at_end": True,
            "metric_for_best_model": "eval_loss",
        },
        "SFTConfig": {"max_seq_length": 3072, "packing": False},
    }


def grade_matching(
    pred: str, key: str, max_grade: float, *, strict: bool = True, longest: int = 10
) -> float:
    """Points for a matching task (Syromiatnikov et al., 2025, arXiv:2503.13988).

    The share of positions where the letters of `pred` are those of `key`, times `max_grade`; none
    for more letters than `longest`, or, when `strict`, than the key has. A task with one letter is
    all or nothing.
    """
    if not key:
        raise ValueError("key must have at least one letter")
    if max_grade < 0:
        raise ValueError(f"max_grade must not be negative, got {max_grade}")
    if len(pred) > longest or (strict and len(pred) > len(key)):
        return 0.0
    correct = sum(found == wanted for found, wanted in zip(pred, key))
    return correct / len(key) * max_grade


@torch.no_grad()
def merge_lora(
    W: Tensor, A: Tensor, B: Tensor, alpha: float, r: int, *, quantized: bool = False
) -> Tensor:  # (out, in), (r, in), (out, r) -> (out, in)
    """W + (alpha / r) B A, or dq(Q(W)) + (alpha / r) B A when `quantized`.

    An update trained on an NF4 base fits dq(Q(W)); folded into the full weight it is off by
    `quantization_residual` (Syromiatnikov et al., 2025, arXiv:2503.13988, compare both).
    """
    if A.shape != (r, W.shape[1]) or B.shape != (W.shape[0], r):
        raise ValueError(f"r must be the rank of A and B, got {r}, {[*A.shape]} and {[*B.shape]}")
    base = W - quantization_residual(W) if quantized else W
    return base + alpha / r * B @ A


@torch.no_grad()
def quantization_residual(W: Tensor) -> Tensor:  # (out, in)
    """W - dq(Q(W)): what 4 bits lose, for arXiv:2503.13988 (Syromiatnikov et al., 2025)."""
    return W - dequantize_nf4(*quantize_nf4(W), (W.shape[0], W.shape[1])).to(W.dtype)
