"""FedKSeed: directions from seeds, and the training told by numbers alone."""

import copy
import math

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

ZerothOrderSeedOptimizer = PYTHON["fedkseed"]["ZerothOrderSeedOptimizer"]
aggregate_seed_pools = PYTHON["fedkseed"]["aggregate_seed_pools"]
seed_probabilities = PYTHON["fedkseed"]["seed_probabilities"]

X, Y = torch.randn(32, 4), torch.randn(32, 3)


def model() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))


def flat(module: nn.Module) -> Tensor:
    return torch.cat([part.detach().flatten() for part in module.parameters()])


def run(module: nn.Module, steps: int, **options: float) -> ZerothOrderSeedOptimizer:
    chosen = torch.Generator().manual_seed(1)
    options = {"lr": 1e-2, "eps": 1e-3} | options
    optimiser = ZerothOrderSeedOptimizer(
        module.parameters(), range(100, 116), generator=chosen, **options
    )
    for _ in range(steps):
        optimiser.step(lambda: (module(X) - Y).square().mean())
    return optimiser


def test_learns_without_gradients() -> None:
    module = model()
    before = (module(X) - Y).square().mean()
    run(module, 200)
    assert (module(X) - Y).square().mean() < 0.95 * before
    assert all(part.grad is None for part in module.parameters())


def test_replay_repeats_the_training() -> None:
    module = model()
    other = copy.deepcopy(module)
    optimiser = run(module, 60)
    assert not torch.allclose(flat(module), flat(other), atol=1e-3)
    run(other, 0).replay(optimiser.pool)
    torch.testing.assert_close(flat(other), flat(module), rtol=0, atol=1e-5)


def test_returns_to_the_start_but_for_rounding() -> None:
    module = model()
    before = flat(module)
    run(module, 1, lr=0.0)
    torch.testing.assert_close(flat(module), before, rtol=0, atol=1e-6)


def test_follows_the_gradient_on_average() -> None:
    """E[g z] is the gradient: of a quadratic, exactly."""
    weight = nn.Parameter(torch.tensor([1.0, -2.0, 0.5]).double())
    scale = torch.tensor([1.0, 0.5, 2.0]).double()
    start = weight.detach().clone()
    total = torch.zeros(3).double()
    for seed in range(4000):
        optimiser = ZerothOrderSeedOptimizer([weight], [seed], lr=1.0)
        weight.data.copy_(start)
        optimiser.step(lambda: 0.5 * (scale * weight.square()).sum())
        total += start - weight.detach()
    torch.testing.assert_close(total / 4000, scale * start, rtol=0, atol=0.15)


def test_each_step_moves_along_its_seed() -> None:
    module = model()
    before = flat(module)
    optimiser = run(module, 1)
    ((seed, g),) = optimiser.pool.items()
    drawn = torch.Generator().manual_seed(seed)
    z = [torch.randn(part.shape, generator=drawn).flatten() for part in module.parameters()]
    expected = before - 1e-2 * g * torch.cat(z)
    torch.testing.assert_close(flat(module), expected, rtol=0, atol=1e-6)


def test_weight_decay_spares_vectors() -> None:
    weight, bias = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2))
    optimiser = ZerothOrderSeedOptimizer([weight, bias], [3], lr=0.5, weight_decay=0.1)
    optimiser.step(lambda: torch.zeros(()))
    torch.testing.assert_close(weight.data, torch.full((2, 2), 0.95), atol=1e-6, rtol=0)
    torch.testing.assert_close(bias.data, torch.ones(2), atol=1e-6, rtol=0)


@pytest.mark.parametrize("losses", [(math.nan, 1.0), (math.inf, 1.0), (5.0, 1.0)])
def test_skips_what_cannot_be_right(losses: tuple[float, float]) -> None:
    weight = nn.Parameter(torch.ones(3))
    optimiser = ZerothOrderSeedOptimizer([weight], [3], lr=1.0, grad_clip=2.0)
    left = iter(losses)
    assert optimiser.step(lambda: torch.tensor(next(left))) == (3, 0.0)
    torch.testing.assert_close(weight.data, torch.ones(3), atol=1e-6, rtol=0)
    assert optimiser.pool == {} == optimiser.history


def test_aggregation() -> None:
    pools = [{1: 2.0, 2: 4.0}, {2: 8.0}]
    result = aggregate_seed_pools(pools, [1, 3], {1: 10.0})
    assert result == {1: 10.5, 2: 7.0}
    with pytest.raises(ValueError, match="weights must be one for each of 2 pools, got 1"):
        aggregate_seed_pools(pools, [1])


def test_probabilities() -> None:
    history = {1: [4.0, -2.0], 2: [1e9], 4: [0.5, -0.5]}
    found = seed_probabilities(history, [1, 2, 3, 4])
    exponents = torch.tensor([3 / 1000, 1.0, 0.0, 0.5 / 1000]).exp()
    torch.testing.assert_close(found, exponents / exponents.sum())
    assert seed_probabilities({}, [1, 2]).tolist() == [0.5, 0.5]
