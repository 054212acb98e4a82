"""Convolutions of PEFT: ours on their tensors gives their numbers."""

from collections.abc import Callable
from typing import Any

import pytest
from corpus import PYTHON
from test_oracle import State, agree, read, state_of
from torch import Tensor


def lora(state: State) -> State:
    return {"lora_A": state["lora_A.weight"], "lora_B": state["lora_B.weight"].flatten(1)}


def dora(state: State) -> State:
    start = state["weight"].flatten(1).norm(dim=1)
    offset = state["lora_magnitude_vector.weight"].flatten() - start
    return lora(state) | {"magnitude_offset": offset}


def core(state: State, name: str) -> Tensor:
    """Of a kernel over one dimension PEFT's has a second one."""
    return state[name].reshape(*state[name].shape[: state["weight"].dim()])


def loha(state: State) -> State:
    cores = {f"loha_T{n}": core(state, f"hada_t{n}") for n in (1, 2) if "hada_t1" in state}
    factors = {
        f"loha_{side}{n}": state[f"hada_w{n}_{side.lower()}"] for n in (1, 2) for side in "AB"
    }
    return cores | factors


def lokr(state: State) -> State:
    cores = {"lokr_T2": core(state, "lokr_t2")} if "lokr_t2" in state else {}
    factors = {"lokr_A2": state["lokr_w2_a"], "lokr_B2": state["lokr_w2_b"]}
    return cores | factors | {"lokr_W1": state["lokr_w1"]}


def ia3(state: State) -> State:
    return {"ia3_scale": state["ia3_l"][0]}


# oracle → class, the layer, hyperparameters, and our parameters from those of the reference
CASES: dict[
    str, tuple[str, tuple[Any, ...], dict[str, Any], dict[str, Any], Callable[[State], State]]
] = {
    "lora-conv-peft": ("LoRAConv2d", (8, 12, 3), {"padding": 1}, {"rank": 4, "alpha": 8}, lora),
    "lora-conv1d-peft": (
        "LoRAConv1d",
        (6, 8, 3),
        {"stride": 2, "padding": 1},
        {"rank": 4, "alpha": 8},
        lora,
    ),
    "lora-conv3d-peft": (
        "LoRAConv3d",
        (4, 6, (1, 3, 2)),
        {"padding": (0, 1, 1)},
        {"rank": 2, "alpha": 8},
        lora,
    ),
    "dora-conv-peft": ("DoRAConv2d", (6, 8, 3), {"padding": 1}, {"rank": 4, "alpha": 8}, dora),
    "loha-conv-peft": (
        "LoHaConv2d",
        (6, 8, 3),
        {"padding": 1, "stride": 2},
        {"rank": 3, "alpha": 6},
        loha,
    ),
    "loha-conv1d-peft": (
        "LoHaConv1d",
        (6, 8, 3),
        {"padding": 1},
        {"rank": 3, "alpha": 6, "use_effective_conv2d": False},
        loha,
    ),
    "lokr-conv-peft": (
        "LoKrConv2d",
        (8, 12, 3),
        {"padding": 1, "groups": 2},
        {"rank": 1, "alpha": 4, "factor": 2},
        lokr,
    ),
    "lokr-conv1d-peft": (
        "LoKrConv1d",
        (8, 12, 3),
        {"padding": 1},
        {"rank": 2, "alpha": 4, "factor": 2, "use_effective_conv2d": False},
        lokr,
    ),
    "ia3-conv-peft": ("IA3Conv2d", (6, 8, 3), {"padding": 1}, {}, ia3),
    "ia3-conv3d-peft": ("IA3Conv3d", (4, 6, 2), {}, {"scale_input": True}, ia3),
}
METHODS = {"lora": "lora-conv"}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_the_convolutions_of_peft(name: str) -> None:
    symbol, sizes, settings, hyperparameters, ours = CASES[name]
    numbers = read(name)
    state = state_of(numbers)
    method = name.partition("-")[0]
    layer = PYTHON[METHODS.get(method, method)][symbol](*sizes, **settings, **hyperparameters)
    plain = {"weight": state["weight"], "bias": state["bias"]}
    layer.load_state_dict(plain | ours(state))
    agree(layer, numbers)
