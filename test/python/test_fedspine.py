"""FedSpine: pruning whole structures, averaging across ranks, choosing by trial."""

import math

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

LoRALinear = PYTHON["lora"]["LoRALinear"]
FEDSPINE = PYTHON["fedspine"]
aggregate_hetero_lora = FEDSPINE["aggregate_hetero_lora"]
UCBBandit = FEDSPINE["UCBBandit"]


def layer(in_features: int, out_features: int, rank: int = 2) -> nn.Linear:
    module = LoRALinear(in_features, out_features, rank=rank, alpha=8.0)
    nn.init.normal_(module.lora_B)
    return module


def test_pruned_channels_are_as_channels_at_zero() -> None:
    up, gate, down = layer(6, 10), layer(6, 10), layer(10, 6)
    x, keep = torch.randn(4, 6), torch.tensor([0, 3, 4, 9])
    alive = torch.zeros(10).index_fill(0, keep, 1.0)
    hidden = nn.functional.silu(gate(x)) * up(x) * alive
    expected = down(hidden)
    FEDSPINE["prune_ffn_"](up, gate, down, keep)
    torch.testing.assert_close(down(nn.functional.silu(gate(x)) * up(x)), expected)
    trained = sum(part.numel() for part in up.parameters() if part.requires_grad)
    assert trained == 2 * (6 + 4) and not up.weight.requires_grad
    assert (up.out_features, down.in_features) == (4, 4)


def attend(layers: list[nn.Linear], x: Tensor, alive: Tensor | None = None) -> Tensor:
    """Attention with grouped queries and heads of size 4; `alive` has a number for each head."""
    q, k, v = (part(x).unflatten(-1, (-1, 4)).transpose(0, 1) for part in layers[:3])
    k, v = (part.repeat_interleave(len(q) // len(k), 0) for part in (k, v))
    out = (q @ k.mT / 2).softmax(-1) @ v  # (H, T, 4)
    if alive is not None:
        out = out * alive[:, None, None]
    return layers[3](out.transpose(0, 1).flatten(1))


@pytest.mark.parametrize("group", [1, 2])
def test_pruned_heads_are_as_heads_at_zero(group: int) -> None:
    layers = [layer(8, 12 * group), layer(8, 12), layer(8, 12), layer(12 * group, 8)]
    x, keep = torch.randn(5, 8), torch.tensor([0, 2])
    alive = torch.tensor([1.0, 0.0, 1.0]).repeat_interleave(group)
    expected = attend(layers, x, alive)
    FEDSPINE["prune_heads_"](*layers, keep, head_dim=4)
    torch.testing.assert_close(attend(layers, x), expected)
    assert layers[0].out_features == 8 * group == layers[3].in_features


def test_importance_needs_no_gradient_of_the_weight() -> None:
    module = layer(5, 4, rank=3)
    x, upstream = torch.randn(7, 5), torch.randn(7, 4)
    module(x).backward(upstream)
    assert module.weight.grad is None
    full = upstream.T @ x  # of the dense weight
    scale, A, B = module.scale, module.lora_A, module.lora_B
    seen = scale**2 * (full @ A.T @ A + B @ B.T @ full)
    found = FEDSPINE["lora_gradient_importance"](module)
    torch.testing.assert_close(found, (module.weight * seen).abs(), rtol=1e-4, atol=1e-5)
    again = FEDSPINE["lora_gradient_importance"](module, previous=torch.zeros(4, 5), decay=0.75)
    torch.testing.assert_close(again, 0.25 * found)


def test_mean_of_different_ranks_is_exact_before_the_cut() -> None:
    deltas = [torch.randn(6, rank) @ torch.randn(rank, 5) for rank in (1, 2)]
    B, A = aggregate_hetero_lora(deltas, [1, 3], rank=3)
    mean = 0.25 * deltas[0] + 0.75 * deltas[1]
    torch.testing.assert_close(B @ A, mean, rtol=1e-4, atol=1e-5)
    B, A = aggregate_hetero_lora(deltas, [1, 3], rank=2)
    lost = torch.linalg.svdvals(mean)[2]
    assert torch.linalg.matrix_norm(B @ A - mean, 2) == pytest.approx(lost.item(), rel=1e-3)
    with pytest.raises(ValueError, match="rank must be between 1 and 5, got 6"):
        aggregate_hetero_lora(deltas, [1, 3], rank=6)


def test_bandit_tries_each_arm_then_the_best() -> None:
    bandit = UCBBandit([(0.1, 8), (0.2, 4), (0.3, 2)], c=0.5)
    tried: list[int] = []
    for _ in range(200):
        arm = bandit.select()
        tried.append(arm)
        bandit.update(arm, [0.1, 0.9, 0.3][arm])
    assert tried[:3] == [0, 1, 2]
    assert tried.count(1) > 150 and bandit.means[1] == pytest.approx(0.9)
    assert all(math.isfinite(mean) for mean in bandit.means)


def test_a_round_moves_the_update_towards_the_clients() -> None:
    goal = {"layer": torch.randn(6, 2) @ torch.randn(2, 5)}
    calls: list[tuple[float, int, tuple[int, ...]]] = []

    def client(
        start: dict[str, tuple[Tensor, Tensor]], ratio: float, rank: int
    ) -> tuple[dict[str, Tensor], float]:
        B, A = start["layer"]
        calls.append((ratio, rank, tuple(A.shape)))
        return {"layer": B @ A + 0.5 * (goal["layer"] - B @ A)}, 1.0

    update = {"layer": (torch.zeros(6, 4), torch.zeros(4, 5))}
    bandits = [UCBBandit([(0.0, 4), (0.5, 2)]), UCBBandit([(0.25, 3)])]
    for _ in range(2):
        update = FEDSPINE["federated_round"](update, [client] * 2, bandits, [1.0, 2.0], rank=4)
    B, A = update["layer"]
    torch.testing.assert_close(B @ A, 0.75 * goal["layer"], rtol=1e-4, atol=1e-4)
    assert [(ratio, rank) for ratio, rank, _ in calls] == [(0.0, 4), (0.25, 3), (0.5, 2), (0.25, 3)]
    assert [shape for _, _, shape in calls] == [(4, 5), (3, 5), (2, 5), (3, 5)]
    assert bandits[0].counts == [1, 1]
