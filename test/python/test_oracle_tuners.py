"""The tuners of PEFT and LyCORIS: ours on their tensors gives their numbers."""

from typing import Any

import pytest
import torch
from corpus import PYTHON
from test_oracle import agree, read, state_of, tensor
from torch import Tensor, nn

# oracle → method, class, its arguments, and its parameters by the names of the reference
CASES: dict[str, tuple[str, str, dict[str, Any], dict[str, str]]] = {
    "vera-peft": (
        "vera",
        "VeRALinear",
        {"rank": 8},
        {
            "lambda_b": "vera_lambda_b",
            "lambda_d": "vera_lambda_d",
            "random_a": "vera_A",
            "random_b": "vera_B",
        },
    ),
    "hra-peft": ("hra", "HRALinear", {"rank": 4}, {"hra_u": ""}),
    "loha-peft": (
        "loha",
        "LoHaLinear",
        {"rank": 4, "alpha": 8},
        {f"loha_{side}{n}": f"hada_w{n}_{side.lower()}" for n in (1, 2) for side in "AB"},
    ),
    "loha-lycoris": (
        "loha",
        "LoHaLinear",
        {"rank": 4, "alpha": 8},
        {f"loha_{side}{n}": f"hada_w{n}_{side.lower()}" for n in (1, 2) for side in "AB"},
    ),
    "lokr-peft": (
        "lokr",
        "LoKrLinear",
        {"rank": 2, "alpha": 4, "factor": 4},
        {"lokr_W1": "lokr_w1", "lokr_A2": "lokr_w2_a", "lokr_B2": "lokr_w2_b"},
    ),
    "lokr-lycoris": (
        "lokr",
        "LoKrLinear",
        {"rank": 2, "alpha": 4, "factor": 4},
        {"lokr_W1": "lokr_w1", "lokr_A2": "lokr_w2_a", "lokr_B2": "lokr_w2_b"},
    ),
    "vblora-peft": (
        "vblora",
        "VBLoRALinear",
        {"rank": 4, "num_vectors": 16, "vector_length": 8, "topk": 2},
        {
            "vector_bank": "vblora_vector_bank",
            "logits_A": "vblora_logits_A",
            "logits_B": "vblora_logits_B",
        },
    ),
    "fourierft-peft": (
        "fourierft",
        "FourierFTLinear",
        {"n_frequency": 50},
        {"spectrum": "fourierft_spectrum"},
    ),
    "c3a-peft": ("c3a", "C3ALinear", {"block_size": 8}, {"c3a_kernel": ""}),
    "shira-peft": (
        "shira",
        "SHiRALinear",
        {"rank": 2, "seed": 1},
        {"shira_values": "shira_weight"},
    ),
    "randlora-peft": (
        "randlora",
        "RandLoRALinear",
        {"rank": 4, "alpha": 8},
        {
            "random_a": "randlora_A",
            "random_b": "randlora_B",
            "randlora_lambda": "",
            "randlora_gamma": "",
        },
    ),
    "delora-peft": (
        "delora",
        "DeLoRALinear",
        {"rank": 4},
        {f"delora_{name}": "" for name in ("A", "B", "lambda")},
    ),
    "gralora-peft": (
        "gralora",
        "GraLoRALinear",
        {"rank": 4, "alpha": 8, "blocks": 2},
        {"gralora_A": "", "gralora_B": ""},
    ),
}


def base_of(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name: state[f"org.{name}"] if f"org.{name}" in state else state[name]
        for name in ("weight", "bias")
    }


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_the_published_implementation(name: str) -> None:
    method, symbol, arguments, names = CASES[name]
    numbers = read(name)
    state = state_of(numbers)
    layer: nn.Module = PYTHON[method][symbol](16, 24, **arguments)
    loaded = base_of(state) | {ours: state[theirs or ours] for ours, theirs in names.items()}
    found = layer.load_state_dict(loaded, strict=False)
    assert found.unexpected_keys == []
    assert set(found.missing_keys) <= {"positions"}  # drawn from the seed
    agree(layer, numbers)


def test_vera_draws_the_factors_of_peft() -> None:
    state = state_of(read("vera-peft"))
    a, b = PYTHON["vera"]["vera_factors"](torch.empty(0), 8, 16, 24)
    torch.testing.assert_close(a, state["vera_A"], rtol=0, atol=1e-6)
    torch.testing.assert_close(b, state["vera_B"], rtol=0, atol=1e-6)


def test_road() -> None:
    """PEFT holds the factor itself, in groups of eight outputs with four pairs each."""
    numbers = read("road-peft")
    state = state_of(numbers)
    layer = PYTHON["road"]["RoAdLinear"](16, 24, group_size=8)
    own = {
        "road_theta": state["road_theta"].reshape(3, 1, 4),
        "road_alpha_offset": state["road_alpha"].reshape(3, 1, 4) - 1,
    }
    layer.load_state_dict(base_of(state) | own)
    agree(layer, numbers)


def test_boft() -> None:
    numbers = read("boft-peft")
    state = state_of(numbers)
    layer = PYTHON["boft"]["BOFTLinear"](16, 24, block_size=4)
    own = {"boft_r": state["boft_R"], "boft_scale_offset": state["boft_s"].flatten() - 1}
    layer.load_state_dict(base_of(state) | own, strict=False)
    agree(layer, numbers)


def test_oft() -> None:
    """The reference of 0.15 has redundant blocks and a scale on the output, which ours has not."""
    numbers = read("oft-peft")
    state = state_of(numbers)
    layer = PYTHON["oft"]["OFTLinear"](16, 24, block_size=4)
    skew = (state["oft_r"] - state["oft_r"].transpose(1, 2)) / 2  # (n, b, b)
    rows, columns = torch.triu_indices(4, 4, 1)
    layer.load_state_dict(base_of(state) | {"oft_q": skew[:, rows, columns]})
    scale = state["oft_s"].flatten()
    y = layer(tensor(numbers["x"]))
    scaled = (y - layer.bias) * scale + layer.bias
    torch.testing.assert_close(scaled, tensor(numbers["y_perturbed"]), rtol=0, atol=1e-5)
    merged = scale[:, None] * layer.merged().weight
    torch.testing.assert_close(merged, tensor(numbers["merged"]["weight"]), rtol=0, atol=1e-5)
