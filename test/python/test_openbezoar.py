"""OpenBezoar: stage after stage, each from the merged model of the last."""

import pytest
import torch
from corpus import PYTHON
from torch import nn

OPENBEZOAR = PYTHON["openbezoar"]
SequentialSFTPlan, merge_adapters = OPENBEZOAR["SequentialSFTPlan"], OPENBEZOAR["merge_adapters"]
LoRALinear = PYTHON["lora"]["LoRALinear"]


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Sequential(nn.Linear(8, 3)))


def wrap(module: nn.Module) -> nn.Module:
    for name, child in list(module.named_children()):
        if type(child) is nn.Linear:
            layer = LoRALinear(child.in_features, child.out_features, rank=2)
            layer.load_state_dict(child.state_dict(), strict=False)
            setattr(module, name, layer)
        else:
            wrap(child)
    return module


def test_each_stage_starts_from_the_last() -> None:
    x, outputs = torch.randn(4, 6), []
    base = model()
    start = base(x)

    def train(module: nn.Module) -> None:
        outputs.append(module(x).detach())  # a fresh update: as the merged model before
        assert module.training
        for part in module.parameters():
            if part.requires_grad:
                nn.init.normal_(part, std=0.3)
        outputs.append(module(x).detach())

    plan = SequentialSFTPlan([("lamini", train), ("evol", train), ("orca", train)], wrap)
    result = plan.run(base)
    torch.testing.assert_close(outputs[0], start)
    for trained, following in zip(outputs[1::2], [*outputs[2::2], result(x)], strict=True):
        torch.testing.assert_close(following, trained, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(trained, start, atol=1e-2)
    assert plan.done == ["lamini", "evol", "orca"]
    assert all(type(part) is not LoRALinear for part in result.modules())
    assert set(result.state_dict()) == set(model().state_dict())


def test_goes_on_where_it_stopped() -> None:
    calls: list[str] = []

    def fails(_: nn.Module) -> None:
        calls.append("second")
        if calls.count("second") == 1:
            raise RuntimeError

    stages = [("first", lambda _: calls.append("first")), ("second", fails)]
    plan = SequentialSFTPlan(stages, wrap)
    module = model()
    with pytest.raises(RuntimeError):
        plan.run(module)
    plan.run(merge_adapters(module))
    assert calls == ["first", "second", "second"]


def test_merges_a_layer_by_itself() -> None:
    layer = LoRALinear(4, 4, rank=2)
    nn.init.normal_(layer.lora_B)
    x = torch.randn(3, 4)
    torch.testing.assert_close(merge_adapters(layer)(x), layer(x))


def test_count_on_open_llama_3b() -> None:
    sizes = [(3200, 3200)] * 4 + [(3200, 8640)] * 2 + [(8640, 3200)]
    layers = [LoRALinear(*size, bias=False, device="meta", rank=1) for size in sizes]
    parts = [part for layer in layers for part in layer.parameters() if part.requires_grad]
    assert 26 * sum(part.numel() for part in parts) == 1_589_120


def test_refuses_an_empty_plan() -> None:
    with pytest.raises(ValueError, match="stages must have at least one stage"):
        SequentialSFTPlan([], wrap)
