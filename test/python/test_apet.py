"""APET: random places within a budget."""

import pytest
import torch
from corpus import PYTHON, SHARED
from torch import nn

select = PYTHON["apet"]["select_arbitrary_parameters"]
LoRALinear = PYTHON["lora"]["LoRALinear"]


def adapted() -> nn.Sequential:
    torch.manual_seed(0)
    net = nn.Sequential(*(LoRALinear(6, 6, rank=1) for _ in range(6)), nn.LayerNorm(6))
    SHARED["train_only"](net, LoRALinear)
    return net


def sizes(net: nn.Module, names: list[str]) -> int:
    parts = dict(net.named_parameters())
    return sum(parts[name].numel() for name in names)


@pytest.mark.parametrize("budget", [1, 13, 60, 150, 10_000])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_within_budget_and_in_pairs(budget: int, seed: int) -> None:
    net = adapted()
    names = select(net, budget, seed)
    assert sizes(net, names) <= budget
    assert {name for name, part in net.named_parameters() if part.requires_grad} == set(names)
    for index in range(6):
        assert (f"{index}.lora_A" in names) == (f"{index}.lora_B" in names)


def test_each_half_is_spent() -> None:
    """Of 48, 24 are two LoRAs of 12 each and 24 are four vectors of 6."""
    net = adapted()
    names = select(net, 48, 1)
    inserted = [name for name in names if "lora" in name]
    assert sizes(net, inserted) == 24 and sizes(net, names) == 48


def test_the_seed_decides() -> None:
    first, again, other = (select(adapted(), 60, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len({tuple(select(adapted(), 60, seed)) for seed in range(1, 8)}) > 3


def test_a_plain_model_takes_the_whole_budget() -> None:
    net = nn.Sequential(*(nn.Linear(4, 4, bias=False) for _ in range(4)))
    assert sizes(net, select(net, 48, 3)) == 48


def test_groups_of_ones_own() -> None:
    net = nn.Sequential(*(nn.Linear(4, 4) for _ in range(4)))
    groups = [["0.weight", "1.bias"], ["2.weight", "3.bias"]]
    names = select(net, 40, 1, groups)
    assert sum(all(name in names for name in group) for group in groups) == 1
    with pytest.raises(ValueError, match="groups must name parameters of the model, got 9"):
        select(net, 40, 1, [["9"]])
    with pytest.raises(ValueError, match="budget must be at least 1"):
        select(net, 0)


def test_the_model_starts_as_it_is() -> None:
    net, x = adapted(), torch.randn(2, 6)
    before = net(x)
    select(net, 60)
    assert torch.equal(net(x), before)


def test_budget_of_lora_in_bloom() -> None:
    """3,932,160 is a LoRA of rank 8 on the fused query, key and value of BLOOM-7.1B."""
    layer = LoRALinear(4096, 3 * 4096, device="meta", rank=8)
    trained = sum(part.numel() for part in layer.parameters() if part.requires_grad)
    assert 30 * trained == 3_932_160
