"""TSLAM-Mini: QLoRA in plain PyTorch, and the settings it was trained with."""

import copy

import pytest
import torch
from corpus import PYTHON
from torch import nn

TSLAM = PYTHON["tslam-mini"]
NF4Linear, quantize_linears = TSLAM["NF4Linear"], TSLAM["quantize_linears"]


def pair(bias: bool = True) -> tuple[nn.Linear, nn.Module]:
    linear = nn.Linear(96, 80, bias)
    return linear, NF4Linear(linear, rank=4)


@pytest.mark.parametrize("bias", [True, False])
def test_starts_as_the_quantised_layer(bias: bool) -> None:
    linear, module = pair(bias)
    x = torch.randn(2, 3, 96)
    torch.testing.assert_close(
        module(x), nn.functional.linear(x, module.dequantized(), linear.bias)
    )
    error = (module.dequantized() - linear.weight).norm() / linear.weight.norm()
    assert 0.03 < error < 0.15


def test_double_quantisation_loses_little() -> None:
    linear, module = pair()
    codes, largest = TSLAM["quantize_nf4"](linear.weight)
    once = TSLAM["dequantize_nf4"](codes, largest, (80, 96))
    change = (module.dequantized() - once).norm() / once.norm()
    assert 0 < change < 0.01


def test_takes_about_four_bits_a_weight() -> None:
    module = NF4Linear(nn.Linear(512, 512, bias=False), rank=1)
    stored = sum(part.numel() * part.element_size() for part in module.buffers())
    assert stored * 8 / 512**2 == pytest.approx(4.13, abs=0.02)  # 4 + 8 / 64 + 32 / (64 * 256)


def test_trains_the_update_alone() -> None:
    _, module = pair()
    assert {name for name, _ in module.named_parameters()} == {"lora_A", "lora_B"}
    assert sum(part.numel() for part in module.parameters()) == 4 * (96 + 80)
    before = module.dequantized()
    x = torch.randn(6, 96, requires_grad=True)
    optimiser = torch.optim.SGD(module.parameters(), lr=1e-2)
    output = module(x)
    output.square().sum().backward()
    optimiser.step()
    torch.testing.assert_close(x.grad, 2 * output.detach() @ before, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(module(x), output)
    assert torch.equal(module.dequantized(), before)


def test_merged_and_stored() -> None:
    _, module = pair()
    nn.init.normal_(module.lora_B)
    x = torch.randn(5, 96)
    torch.testing.assert_close(module.merged()(x), module(x), rtol=1e-4, atol=1e-4)
    assert type(module.merged()) is nn.Linear
    other = NF4Linear(nn.Linear(96, 80), rank=4)
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(x), module(x)) and torch.equal(copy.deepcopy(module)(x), module(x))
    half = module.bfloat16()
    assert half(x.bfloat16()).dtype == torch.bfloat16


def test_puts_a_model_into_four_bits() -> None:
    model = nn.ModuleDict(
        {"q_proj": nn.Linear(64, 64), "block": nn.ModuleDict({"o_proj": nn.Linear(64, 32)})}
    )
    model["head"] = nn.Linear(32, 8)
    trained = quantize_linears(model, "q_proj", "o_proj", rank=2)
    assert sum(part.numel() for part in trained) == 2 * (128 + 96)
    assert {part for part in model.parameters() if part.requires_grad} == set(trained)
    assert type(model["head"]) is nn.Linear
    with pytest.raises(ValueError, match="names must be of linear layers"):
        quantize_linears(model, "v_proj")


def test_recipe() -> None:
    recipe = TSLAM["tslam_mini_recipe"]()
    lora, training = recipe["LoraConfig"], recipe["TrainingArguments"]
    assert (lora["r"], lora["lora_alpha"], training["learning_rate"]) == (16, 32, 2e-5)
    batch = training["per_device_train_batch_size"] * training["gradient_accumulation_steps"]
    assert batch == 32 and recipe["BitsAndBytesConfig"]["bnb_4bit_quant_type"] == "nf4"
    sizes = {
        "qkv_proj": (3072, 5120),
        "o_proj": (3072, 3072),
        "gate_up_proj": (3072, 2 * 8192),
        "down_proj": (8192, 3072),
    }
    assert set(sizes) == set(lora["target_modules"])
    assert 32 * lora["r"] * sum(map(sum, sizes.values())) == 23_068_672


def test_refuses_impossible_ranks() -> None:
    with pytest.raises(ValueError, match="rank must be between 1 and 80, got 81"):
        NF4Linear(nn.Linear(96, 80), rank=81)
