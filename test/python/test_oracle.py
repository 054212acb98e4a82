"""Agreement with published implementations, run once elsewhere: `provenance` in oracle/*.json."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn
from torch.nn import functional as F

Numbers = dict[str, Any]
State = dict[str, Tensor]


def tensor(stored: Numbers) -> Tensor:
    return torch.tensor(stored["data"]).reshape(stored["shape"])


def read(name: str) -> Numbers:
    return json.loads((Path(__file__).parent / "oracle" / f"{name}.json").read_text())


def state_of(numbers: Numbers) -> State:
    """The tensors of the reference, without the wrapping of its names."""
    plain = {}
    for key, value in numbers["state"].items():
        key = key.removeprefix("target.").replace("base_layer.", "").replace(".default", "")
        plain[key] = tensor(value)
    return plain


def agree(
    module: nn.Module, numbers: Numbers, run: Callable[[Tensor], Tensor] | None = None
) -> None:
    expected = tensor(numbers["y_perturbed"])
    torch.testing.assert_close((run or module)(tensor(numbers["x"])), expected, rtol=0, atol=1e-5)
    trained = sum(part.numel() for part in module.parameters() if part.requires_grad)
    assert trained == numbers["n_trainable"]
    if "merged" in numbers:
        merged = module.merged()  # type: ignore[operator]
        for name, value in numbers["merged"].items():
            actual = getattr(merged, name)
            torch.testing.assert_close(actual.data, tensor(value), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["lora-peft", "lora-peft-no-bias", "lora-loralib"])
def test_lora(name: str) -> None:
    numbers = read(name)
    state = {key.replace(".weight", "") if "lora" in key else key: value
             for key, value in state_of(numbers).items()}  # fmt: skip
    layer = PYTHON["lora"]["LoRALinear"](16, 24, "bias" in state, rank=4, alpha=8)
    layer.load_state_dict(state)
    agree(layer, numbers)


def test_lora_of_an_embedding() -> None:
    numbers = read("lora-embedding-peft")
    state = state_of(numbers)
    layer = PYTHON["lora-embedding"]["LoRAEmbedding"](20, 16, rank=4, alpha=8)
    layer.load_state_dict(
        {
            "weight": state["weight"],
            "lora_A": state["lora_embedding_A"].T,
            "lora_B": state["lora_embedding_B"],
        }
    )
    agree(layer, numbers)


def test_dora() -> None:
    numbers = read("dora-peft")
    state = state_of(numbers)
    magnitude = state.pop("lora_magnitude_vector.weight")
    layer = PYTHON["dora"]["DoRALinear"](16, 24, rank=4, alpha=8)
    layer.load_state_dict(
        {
            "weight": state["weight"],
            "bias": state["bias"],
            "lora_A": state["lora_A.weight"],
            "lora_B": state["lora_B.weight"],
            "magnitude_offset": magnitude - state["weight"].norm(dim=1),
        }
    )
    agree(layer, numbers)


@pytest.mark.parametrize(
    ("name", "block"), [("bone-peft", "bone_block"), ("miss-peft", "miss_block")]
)
def test_bone(name: str, block: str) -> None:
    numbers = read(name)
    state = state_of(numbers)
    layer = PYTHON["bone"]["BoneLinear"](16, 24, block_size=4)
    layer.load_state_dict({"weight": state["weight"], "bias": state["bias"], "bone": state[block]})
    agree(layer, numbers)


def test_houlsby_of_adapterhub() -> None:
    numbers = read("houlsby-adapters")
    state = state_of(numbers)
    adapter = PYTHON["houlsby"]["HoulsbyAdapter"](32, bottleneck=8, activation="silu")
    adapter.load_state_dict(
        {
            "down_weight": state["adapter_down.0.weight"],
            "down_bias": state["adapter_down.0.bias"],
            "up_weight": state["adapter_up.weight"],
            "up_bias": state["adapter_up.bias"],
        }
    )
    agree(adapter, numbers)


def test_houlsby_of_compacter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their adapter leaves the shortcut to its caller and approximates GELU."""
    monkeypatch.setattr(F, "gelu_new", partial(F.gelu, approximate="tanh"), raising=False)
    numbers = read("houlsby-compacter")
    state = state_of(numbers)
    adapter = PYTHON["houlsby"]["HoulsbyAdapter"](32, bottleneck=8, activation="gelu_new")
    adapter.load_state_dict(
        {
            "down_weight": state["down_sampler.weight"],
            "down_bias": state["down_sampler.bias"],
            "up_weight": state["up_sampler.weight"],
            "up_bias": state["up_sampler.bias"],
        }
    )
    agree(adapter, numbers, lambda x: adapter(x) - x)


def test_compacter_adapter() -> None:
    numbers = read("compacter-adapter")
    state = state_of(numbers)
    adapter = PYTHON["compacter"]["CompacterAdapter"](32, reduction=4)
    rule = state.pop("shared_rule")
    names = {"W_left": "left", "W_right": "right", "b": "bias"}
    loaded = {"down.phm_rule": rule, "up.phm_rule": rule}
    for key, value in state.items():
        side, name = key.split(".")
        loaded[f"{side.removesuffix('_sampler')}.{names[name]}"] = value
    adapter.load_state_dict(loaded)
    agree(adapter, numbers, lambda x: adapter(x) - x)


def test_phm_layer() -> None:
    """Theirs has a factorised rule, so only the forward pass is held against ours."""
    numbers = read("compacter-phm")
    state = state_of(numbers)
    layer = PYTHON["compacter"]["PHMLinear"](32, 24, rank=2)
    rule = state["phm_rule_left"] @ state["phm_rule_right"]
    layer.load_state_dict(
        {
            "phm_rule": rule,
            "left": state["W_left"],
            "right": state["W_right"],
            "bias": state["b"],
        }
    )
    x, expected = tensor(numbers["x"]), tensor(numbers["y_perturbed"])
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-5)


def test_prompt_tuning() -> None:
    """The reference looks its rows up; ours are those rows before the tokens."""
    numbers = read("prompt-tuning-peft")
    prompt = PYTHON["prompt-tuning"]["SoftPrompt"](16, tokens=5)
    prompt.load_state_dict({"prompt": state_of(numbers)["embedding.weight"]})
    expected = tensor(numbers["y"])
    tokens = torch.randn(len(expected), 3, 16)
    assert torch.equal(prompt(tokens), torch.cat([expected, tokens], dim=1))
    assert sum(part.numel() for part in prompt.parameters()) == numbers["n_trainable"]
    assert torch.equal(F.embedding(tensor(numbers["x"]), prompt.prompt), expected)


def test_ia3() -> None:
    numbers = read("ia3-peft")
    state = state_of(numbers)
    layer = PYTHON["ia3"]["IA3Linear"](16, 24)
    layer.load_state_dict(
        {"weight": state["weight"], "bias": state["bias"], "ia3_scale": state["ia3_l"].flatten()}
    )
    agree(layer, numbers)
