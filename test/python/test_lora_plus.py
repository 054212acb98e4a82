"""LoRA+: which parameters learn at which rate."""

import pytest
import torch
from corpus import PYTHON
from torch import nn

LoRALinear = PYTHON["lora"]["LoRALinear"]
lora_plus_groups = PYTHON["lora-plus"]["lora_plus_groups"]


def test_second_factors_learn_faster_and_vectors_are_not_decayed() -> None:
    model = nn.Sequential(LoRALinear(6, 5, rank=2), nn.LayerNorm(5), LoRALinear(5, 4, rank=2))
    groups = lora_plus_groups(model, lr=1e-3, ratio=8.0, weight_decay=0.1)
    first, norm, last = model
    found = {
        id(part): (group["lr"], group["weight_decay"])
        for group in groups
        for part in group["params"]
    }
    assert found == {
        id(first.lora_A): (1e-3, 0.1),
        id(first.lora_B): (8e-3, 0.1),
        id(last.lora_A): (1e-3, 0.1),
        id(last.lora_B): (8e-3, 0.1),
        id(norm.weight): (1e-3, 0.0),
        id(norm.bias): (1e-3, 0.0),
    }
    torch.optim.AdamW(groups)


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"ratio must be at least 1, got 0\.5"):
        lora_plus_groups(LoRALinear(6, 5, rank=2), lr=1e-3, ratio=0.5)
    with pytest.raises(ValueError, match="model has no layer with lora_A and lora_B"):
        lora_plus_groups(nn.Linear(6, 5), lr=1e-3)
