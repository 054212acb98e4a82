"""IST: who trains, and what a probe teaches."""

import math

import pytest
import torch
from corpus import PYTHON, SHARED
from torch import Tensor, nn

ImportanceSparseTuner = PYTHON["ist"]["ImportanceSparseTuner"]
LoRALinear = PYTHON["lora"]["LoRALinear"]


def model(blocks: int = 8) -> nn.Sequential:
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Sequential(LoRALinear(4, 4, rank=2), nn.Dropout(0.5)) for _ in range(blocks))
    )
    SHARED["train_only"](net, LoRALinear)
    for block in net:
        block[0].lora_B.data.normal_()
    return net


def test_a_quarter_of_the_blocks_trains() -> None:
    net = model()
    tuner = ImportanceSparseTuner(net)
    seen: set[int] = set()
    for _ in range(9):
        chosen = tuner.on_step_begin(lambda: torch.tensor(0.0))
        seen |= set(chosen)
        assert len(chosen) == len(set(chosen)) == 2
        for index, block in enumerate(net):
            assert block[0].lora_A.requires_grad == block[0].lora_B.requires_grad
            assert block[0].lora_A.requires_grad == (index in chosen)
            assert not block[0].weight.requires_grad
    assert len(seen) > 2


def test_frozen_blocks_do_not_move() -> None:
    net = model()
    tuner = ImportanceSparseTuner(net)
    parts = [part for block in net for part in (block[0].lora_A, block[0].lora_B)]
    optimiser = torch.optim.AdamW(parts, lr=0.1, weight_decay=0.5)
    for _ in range(3):
        chosen = tuner.on_step_begin(lambda: torch.tensor(0.0))
        before = [block[0].lora_A.clone() for block in net]
        optimiser.zero_grad()
        net(torch.randn(3, 4)).square().sum().backward()
        optimiser.step()
        moved = [
            index
            for index, (block, old) in enumerate(zip(net, before, strict=True))
            if not torch.equal(block[0].lora_A, old)
        ]
        assert moved == chosen


def test_a_probe_damps_and_restores() -> None:
    net = model(4)
    tuner = ImportanceSparseTuner(net, interval=1)
    whole = net[0][0].scale
    sets: list[tuple[int, ...]] = []

    def loss_fn() -> Tensor:
        assert not torch.is_grad_enabled() and not net[0].training
        sets.append(tuple(i for i, block in enumerate(net) if block[0].scale == whole / 4))
        return torch.tensor(1.0)

    tuner.on_step_begin(loss_fn)
    assert len(set(sets)) == 3 and all(len(chosen) == 2 for chosen in sets)
    assert all(block[0].scale == whole and block[1].training for block in net)
    # equal losses teach nothing
    torch.testing.assert_close(tuner.importance, torch.zeros(4), rtol=0, atol=1e-6)


def test_importance_by_hand() -> None:
    """Damping block 0 raises the loss, so its score falls."""
    net = model(4)
    tuner = ImportanceSparseTuner(net, interval=1, seed=1)
    whole = net[0][0].scale
    tuner.importance = start = torch.tensor([0.1, -0.2, 0.3, 0.0])
    start = start.clone()
    seen: list[tuple[list[int], float]] = []

    def loss_fn() -> Tensor:
        damped = [i for i, block in enumerate(net) if block[0].scale != whole]
        seen.append((damped, 2.0 if 0 in damped else 0.5))
        return torch.tensor(seen[-1][1])

    tuner.on_step_begin(loss_fn)
    mean = sum(math.exp(-loss) for _, loss in seen) / 3
    p = start.sigmoid()
    for chosen, loss in seen:
        for index in chosen:
            start[index] += 10 * (math.exp(-loss) - mean) * p[index] * (1 - p[index])
    torch.testing.assert_close(tuner.importance, start)
    assert 0 < sum(0 in chosen for chosen, _ in seen) < 3
    assert tuner.importance[0] < 0.1


def test_important_blocks_are_drawn_more_often() -> None:
    net = model(4)
    tuner = ImportanceSparseTuner(net, interval=10_000)
    tuner.importance = torch.tensor([-6.0, 6.0, 6.0, 6.0])
    drawn = [tuner.on_step_begin(lambda: torch.tensor(0.0))[0] for _ in range(50)]
    assert drawn.count(0) > 45


def test_scales_by_name_are_restored_too() -> None:
    net = model(2)
    for block in net:
        block[0].scaling = {"default": 2.0}
    tuner = ImportanceSparseTuner(net, interval=1)
    values: list[float] = []

    def loss_fn() -> Tensor:
        values.append(net[0][0].scaling["default"])
        return torch.tensor(0.0)

    tuner.on_step_begin(loss_fn)
    assert sorted(values) == [0.5, 2.0], "two blocks have two sets"
    assert net[0][0].scaling == {"default": 2.0}


def test_refusals() -> None:
    with pytest.raises(ValueError, match="layers must each hold a trainable adapter"):
        ImportanceSparseTuner([nn.Linear(2, 2)])
    with pytest.raises(ValueError, match="update_ratio must be"):
        ImportanceSparseTuner(model(), update_ratio=0.0)


def test_finds_the_blocks_that_hold_adapters() -> None:
    frozen = nn.ModuleList(nn.Linear(2, 2) for _ in range(9)).requires_grad_(False)
    whole = nn.ModuleDict({"frozen": frozen, "blocks": model(4), "head": nn.Sequential()})
    assert PYTHON["ist"]["adapted_blocks"](whole) == list(whole["blocks"])
    assert PYTHON["ist"]["adapted_blocks"](frozen) == []
