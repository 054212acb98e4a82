"""DiffoRA: gates, the search, and the rounding."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

GatedLoRALinear = PYTHON["diffora"]["GatedLoRALinear"]
DifferentialModuleSearch = PYTHON["diffora"]["DifferentialModuleSearch"]
discretize_ = PYTHON["diffora"]["discretize_"]


def model(layers: int = 4) -> nn.Sequential:
    torch.manual_seed(0)
    net = nn.Sequential(*(GatedLoRALinear(6, 6, rank=2) for _ in range(layers)))
    for layer in net:
        layer.lora_B.data.normal_()
    return net


def loss_fn(net: nn.Module, x: Tensor) -> Tensor:
    return net(x).square().mean()


def test_the_update_is_linear_in_the_gate() -> None:
    (layer,) = model(1)
    x = torch.randn(3, 6)
    base = x @ layer.weight.T + layer.bias
    half = layer(x) - base
    layer.gate.data.fill_(torch.inf)
    torch.testing.assert_close(layer(x) - base, 2 * half, rtol=1e-4, atol=1e-5)
    layer.gate.data.fill_(-torch.inf)
    torch.testing.assert_close(layer(x), base)


def test_each_batch_moves_its_own_parameters() -> None:
    net = model()
    gates = [layer.gate for layer in net]
    weights = [part for layer in net for part in (layer.lora_A, layer.lora_B)]
    stuck = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.1)
    for moved, kept, optimisers in (
        (weights, gates, (torch.optim.SGD(weights, 0.1), stuck)),
        (gates, weights, (stuck, torch.optim.SGD(gates, 0.1))),
    ):
        before = [part.clone() for part in (*moved, *kept)]
        search = DifferentialModuleSearch(net, loss_fn, *optimisers)
        search.step(torch.randn(8, 6), torch.randn(8, 6))
        after = [
            not torch.equal(part, old) for part, old in zip((*moved, *kept), before, strict=True)
        ]
        assert after == [True] * len(moved) + [False] * len(kept)
        assert all(part.grad is None for part in net.parameters())


def test_gates_follow_the_held_out_loss() -> None:
    """A layer whose update hurts held-out data closes its gate."""
    (layer,) = net = model(1)
    layer.weight.data.zero_()
    layer.bias.data.zero_()
    optimisers = (torch.optim.SGD([layer.lora_A], 0.0), torch.optim.SGD([layer.gate], 1.0))
    search = DifferentialModuleSearch(net, loss_fn, *optimisers)
    losses = [search.step(torch.randn(8, 6), torch.ones(8, 6))[1] for _ in range(5)]
    assert float(layer.gate) < 0
    assert losses[-1] < losses[0]


def test_discretize_keeps_the_largest_gates() -> None:
    net = model()
    for layer, value in zip(net, (0.3, -1.0, 2.0, 0.1), strict=True):
        layer.gate.data.fill_(value)
    assert discretize_(net, 0.5) == ["0", "2"]
    assert [float(layer.gate.sigmoid()) for layer in net] == [1, 0, 1, 0]
    x = torch.randn(3, 6)
    assert torch.equal(net[1](x), nn.functional.linear(x, net[1].weight, net[1].bias))
    trained = {name for name, part in net.named_parameters() if part.requires_grad}
    assert trained == {"0.lora_A", "0.lora_B", "2.lora_A", "2.lora_B"}
    net(x).sum().backward()
    assert all(torch.isfinite(part.grad).all() for part in net.parameters() if part.requires_grad)


@pytest.mark.parametrize(("ratio", "count"), [(0.0, 0), (0.3, 1), (0.99, 3), (1.0, 4)])
def test_how_many_are_kept(ratio: float, count: int) -> None:
    assert len(discretize_(model(), ratio)) == count


def test_refusals() -> None:
    with pytest.raises(ValueError, match="keep_ratio must be between 0 and 1"):
        discretize_(model(), 1.5)
    with pytest.raises(ValueError, match="model has no GatedLoRALinear"):
        discretize_(nn.Linear(2, 2))
