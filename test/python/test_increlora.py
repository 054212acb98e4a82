"""IncreLoRA: components, reserve, and who grows."""

import copy

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

IncreLoRALinear = PYTHON["increlora"]["IncreLoRALinear"]
RankGrower = PYTHON["increlora"]["RankGrower"]
orthogonal_penalty = PYTHON["increlora"]["orthogonal_penalty"]


def layer(rank: int = 2) -> nn.Linear:
    torch.manual_seed(0)
    made = IncreLoRALinear(8, 6, initial_rank=rank).double()
    for e in made.lora_E:
        e.data.normal_()
    return made


def trained(module: nn.Module) -> int:
    return sum(part.numel() for part in module.parameters() if part.requires_grad)


def test_update_is_the_sum_of_its_components() -> None:
    module = layer(3)
    parts = zip(module.lora_B, module.lora_E, module.lora_A, strict=True)
    expected = 32 / 3 * sum(e * b @ a for b, e, a in parts)
    torch.testing.assert_close(module.update(), expected, rtol=1e-4, atol=0)


def test_reserve_hardly_counts_and_learns_ahead() -> None:
    module = layer(1)
    before = module.update()
    new = module.add_reserve(2)
    assert len(new) == 4 and int(module.rank) == 1
    assert (module.update() - before).norm() < 1e-3 * before.norm()
    module(torch.randn(2, 8).double()).sum().backward()
    assert all(part.grad is not None and part.grad.abs().max() > 0 for part in new)
    assert module.lora_E[1].grad is None


def test_activation_rescales_what_was_learned() -> None:
    module = layer(1)
    module.add_reserve()
    module.lora_E[1].data.zero_()
    before = module.update()
    (e,) = module.activate()
    assert e.requires_grad and int(module.rank) == 2
    torch.testing.assert_close(module.update(), before / 2, rtol=1e-4, atol=0)


def test_sensitivity_by_hand() -> None:
    module = layer().train()
    x, upstream = torch.randn(4, 8).double(), torch.randn(4, 6).double()
    module(x).backward(upstream)
    expected = (module.update() * (upstream.T @ x)).abs().sum() / 48**0.5
    assert float(module.sensitivity) == pytest.approx(float(expected), rel=1e-5)


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(IncreLoRALinear(8, 8), nn.Tanh(), IncreLoRALinear(8, 8), nn.Tanh())


def train(net: nn.Sequential, steps: int, **options: object) -> object:
    optimiser = torch.optim.AdamW((part for part in net.parameters() if part.requires_grad), 1e-2)
    grower = RankGrower(net, optimiser, **options)
    totals = []
    for _ in range(steps):
        optimiser.zero_grad()
        (net(torch.randn(16, 8)) - 1).square().mean().backward()
        optimiser.step()
        grower.step()
        totals.append(grower.total())
        owned = [part for group in optimiser.param_groups for part in group["params"]]
        assert len(owned) == len({id(part) for part in owned})
        assert {id(part) for part in net.parameters() if part.requires_grad} == {
            id(part) for part in owned
        }
    assert totals == sorted(totals)
    return grower


def test_grows_to_the_target_and_no_further() -> None:
    net = model()
    options = {"average_rank": 3, "top": 2, "warmup": 4, "interval": 2, "growth": 3}
    grower = train(net, 12, **options)
    assert grower.total() == 6  # two layers of average rank 3
    assert trained(net) == 6 * (8 + 8 + 1)
    assert all(len(part.lora_A) == int(part.rank) for part in (net[0], net[2]))


def test_the_layer_that_matters_grows() -> None:
    net = model()
    optimiser = torch.optim.SGD((part for part in net.parameters() if part.requires_grad), 0.0)
    grower = RankGrower(net, optimiser, top=1, warmup=1, interval=1)
    net[0].sensitivity, net[2].sensitivity = torch.tensor(0.1), torch.tensor(2.0)
    grower.step()
    assert grower.smoothed == pytest.approx([0.015, 0.3])
    assert grower.uncertainty == pytest.approx([0.15 * 0.085, 0.15 * 1.7])
    assert (int(net[0].rank), int(net[2].rank)) == (1, 2)


def test_new_components_warm_up() -> None:
    net = model()
    optimiser = torch.optim.SGD((part for part in net.parameters() if part.requires_grad), 0.5)
    grower = RankGrower(net, optimiser, warmup=4, interval=9)
    rates = []
    for _ in range(4):
        grower.step()
        rates.append(optimiser.param_groups[1]["lr"])
    assert rates == pytest.approx([0.25, 0.375, 0.5, 0.5])


def test_a_grown_checkpoint_loads_into_a_new_model() -> None:
    net = model()
    train(net, 5, average_rank=4, warmup=2, interval=2)
    fresh = model()
    fresh.load_state_dict(copy.deepcopy(net.state_dict()))
    x = torch.randn(3, 8)
    assert torch.equal(fresh.eval()(x), net.eval()(x))
    assert trained(fresh) == trained(net)
    assert torch.equal(copy.deepcopy(net)(x), net(x))


def test_orthogonal_penalty() -> None:
    module = layer(2)
    with torch.no_grad():
        for index in range(2):
            module.lora_A[index].zero_()[0, index] = 1
            module.lora_B[index].zero_()[index, 0] = 1
    assert float(orthogonal_penalty(module)) == 0
    with torch.no_grad():
        module.lora_A[1].copy_(module.lora_A[0])  # A A' - 1 has two ones
    expected: Tensor = 0.1 * torch.tensor([2**0.5, 0.0]).mean()
    assert float(orthogonal_penalty(module)) == pytest.approx(float(expected))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="model has no IncreLoRALinear"):
        RankGrower(nn.Linear(2, 2), torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.1))
    with pytest.raises(ValueError, match="optimizer does not train"):
        RankGrower(layer(1), torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.1))
    with pytest.raises(ValueError, match="model has no IncreLoRALinear"):
        orthogonal_penalty(nn.Linear(2, 2))
