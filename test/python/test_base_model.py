"""What code that goes over a whole model still finds once adapters are in it."""

import pytest
import torch
from corpus import PYTHON, SHARED
from torch import nn

base_parameters = SHARED["base_parameters"]
base_state_dict = SHARED["base_state_dict"]
load_base_state_dict = SHARED["load_base_state_dict"]
LoRALinear = PYTHON["lora"]["LoRALinear"]
HoulsbyAdapter = PYTHON["houlsby"]["HoulsbyAdapter"]


def base() -> nn.ModuleDict:
    return nn.ModuleDict({"attention": nn.Linear(8, 8), "norm": nn.BatchNorm1d(8)})


def adapted() -> nn.ModuleDict:
    model = base()
    model["attention"] = LoRALinear(8, 8, rank=2)
    model["adapter"] = HoulsbyAdapter(8, bottleneck=3)
    return model


def test_what_there_was() -> None:
    model = adapted()
    plain = dict(base().named_parameters())
    assert base_parameters(model, LoRALinear, HoulsbyAdapter).keys() == plain.keys()
    assert base_state_dict(model, LoRALinear, HoulsbyAdapter).keys() == base().state_dict().keys()
    parameters = base_parameters(model, LoRALinear)
    assert {"adapter.down_weight", "attention.weight"} <= parameters.keys()
    assert parameters["attention.weight"] is model["attention"].weight
    assert base_parameters(LoRALinear(8, 8, rank=2), LoRALinear).keys() == {"weight", "bias"}


def test_an_initialiser_leaves_the_start_of_adapters() -> None:
    model = adapted()
    for part in base_parameters(model, LoRALinear, HoulsbyAdapter).values():
        nn.init.constant_(part, 7.0)
    assert (model["attention"].weight == 7).all() and (model["norm"].bias == 7).all()
    assert (model["attention"].lora_B == 0).all() and model["adapter"].up_weight.abs().max() < 1


def test_a_checkpoint_loads_strictly() -> None:
    state = base().state_dict()
    model = adapted()
    load_base_state_dict(model, state, LoRALinear, HoulsbyAdapter)
    assert torch.equal(model["attention"].weight, state["attention.weight"])
    load_base_state_dict(model, adapted().state_dict(), LoRALinear, HoulsbyAdapter, strict=True)
    assert load_base_state_dict(model, state, LoRALinear, HoulsbyAdapter) == ([], [])
    missing, _ = load_base_state_dict(model, {}, LoRALinear, HoulsbyAdapter, strict=False)
    assert {"attention.weight", "attention.bias", "norm.weight"} <= set(missing) <= set(state)
    with pytest.raises(RuntimeError, match=r"lacks \['attention.bias'\]"):
        less = {name: part for name, part in state.items() if name != "attention.bias"}
        load_base_state_dict(model, less, LoRALinear, HoulsbyAdapter)
    with pytest.raises(RuntimeError, match=r"has \['other'\]"):
        load_base_state_dict(model, state | {"other": torch.ones(1)}, LoRALinear, HoulsbyAdapter)
