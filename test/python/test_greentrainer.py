"""GreenTrainer: importance by a real step, and the best choice within a budget."""

import copy
import itertools
import random

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

names = PYTHON["greentrainer"]
tensor_importance, select_tensors = names["tensor_importance"], names["select_tensors"]
backward_costs, GreenSelector = names["backward_costs"], names["GreenSelector"]


def cost_of(chosen: tuple[bool, ...] | list[bool], t_dy: list[int], t_dw: list[int]) -> int:
    first = chosen.index(True) if True in chosen else len(chosen)
    return sum(itertools.compress(t_dw, chosen)) + sum(t_dy[first:])


@pytest.mark.parametrize("seed", range(40))
def test_as_good_as_trying_all(seed: int) -> None:
    """Whole costs that sum up to the resolution, so that nothing is rounded."""
    draw = random.Random(seed)
    t_dy, t_dw = ([draw.randint(0, 9) for _ in range(6)] for _ in range(2))
    importance = [draw.uniform(-0.3, 1) for _ in range(6)]
    total = max(1, sum(t_dy) + sum(t_dw))
    budget = draw.randint(0, total - 1)
    chosen = select_tensors(t_dy, t_dw, importance, (budget + 0.5) / total, total)
    reachable = [
        sum(itertools.compress(importance, choice))
        for choice in itertools.product([False, True], repeat=6)
        if cost_of(choice, t_dy, t_dw) <= budget
    ]
    assert cost_of(chosen, t_dy, t_dw) <= budget or not any(chosen)
    assert sum(itertools.compress(importance, chosen)) == pytest.approx(max(0, *reachable, 0))
    assert all(value > 0 for value in itertools.compress(importance, chosen))


def test_everything_positive_at_full_cost() -> None:
    assert select_tensors([1, 1, 1], [1, 1, 1], [0.5, -0.5, 0.1], 1.0) == [True, False, True]
    with pytest.raises(ValueError, match="importance must have one entry"):
        select_tensors([1], [1, 1], [1, 1], 0.5)


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 3))


X, Y = (torch.randn(16, size, generator=torch.Generator().manual_seed(size)) for size in (6, 3))


def test_importance_by_hand_and_all_put_back() -> None:
    net = model()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

    def loss_fn() -> Tensor:
        return (net(X) - Y).square().mean()

    loss_fn().backward()
    optimiser.step()  # so that there is momentum to put back
    kept = copy.deepcopy((net.state_dict(), optimiser.state_dict()))
    scores = tensor_importance(net, optimiser, loss_fn)
    assert all(torch.equal(kept[0][name], part) for name, part in net.state_dict().items())
    momenta = [state["momentum_buffer"] for state in kept[1]["state"].values()]
    for old, part in zip(momenta, net.parameters(), strict=True):
        assert torch.equal(optimiser.state[part]["momentum_buffer"], old)
    twin = copy.deepcopy(net)
    other = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9)
    other.load_state_dict(kept[1])
    before = [part.detach().clone() for part in twin.parameters()]
    for step in range(2):
        other.zero_grad()
        (twin(X) - Y).square().mean().backward()
        if step == 0:
            other.step()
    expected = [
        -float((part.grad * (part - old)).sum())
        for part, old in zip(twin.parameters(), before, strict=True)
    ]
    largest = max(map(abs, expected))
    assert list(scores.values()) == pytest.approx([value / largest for value in expected])
    assert all(part.grad is None for part in net.parameters())


def test_costs() -> None:
    net = model()
    costs = backward_costs(net, lambda: net(X).sum())
    assert list(costs) == [name for name, _ in net.named_parameters()]
    assert costs["0.weight"] == (2 * 16 * 48, 2 * 16 * 48)
    assert costs["0.bias"] == (0, 16 * 8)
    assert costs["1.weight"] == (16 * 8, 16 * 8)
    conv = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1))
    costs = backward_costs(conv, lambda: conv(torch.randn(5, 2, 6, 6)).sum())
    assert costs["0.weight"] == (2 * 5 * 36 * 72, 2 * 5 * 36 * 72)


@pytest.mark.parametrize("rho", [0.4, 0.6, 0.8])
def test_trains_within_the_budget(rho: float) -> None:
    net = model()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2, weight_decay=0.1)

    def loss_fn() -> Tensor:
        return (net(X) - Y).square().mean()

    selector = GreenSelector(net, optimiser, loss_fn, rho=rho)
    for _ in range(2):
        selected = selector.apply()
        costs = backward_costs(net, loss_fn)
        t_dy, t_dw = ([cost[side] for cost in costs.values()] for side in (0, 1))
        chosen = [name in selected for name in costs]
        limit = selector.backward_share(t_dy, t_dw) * (sum(t_dy) + sum(t_dw))
        assert cost_of(chosen, t_dy, t_dw) <= limit * 1.01
        assert 0 < len(selected) < 6
        before = {name: part.clone() for name, part in net.named_parameters()}
        loss_fn().backward()
        optimiser.step()
        moved = [name for name, part in net.named_parameters() if not part.equal(before[name])]
        assert moved == selected


def test_share_of_the_backward_pass() -> None:
    selector = GreenSelector(model(), torch.optim.SGD(model().parameters(), 0.1), torch.Tensor)
    assert selector.backward_share([1, 1], [1, 1]) == pytest.approx(0.5 * 1.5 - 0.5)
    selector.rho = 0.3
    assert selector.backward_share([1, 1], [1, 1]) == 0.05
    with pytest.raises(ValueError, match="rho must be above 0"):
        GreenSelector(model(), selector.optimizer, torch.Tensor, rho=0.0)


def test_selects_again_at_each_interval() -> None:
    net = model()
    selector = GreenSelector(net, torch.optim.SGD(net.parameters(), 0.1), interval=3)
    asked: list[int] = []

    def loss_at(step: int) -> Tensor:
        asked.append(step)
        return (net(X) - Y).square().mean()

    for step in range(7):
        selector.on_step_begin(lambda step=step: loss_at(step))
    assert set(asked) == {0, 3, 6}
    with pytest.raises(ValueError, match="interval must be at least 1"):
        GreenSelector(net, selector.optimizer, interval=0)
    with pytest.raises(ValueError, match="loss_fn must be given"):
        GreenSelector(net, selector.optimizer).apply()
