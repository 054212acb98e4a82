"""train_only: what the optimiser gets, in models that mix adapters, norms and tied weights."""

import copy

import pytest
from corpus import PYTHON, SHARED
from torch import nn

train_only = SHARED["train_only"]
LoRALinear = PYTHON["lora"]["LoRALinear"]
HoulsbyAdapter = PYTHON["houlsby"]["HoulsbyAdapter"]


def model() -> nn.ModuleDict:
    return nn.ModuleDict(
        {
            "embedding": nn.Embedding(10, 8),
            "attention": LoRALinear(8, 8, rank=2),
            "adapter": HoulsbyAdapter(8, bottleneck=3),
            "norm": nn.LayerNorm(8),
            "head": nn.Linear(8, 10),
        }
    )


def trained(of: nn.Module) -> set[str]:
    return {name for name, parameter in of.named_parameters() if parameter.requires_grad}


LORA = {"attention.lora_A", "attention.lora_B"}
ADAPTER = {f"adapter.{side}_{part}" for side in ("down", "up") for part in ("weight", "bias")}
NORM = {"norm.weight", "norm.bias"}


def test_returns_what_trains() -> None:
    whole = model()
    chosen = train_only(whole, LoRALinear)
    assert trained(whole) == LORA
    assert [id(one) for one in chosen] == [
        id(whole["attention"].lora_A),
        id(whole["attention"].lora_B),
    ]


def test_again_and_with_other_classes() -> None:
    whole = model()
    for _ in range(2):
        train_only(whole, LoRALinear)
        assert trained(whole) == LORA
        train_only(whole, HoulsbyAdapter, nn.LayerNorm)
        assert trained(whole) == ADAPTER | NORM
    train_only(whole, LoRALinear, HoulsbyAdapter)
    assert trained(whole) == LORA | ADAPTER


def test_of_a_copy_and_of_a_part() -> None:
    whole = model()
    train_only(whole["attention"], LoRALinear)
    train_only(whole, HoulsbyAdapter)
    assert trained(whole) == ADAPTER
    twin = copy.deepcopy(whole)
    train_only(twin, LoRALinear)
    assert trained(twin) == LORA


def test_a_weight_tied_to_the_base_stays_frozen() -> None:
    whole = model()
    whole["head"] = LoRALinear(8, 10, rank=2)
    whole["head"].weight = whole["embedding"].weight
    train_only(whole, LoRALinear)
    assert trained(whole) == LORA | {"head.lora_A", "head.lora_B"}


def test_a_model_without_adapters_is_refused_and_left_as_it_was() -> None:
    plain = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"adapters: \(LoRALinear\) is not in the model"):
        train_only(plain, LoRALinear)
    assert trained(plain) == {"0.weight", "0.bias"}


def test_an_adapter_frozen_by_hand_is_no_surprise() -> None:
    whole = model().requires_grad_(False)
    with pytest.raises(ValueError, match=r"adapters: \(LoRALinear\) was frozen before this call"):
        train_only(whole, LoRALinear)


def test_parts_of_an_adapter_train_with_it() -> None:
    adapter = PYTHON["compacter"]["CompacterAdapter"](8, reduction=2)
    whole = nn.Sequential(nn.Linear(8, 8), adapter)
    train_only(whole, type(adapter))
    assert trained(whole) == {name for name, _ in whole.named_parameters() if name[0] == "1"}
