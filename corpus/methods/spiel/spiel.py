import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SparseDeltaLinear(nn.Linear):
    """`nn.Linear` with a trained change of few scattered weights: SpIEL (Ansell et al., 2024).

    h = (W + scatter(indices, values)) x + b (arXiv:2401.16405), with W and b frozen. The values
    start at zero, so the layer starts as the one it replaces; `weight` and `bias` keep their names,
    so its checkpoint loads. The indices start random; `SparseReselector` moves them in training.

    Args:
        density: share of the weights that change, in (0, 1].
    """

    indices: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        density: float = 0.01,
    ) -> None:
        size = in_features * out_features
        if not 0 < density <= 1 or int(density * size) < 1:
            raise ValueError(
                f"density must be at most 1 and leave one of {size} weights: {density}"
            )
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        count = int(density * size)
        self.values = nn.Parameter(self.weight.new_zeros(count))  # (k,)
        chosen = torch.randperm(size)[:count].sort().values  # flat, row by row
        self.register_buffer("indices", chosen.to(self.weight.device))
        self.watching = False
        self.forget()

    def forget(self) -> None:
        """Drop what the window has seen."""
        self.candidates: Tensor | None = None  # (k,) flat indices
        self.gradient_sum: Tensor | None = None  # of the candidates
        self.square_sum: Tensor | None = None
        self.samples = 0

    def watch(self, gradient: Tensor) -> None:
        """Follow the weights whose gradient was largest at the first look."""
        flat = gradient.flatten()
        if self.candidates is None or self.gradient_sum is None or self.square_sum is None:
            self.candidates = flat.abs().topk(len(self.values)).indices
            self.gradient_sum = torch.zeros_like(self.values)
            self.square_sum = torch.zeros_like(self.values)
        seen = flat[self.candidates]
        self.gradient_sum += seen
        self.square_sum += seen.square()
        self.samples += 1

    def merged_weight(self) -> Tensor:  # (out, in)
        """W with the values added at their indices."""
        flat = self.weight.flatten().index_add(0, self.indices, self.values)
        weight = flat.view_as(self.weight)
        if self.watching and weight.requires_grad:
            weight.register_hook(self.watch)
        return weight

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return F.linear(x, self.merged_weight(), self.bias)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the values added to the weight."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


class SparseReselector:
    """Moves the weights that `SparseDeltaLinear` layers train: SpIEL (arXiv:2401.16405).

    Call `step()` after each step of the optimiser. Before each `interval` ends, gradients of the
    most promising weights add up for `accumulation` steps; then the share p of indices with the
    smallest change is dropped for those with the largest summed gradient. The first time p is 1,
    then initial_share * (1 - t / total_steps), or half a cosine. New values start at zero, with
    Adam's moments at the mean gradient and mean square of the window.

    Args:
        model: holds SparseDeltaLinear layers.
        optimizer: trains their values.
        total_steps: length of the training.
        interval: steps between moves.
        accumulation: steps of each window, 1 to interval.
        initial_share: share p at the start of the schedule.
        schedule: "linear" or "cosine".
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        total_steps: int = 1000,
        interval: int = 20,
        accumulation: int = 5,
        initial_share: float = 0.2,
        schedule: str = "linear",
    ) -> None:
        self.layers = [part for part in model.modules() if isinstance(part, SparseDeltaLinear)]
        if not self.layers:
            raise ValueError("model has no SparseDeltaLinear layer")
        if not 1 <= accumulation <= interval:
            raise ValueError(f"accumulation must be between 1 and {interval}, got {accumulation}")
        if total_steps < 1:
            raise ValueError(f"total_steps must be at least 1, got {total_steps}")
        if schedule not in ("linear", "cosine"):
            raise ValueError(f'schedule must be "linear" or "cosine", got "{schedule}"')
        self.optimizer = optimizer
        self.total_steps, self.interval, self.accumulation = total_steps, interval, accumulation
        self.initial_share, self.schedule = initial_share, schedule
        self.steps = 0
        self.open_window()

    def share(self) -> float:
        """p: the share of indices that may move now."""
        done = min(1.0, self.steps / self.total_steps)
        if self.schedule == "cosine":
            return self.initial_share * (1 + math.cos(math.pi * done)) / 2
        return 1.0 if self.steps <= self.interval else self.initial_share * (1 - done)

    def open_window(self) -> None:
        """Watch gradients in the last steps of each interval."""
        watching = self.steps % self.interval >= self.interval - self.accumulation
        for layer in self.layers:
            layer.watching = watching

    def step(self) -> None:
        """After each step of the optimiser."""
        self.steps += 1
        if self.steps % self.interval == 0:
            for layer in self.layers:
                self.move(layer)
                layer.forget()
        self.open_window()

    @torch.no_grad()
    def move(self, layer: SparseDeltaLinear) -> None:
        """Drop the smallest changes for the candidates with the largest summed gradient."""
        if layer.candidates is None or layer.gradient_sum is None or layer.square_sum is None:
            return
        count = int(self.share() * len(layer.values))
        order = layer.values.abs().argsort()
        outgoing, kept = order[:count], layer.indices[order[count:]]
        free = ~torch.isin(layer.candidates, kept)
        places = layer.gradient_sum.abs().masked_fill(~free, -1).argsort(descending=True)
        places = places[: min(count, int(free.sum()))]
        # what would be dropped and grown at once is left alone
        again = torch.isin(layer.candidates[places], layer.indices[outgoing])
        outgoing = outgoing[~torch.isin(layer.indices[outgoing], layer.candidates[places])]
        places = places[~again]
        outgoing = outgoing[: len(places)]
        layer.indices[outgoing] = layer.candidates[places]
        layer.values[outgoing] = 0
        state = self.optimizer.state.get(layer.values, {})
        if "exp_avg" in state and "exp_avg_sq" in state:
            mean, square = layer.gradient_sum[places], layer.square_sum[places]
            age = float(state["step"])  # Adam divides by 1 - beta^age again
            for group in self.optimizer.param_groups:
                if any(part is layer.values for part in group["params"]):
                    first, second = (1 - beta**age for beta in group["betas"])
                    state["exp_avg"][outgoing] = first * mean / layer.samples
                    state["exp_avg_sq"][outgoing] = second * square / layer.samples
