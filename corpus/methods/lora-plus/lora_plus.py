from typing import Any

from shared.lora_factors import lora_factors
from torch import nn


def lora_plus_groups(
    model: nn.Module, lr: float, ratio: float = 16.0, weight_decay: float = 0.0
) -> "list[dict[str, Any]]":
    """Parameter groups for an optimiser: LoRA+ (Hayou et al., 2024, arXiv:2402.12354).

    The second factors of all LoRA layers learn at `ratio` times `lr`, everything else that trains
    at `lr`; what has one dimension is not decayed. Give them to any optimiser, and let a schedule
    scale the rate of each group and not set it.

    Args:
        lr: learning rate of the first factors.
        ratio: of the rates, at least one.
        weight_decay: of all but vectors.
    """
    if ratio < 1:
        raise ValueError(f"ratio must be at least 1, got {ratio}")
    fast = {factors.b for factors in lora_factors(model)}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for part in model.parameters():
        if part.requires_grad:
            rate = lr * ratio if part in fast else lr
            decay = weight_decay if part.dim() > 1 else 0.0
            groups.setdefault((rate, decay), []).append(part)
    return [
        {"params": parts, "lr": rate, "weight_decay": decay}
        for (rate, decay), parts in groups.items()
    ]
