from typing import NamedTuple

from torch import nn


class LoRAFactors(NamedTuple):
    """What a LoRA layer trains, h = W x + scale * B A x."""

    a: nn.Parameter  # (r, in)
    b: nn.Parameter  # (out, r)
    scale: float


def lora_factors(model: nn.Module) -> "list[LoRAFactors]":
    """The factors of every layer of `model` with `lora_A` and `lora_B` as its own parameters."""
    found = []
    for module in model.modules():
        a, b = getattr(module, "lora_A", None), getattr(module, "lora_B", None)
        if isinstance(a, nn.Parameter) and isinstance(b, nn.Parameter):
            found.append(LoRAFactors(a, b, float(getattr(module, "scale", 1.0))))
    if not found:
        raise ValueError("model has no layer with lora_A and lora_B: adapt it with LoRA first")
    return found
