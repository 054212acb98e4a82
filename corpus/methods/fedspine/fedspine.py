import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn


@torch.no_grad()
def slice_linear_(linear: nn.Linear, rows: "Tensor | None", columns: "Tensor | None") -> None:
    """Keep the given rows and columns of a layer, and of its low-rank update if it has one.

    For FedSpine (Yao et al., 2025, arXiv:2501.02438): W, b and B lose rows, W and A lose columns.
    The parameters are new ones, so build the optimiser anew.
    """

    def cut(name: str, dimension: int, keep: Tensor) -> None:
        old = getattr(linear, name, None)
        if isinstance(old, nn.Parameter):
            new = old.index_select(dimension, keep.to(old.device)).clone()
            setattr(linear, name, nn.Parameter(new, requires_grad=old.requires_grad))

    if rows is not None:
        for name in ("weight", "bias", "lora_B"):
            cut(name, 0, rows)
        linear.out_features = len(rows)
    if columns is not None:
        for name in ("weight", "lora_A"):
            cut(name, 1, columns)
        linear.in_features = len(columns)


def prune_ffn_(up: nn.Linear, gate: "nn.Linear | None", down: nn.Linear, keep: Tensor) -> None:
    """Keep the channels `keep` of a feed-forward network: FedSpine (arXiv:2501.02438).

    The rows of `up` and `gate` and the columns of `down` go together; the output is that of the
    whole network with the other channels at zero. `gate` is None for one without.
    """
    if len(keep) == 0:
        raise ValueError("keep must name at least one channel")
    for layer in (up, gate):
        if layer is not None:
            slice_linear_(layer, keep, None)
    slice_linear_(down, None, keep)


def prune_heads_(
    q: nn.Linear, k: nn.Linear, v: nn.Linear, o: nn.Linear, keep: Tensor, *, head_dim: int
) -> None:
    """Keep the attention heads `keep`: FedSpine (Yao et al., 2025, arXiv:2501.02438).

    `keep` names heads of `k` and `v`. Where several heads of `q` share one, all of them stay or
    go, so that the groups remain whole. Tell the attention module its new number of heads.
    """
    if len(keep) == 0:
        raise ValueError("keep must name at least one head")
    if k.out_features % head_dim or q.out_features % k.out_features:
        raise ValueError(
            f"head_dim must divide {k.out_features}, and that {q.out_features}, got {head_dim}"
        )
    group = q.out_features // k.out_features
    inner = torch.arange(head_dim, device=keep.device)
    shared = (keep[:, None] * head_dim + inner).flatten()
    heads = (keep[:, None] * group + torch.arange(group, device=keep.device)).flatten()
    own = (heads[:, None] * head_dim + inner).flatten()
    slice_linear_(q, own, None)
    slice_linear_(k, shared, None)
    slice_linear_(v, shared, None)
    slice_linear_(o, None, own)


@torch.no_grad()
def lora_gradient_importance(
    linear: nn.Linear, *, previous: "Tensor | None" = None, decay: float = 0.9
) -> Tensor:  # (out, in)
    """How much each frozen weight matters, from the gradients of a low-rank update alone.

    |W * g| with g = scale (dL/dB A + B dL/dA), smoothed over calls when `previous` is given.
    FedSpine (Yao et al., 2025, arXiv:2501.02438) takes importance from these gradients; this
    first-order form is a reconstruction. Sum over the rows or columns of a structure for its score.
    """
    A, B = linear.get_parameter("lora_A"), linear.get_parameter("lora_B")
    if A.grad is None or B.grad is None:
        raise ValueError("linear must have gradients of lora_A and lora_B: call backward first")
    scale = float(getattr(linear, "scale", 1.0))
    score = (linear.weight * (scale * (B.grad @ A + B @ A.grad))).abs()
    return score if previous is None else decay * previous + (1 - decay) * score


@torch.no_grad()
def aggregate_hetero_lora(
    deltas: "Sequence[Tensor]", weights: "Sequence[float]", rank: int
) -> "tuple[Tensor, Tensor]":  # (out, rank), (rank, in)
    """One low-rank update for the updates of clients with different ranks.

    The weighted mean of `deltas`, each scale * B A of (out, in) with zeros where a client has
    pruned, as its best factors B and A of `rank`, from its singular values. FedSpine (Yao et al.,
    2025, arXiv:2501.02438) averages across ranks; this exact way is a reconstruction.
    """
    if not deltas or len(deltas) != len(weights):
        raise ValueError(
            f"weights must be one for each of {len(deltas)} deltas, got {len(weights)}"
        )
    if not 1 <= rank <= min(deltas[0].shape):
        raise ValueError(f"rank must be between 1 and {min(deltas[0].shape)}, got {rank}")
    total = sum(weights)
    mean = torch.stack([w / total * d for d, w in zip(deltas, weights)]).sum(0)
    U, S, Vh = torch.linalg.svd(mean.float(), full_matrices=False)
    root = S[:rank].sqrt()
    B, A = U[:, :rank] * root, root[:, None] * Vh[:rank]
    return B.to(mean.dtype), A.to(mean.dtype)


class UCBBandit:
    """Picks among (pruning ratio, rank) pairs: a simplification of FedSpine's (arXiv:2501.02438).

    Every arm once, then the one with the highest mean reward + c sqrt(ln n / n_arm). The paper's
    bandit works on a continuous square that it divides as it learns; this one is discrete.

    Args:
        arms: the pairs to choose from.
        c: weight of what is little tried.
    """

    def __init__(self, arms: "Sequence[tuple[float, int]]", c: float = 1.0) -> None:
        if not arms:
            raise ValueError("arms must have at least one pair")
        self.arms = list(arms)
        self.c = c
        self.counts = [0] * len(self.arms)
        self.means = [0.0] * len(self.arms)

    def select(self) -> int:
        """Index of the arm to try now."""
        if 0 in self.counts:
            return self.counts.index(0)
        trials = math.log(sum(self.counts))
        bounds = [
            mean + self.c * math.sqrt(trials / count)
            for mean, count in zip(self.means, self.counts)
        ]
        return bounds.index(max(bounds))

    def update(self, arm: int, reward: float) -> None:
        """Note what the arm brought."""
        self.counts[arm] += 1
        self.means[arm] += (reward - self.means[arm]) / self.counts[arm]


def federated_round(
    update: "Mapping[str, tuple[Tensor, Tensor]]",
    clients: "Sequence[Callable[..., tuple[Mapping[str, Tensor], float]]]",
    bandits: "Sequence[UCBBandit]",
    weights: "Sequence[float]",
    rank: int,
) -> "dict[str, tuple[Tensor, Tensor]]":
    """One round of FedSpine (Yao et al., 2025, arXiv:2501.02438), simulated; a reconstruction.

    `update` holds factors (B, A) for each layer by name. Each client's bandit picks a pruning ratio
    and a rank, and the client, called with the factors cut to that rank, the ratio and the rank,
    trains and returns its dense changes by layer and a reward. Returns the new factors.
    """
    if not len(clients) == len(bandits) == len(weights):
        raise ValueError(f"clients must be as many as bandits and weights, got {len(clients)}")
    returned: list[Mapping[str, Tensor]] = []
    for client, bandit in zip(clients, bandits):
        arm = bandit.select()
        ratio, own_rank = bandit.arms[arm]
        start = {
            name: aggregate_hetero_lora([B @ A], [1.0], min(own_rank, *B.shape, *A.shape))
            for name, (B, A) in update.items()
        }
        deltas, reward = client(start, ratio, own_rank)
        bandit.update(arm, reward)
        returned.append(deltas)
    return {
        name: aggregate_hetero_lora([deltas[name] for deltas in returned], weights, rank)
        for name in update
    }
