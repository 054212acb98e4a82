import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn


class ZerothOrderSeedOptimizer:
    """Tunes all weights by two forward passes along seeded directions: FedKSeed (Qin et al., 2023).

    For a seed s of a fixed list, z from N(0, I) is drawn anew whenever it is needed
    (arXiv:2312.06353), so nothing but seeds and numbers is stored or sent:

        g = (L(w + eps z) - L(w - eps z)) / (2 eps),  w <- w - lr (g z + weight_decay w)

    `pool` adds up g by seed; another holder of the first weights repeats the training by `replay`.
    No gradient is ever taken. Weight decay spares vectors (biases and norms), and breaks `replay`.

    Args:
        params: what to tune; their order must be the same for everybody.
        seeds: the candidates all clients share, 4096 in the paper.
        lr: learning rate, constant.
        eps: length of the step to either side.
        weight_decay: pull to zero.
        grad_clip: steps with |L+ - L-| above it are skipped; 0 skips none.
        generator: draws the seeds.
    """

    def __init__(
        self,
        params: "Iterable[nn.Parameter]",
        seeds: "Sequence[int]",
        *,
        lr: float = 3e-7,
        eps: float = 5e-4,
        weight_decay: float = 0.0,
        grad_clip: float = 0.0,
        generator: "torch.Generator | None" = None,
    ) -> None:
        self.params = [part for part in params if part.requires_grad]
        if not self.params:
            raise ValueError("params must have at least one parameter that requires a gradient")
        if len(seeds) == 0:
            raise ValueError("seeds must have at least one seed")
        if eps <= 0:
            raise ValueError(f"eps must be above 0, got {eps}")
        self.seeds = list(seeds)
        self.lr, self.eps = lr, eps
        self.weight_decay, self.grad_clip = weight_decay, grad_clip
        self.generator = generator
        self.probabilities = torch.ones(len(self.seeds)) / len(self.seeds)
        self.pool: dict[int, float] = {}
        self.history: dict[int, list[float]] = {}

    @torch.no_grad()
    def move(self, seed: int, amount: float, decay: float = 0.0) -> None:
        """w <- w + amount * z - decay * w, with z drawn from `seed` parameter by parameter."""
        generators: dict[torch.device, torch.Generator] = {}
        for part in self.params:
            if part.device not in generators:
                generators[part.device] = torch.Generator(part.device).manual_seed(seed)
            generator = generators[part.device]
            z = torch.randn(part.shape, generator=generator, device=part.device, dtype=part.dtype)
            if decay and part.dim() > 1:
                part.mul_(1 - decay)
            part.add_(z, alpha=amount)

    @torch.no_grad()
    def step(self, closure: "Callable[[], Tensor]") -> "tuple[int, float]":
        """One step on the loss that `closure` returns; gives the seed and g, 0 if skipped."""
        index = int(torch.multinomial(self.probabilities, 1, generator=self.generator))
        seed = self.seeds[index]
        self.move(seed, self.eps)
        above = float(closure())
        self.move(seed, -2 * self.eps)
        below = float(closure())
        self.move(seed, self.eps)
        change = above - below
        if not math.isfinite(change) or 0 < self.grad_clip < abs(change):
            return seed, 0.0
        g = change / (2 * self.eps)
        self.move(seed, -self.lr * g, self.lr * self.weight_decay)
        self.pool[seed] = self.pool.get(seed, 0.0) + g
        self.history.setdefault(seed, []).append(g)
        return seed, g

    def replay(self, pool: "Mapping[int, float]") -> None:
        """w <- w - lr sum_s G_s z_s: from the first weights to those after all steps."""
        for seed, g in pool.items():
            if g != 0:
                self.move(seed, -self.lr * g)


def aggregate_seed_pools(
    pools: "Sequence[Mapping[int, float]]",
    weights: "Sequence[float]",
    start: "Mapping[int, float] | None" = None,
) -> "dict[int, float]":
    """The server's round of FedKSeed (Qin et al., 2023, arXiv:2312.06353): G_s + sum_c p_c G_s^(c).

    `weights` p_c, one for each client, are brought to a sum of one; `start` is the pool so far.
    """
    if len(pools) != len(weights):
        raise ValueError(f"weights must be one for each of {len(pools)} pools, got {len(weights)}")
    total = float(sum(weights))
    if total <= 0:
        raise ValueError(f"weights must have a sum above 0, got {total}")
    result = dict(start or {})
    for pool, weight in zip(pools, weights):
        for seed, g in pool.items():
            result[seed] = result.get(seed, 0.0) + weight / total * g
    return result


def seed_probabilities(
    history: "Mapping[int, Sequence[float]]", seeds: "Sequence[int]", limit: float = 1000.0
) -> Tensor:  # (len(seeds),)
    """How often to draw each seed: FedKSeed-Pro (Qin et al., 2023, arXiv:2312.06353).

    The softmax of the mean |g| of each seed's history, each at most `limit`, brought to [0, 1] over
    the seeds; a seed never drawn counts as 0.
    """
    means = torch.zeros(len(seeds), dtype=torch.float64)
    for index, seed in enumerate(seeds):
        seen = [min(abs(g), limit) for g in history.get(seed, ())]
        means[index] = sum(seen) / len(seen) if seen else 0.0
    spread = means.max() - means.min()
    scaled = (means - means.min()) / spread if spread > 0 else torch.zeros_like(means)
    return scaled.softmax(0).float()
