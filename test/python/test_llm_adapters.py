"""LLM-Adapters: beside, before and after a layer."""

import pytest
import torch
from corpus import PYTHON
from torch import nn

BottleneckLinear = PYTHON["llm-adapters"]["BottleneckLinear"]
SeriesInLinear = PYTHON["llm-adapters"]["SeriesInLinear"]
SeriesOutLinear = PYTHON["llm-adapters"]["SeriesOutLinear"]
apply_llm_adapters = PYTHON["llm-adapters"]["apply_llm_adapters"]
X = torch.randn(3, 6, generator=torch.Generator().manual_seed(1))


def layer(kind: type[nn.Linear], **options: object) -> nn.Linear:
    torch.manual_seed(0)
    made = kind(6, 5, bottleneck=4, scale=0.5, **options)
    made.adapter_up.data.normal_()
    return made


def test_the_three_forms_by_hand() -> None:
    for kind in (BottleneckLinear, SeriesInLinear, SeriesOutLinear):
        module = layer(kind)

        def linear(x: torch.Tensor, module: nn.Linear = module) -> torch.Tensor:
            return x @ module.weight.T + module.bias

        def bottleneck(x: torch.Tensor, module: nn.Linear = module) -> torch.Tensor:
            return 0.5 * torch.tanh(x @ module.adapter_down.T) @ module.adapter_up.T

        expected = {
            BottleneckLinear: lambda: linear(X) + bottleneck(X),
            SeriesInLinear: lambda: linear(X + bottleneck(X)),
            SeriesOutLinear: lambda: linear(X) + bottleneck(linear(X)),
        }[kind]()
        torch.testing.assert_close(module(X), expected)


def test_before_is_beside_with_the_weight_in_the_up_projection() -> None:
    before, beside = layer(SeriesInLinear), layer(BottleneckLinear)
    beside.load_state_dict(
        {
            "weight": before.weight,
            "bias": before.bias,
            "adapter_down": before.adapter_down,
            "adapter_up": before.weight @ before.adapter_up,
        }
    )
    torch.testing.assert_close(beside(X), before(X))


def test_bert_start_is_near_the_base_but_not_it() -> None:
    torch.manual_seed(0)
    module = BottleneckLinear(6, 5, bottleneck=4, init="bert")
    difference = (module(X) - nn.functional.linear(X, module.weight, module.bias)).abs().max()
    assert 0 < difference < 0.05


def test_the_scale_can_learn() -> None:
    module = layer(BottleneckLinear, learn_scale=True)
    module(X).sum().backward()
    assert module.scale.grad is not None and float(module.scale) == 0.5


def test_adapts_the_named_layers_of_a_model() -> None:
    torch.manual_seed(0)
    model = nn.ModuleDict({"up": nn.Linear(6, 8), "down": nn.Linear(8, 6), "head": nn.Linear(6, 2)})
    weight = model["down"].weight
    trained = apply_llm_adapters(
        model, {"up": BottleneckLinear, "down": SeriesOutLinear}, bottleneck=4
    )
    assert isinstance(model["up"], BottleneckLinear)
    assert model["down"].weight is weight and not weight.requires_grad
    assert sum(part.numel() for part in trained) == (6 + 8) * 4 + 2 * 6 * 4
    assert not model["head"].weight.requires_grad
    with pytest.raises(ValueError, match=r"targets must name nn\.Linear layers .*: \['side'\]"):
        apply_llm_adapters(model, {"side": BottleneckLinear})


def test_count_in_llama_7b() -> None:
    """Parallel on up and down projections, bottleneck 256: 247.5M."""
    total = 0
    for size in ((4096, 11008), (11008, 4096)):
        module = BottleneckLinear(*size, False, "meta")
        total += sum(part.numel() for part in module.parameters() if part.requires_grad)
    assert 32 * total == pytest.approx(247.5e6, rel=1e-3)
