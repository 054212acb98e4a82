"""SpIEL: scattered changes, and how their places move."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

SparseDeltaLinear = PYTHON["spiel"]["SparseDeltaLinear"]
SparseReselector = PYTHON["spiel"]["SparseReselector"]


def layer(density: float = 0.2) -> nn.Linear:
    torch.manual_seed(0)
    return SparseDeltaLinear(8, 5, density=density)


def test_equals_the_dense_change() -> None:
    module = layer()
    module.values.data.normal_()
    dense = torch.zeros(40)
    for index, value in zip(module.indices.tolist(), module.values.tolist(), strict=True):
        dense[index] += value
    x = torch.randn(3, 8)
    expected = x @ (module.weight + dense.view(5, 8)).T + module.bias
    torch.testing.assert_close(module(x), expected)
    assert len(set(module.indices.tolist())) == 8


def test_gradient_is_that_of_the_weight_at_the_indices() -> None:
    module = layer()
    x, upstream = torch.randn(3, 8), torch.randn(3, 5)
    module(x).backward(upstream)
    expected = (upstream.T @ x).flatten()[module.indices]
    torch.testing.assert_close(module.values.grad, expected)


def run(module: nn.Linear, steps: int, **options: object) -> tuple[object, torch.optim.AdamW]:
    optimiser = torch.optim.AdamW([module.values], lr=1e-2)
    reselector = SparseReselector(module, optimiser, **options)
    for _ in range(steps):
        optimiser.zero_grad()
        (module(torch.randn(16, 8)) - 1).square().mean().backward()
        optimiser.step()
        reselector.step()
        assert len(set(module.indices.tolist())) == len(module.values) == 8
    return reselector, optimiser


def test_first_move_takes_the_largest_gradients() -> None:
    module = layer()
    optimiser = torch.optim.SGD([module.values], lr=0.0)
    reselector = SparseReselector(module, optimiser, interval=3, accumulation=2)
    gradients: list[Tensor] = []
    old = module.indices.clone()
    for _ in range(3):
        x, upstream = torch.randn(4, 8), torch.randn(4, 5)
        module.values.data.fill_(1.0)
        module(x).backward(upstream)
        gradients.append((upstream.T @ x).flatten())
        optimiser.step()
        assert torch.equal(module.indices, old)
        reselector.step()
    candidates = gradients[1].abs().topk(8).indices
    # at the first move every index may go, so the candidates take all places
    assert set(module.indices.tolist()) == set(candidates.tolist())
    moved = module.indices != old
    assert torch.equal(module.values == 0, moved)
    assert module.candidates is None


def test_drops_the_smallest_changes() -> None:
    module = layer()
    optimiser = torch.optim.SGD([module.values], lr=0.0)
    reselector = SparseReselector(
        module, optimiser, interval=1, accumulation=1, initial_share=0.5, schedule="cosine"
    )
    module.values.data.copy_(torch.tensor([8.0, -1.0, 7.0, 2.0, -6.0, 3.0, 5.0, 4.0]))
    before = module.indices.clone()
    kept = [0, 2, 4, 6, 7]  # p is a little under one half: three of eight may go
    module(torch.randn(4, 8)).square().sum().backward()
    reselector.step()
    assert torch.equal(module.indices[kept], before[kept])
    assert (module.values == 0).sum() <= 3
    assert torch.equal(module.values[kept], torch.tensor([8.0, 7.0, -6.0, 5.0, 4.0]))


def test_growth_leaves_the_function() -> None:
    """Only dropping changes the output: with a change of zero, moving does not."""
    module = layer()
    reselector = SparseReselector(
        module, torch.optim.SGD([module.values], 0.0), interval=1, accumulation=1
    )
    x = torch.randn(4, 8)
    before, old = module(x), module.indices.clone()
    module(x).square().sum().backward()
    reselector.step()
    assert not torch.equal(module.indices, old)
    assert torch.equal(module(x), before)


def test_moments_of_new_values() -> None:
    """Adam's first step for a new value sees the mean of the window."""
    module = layer()
    optimiser = torch.optim.Adam([module.values], lr=1e-2)
    reselector = SparseReselector(module, optimiser, interval=2, accumulation=1)
    windows: list[Tensor] = []
    for _ in range(2):
        optimiser.zero_grad()
        x, upstream = torch.randn(4, 8), torch.randn(4, 5)
        module(x).backward(upstream)
        windows.append((upstream.T @ x).flatten())
        optimiser.step()
        old = module.indices.clone()
        reselector.step()
    moved = module.indices != old
    state = optimiser.state[module.values]
    seen = windows[1][module.indices][moved]
    assert moved.any()
    torch.testing.assert_close(state["exp_avg"][moved], (1 - 0.9**2) * seen)
    torch.testing.assert_close(state["exp_avg_sq"][moved], (1 - 0.999**2) * seen.square())


def test_schedule() -> None:
    reselector, _ = run(layer(), 4, total_steps=10, interval=2, accumulation=2)
    assert reselector.share() == pytest.approx(0.2 * 0.6)
    reselector.steps = 2
    assert reselector.share() == 1.0
    reselector.steps = 10
    assert reselector.share() == 0.0
    reselector.schedule, reselector.steps = "cosine", 5
    assert reselector.share() == pytest.approx(0.1)


def test_refusals() -> None:
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.1)
    with pytest.raises(ValueError, match="model has no SparseDeltaLinear"):
        SparseReselector(nn.Linear(2, 2), optimiser)
    with pytest.raises(ValueError, match="accumulation must be between 1 and 20"):
        SparseReselector(layer(), optimiser, accumulation=21)


def test_active_and_missing_candidates() -> None:
    """Of two candidates one is active and stays as it is, so one index moves and not four."""
    module = layer()
    reselector = SparseReselector(
        module, torch.optim.SGD([module.values], 0.0), initial_share=0.5, schedule="cosine"
    )
    module.indices.copy_(torch.arange(8))
    module.values.data.copy_(torch.arange(8.0, 0.0, -1.0))
    module.candidates, module.samples = torch.tensor([0, 20]), 1
    module.gradient_sum, module.square_sum = torch.tensor([9.0, 1.0]), torch.ones(2)
    reselector.move(module)
    assert module.indices.tolist() == [0, 1, 2, 3, 4, 5, 6, 20]
    assert module.values.tolist() == [8, 7, 6, 5, 4, 3, 2, 0]
