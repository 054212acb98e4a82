from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class IncreLoRALinear(nn.Linear):
    """`nn.Linear` with an update of growing rank: IncreLoRA (Zhang et al., 2023, arXiv:2308.12043).

    h = W x + b + alpha / rank * B diag(E) A x, held as a list of components a, e, b. E starts at
    zero, so the layer starts as the one it replaces and loads its checkpoint; W and b are frozen.
    `RankGrower` adds components while training; those in reserve learn at e = 1e-5 and do not
    count in the rank. A checkpoint with more components makes the layer grow when it is loaded.

    Args:
        initial_rank: components at the start, 1 to min(in_features, out_features).
        alpha: numerator of the scale.
        dropout: on the input of the update only, in [0, 1).
    """

    rank: Tensor
    importance: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        initial_rank: int = 1,
        alpha: float = 32.0,
        dropout: float = 0.0,
    ) -> None:
        largest = min(in_features, out_features)
        if not 1 <= initial_rank <= largest:
            raise ValueError(f"initial_rank must be between 1 and {largest}, got {initial_rank}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.alpha = alpha
        self.dropout = nn.Dropout(dropout)
        self.lora_A = nn.ParameterList()  # (1, in) each
        self.lora_E = nn.ParameterList()  # (1, 1) each
        self.lora_B = nn.ParameterList()  # (out, 1) each
        self.register_buffer("rank", torch.tensor(initial_rank, device=self.weight.device))
        self.sensitivity: Tensor | None = None  # of the backward passes since it was last read
        for _ in range(initial_rank):
            self.append(0.0, trains=True)

    def append(self, e: float, trains: bool) -> "list[nn.Parameter]":
        """One more component with the given e, which may be held fixed; returns a and b."""
        a = nn.Parameter(self.weight.new_empty(1, self.in_features))
        b = nn.Parameter(self.weight.new_empty(self.out_features, 1))
        nn.init.normal_(a, std=0.02)
        nn.init.normal_(b, std=0.02)
        self.lora_A.append(a)
        self.lora_E.append(nn.Parameter(self.weight.new_full((1, 1), e), requires_grad=trains))
        self.lora_B.append(b)
        return [a, b]

    def add_reserve(self, count: int = 1) -> "list[nn.Parameter]":
        """Components that learn ahead at e = 1e-5; returns what is new to the optimiser."""
        return [part for _ in range(count) for part in self.append(1e-5, trains=False)]

    def activate(self, count: int = 1) -> "list[nn.Parameter]":
        """Let reserve components count; returns the e that train from now on.

        The scale alpha / rank changes with the rank, so what was learned shrinks with it.
        """
        start = int(self.rank)
        chosen = [self.lora_E[index] for index in range(start, start + count)]
        for e in chosen:
            e.requires_grad_(True)
        self.rank += count
        return chosen

    def drop_reserve(self) -> "list[nn.Parameter]":
        """Remove the components that do not count, and return their parameters."""
        kept = int(self.rank)
        dropped: list[nn.Parameter] = []
        for name in ("lora_A", "lora_E", "lora_B"):
            parts = list(getattr(self, name))
            setattr(self, name, nn.ParameterList(parts[:kept]))
            dropped += parts[kept:]
        return dropped

    def update(self) -> Tensor:  # (out, in)
        """alpha / rank * B diag(E) A, reserve included."""
        A = torch.cat(list(self.lora_A))  # (r, in)
        E = torch.cat(list(self.lora_E))  # (r, 1)
        B = torch.cat(list(self.lora_B), dim=1)  # (out, r)
        return self.alpha / (self.rank + 1e-5) * (B @ (A * E))

    def note(self, update: Tensor, gradient: Tensor) -> None:
        # S = sum |dW * dL/d(dW)| / sqrt(out * in)
        S = (update * gradient).abs().sum().float() / update.numel() ** 0.5
        self.sensitivity = S if self.sensitivity is None else self.sensitivity + S

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # the update is formed, as its gradient is what its importance is read from
        update = self.update()
        if self.training and update.requires_grad:
            update.register_hook(partial(self.note, update.detach()))
        return super().forward(x) + F.linear(self.dropout(x), update)

    def _load_from_state_dict(
        self, state_dict: "dict[str, Any]", prefix: str, *rest: Any, **more: Any
    ) -> None:
        stored = sum(key.startswith(f"{prefix}lora_E.") for key in state_dict)
        if stored and f"{prefix}rank" in state_dict:
            rank = int(state_dict[f"{prefix}rank"])
            while len(self.lora_E) < stored:
                self.append(0.0, trains=len(self.lora_E) < rank)
        super()._load_from_state_dict(state_dict, prefix, *rest, **more)

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        return self.weight + self.update()

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the update folded in."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


def orthogonal_penalty(model: nn.Module, weight: float = 0.1) -> Tensor:
    """Mean of |A A' - 1| and |B' B - 1| over the layers, of IncreLoRA (arXiv:2308.12043)."""
    terms: list[Tensor] = []
    for layer in model.modules():
        if isinstance(layer, IncreLoRALinear):
            for rows in (torch.cat(list(layer.lora_A)), torch.cat(list(layer.lora_B), dim=1).T):
                eye = torch.eye(len(rows), device=rows.device, dtype=rows.dtype)
                terms.append((rows @ rows.T - eye).norm())
    if not terms:
        raise ValueError("model has no IncreLoRALinear layer")
    return weight * torch.stack(terms).mean()


class RankGrower:
    """Gives rank to the layers that need it most, while they train: IncreLoRA (arXiv:2308.12043).

    Call `step()` after each step of the optimiser. Importance is the smoothed sensitivity of a
    layer's update times its uncertainty. After `warmup` steps, at each `interval`, the `top`
    layers activate `growth` reserve components each, until the ranks sum up to `average_rank` per
    layer. New components warm up anew, towards the learning rate of their layer.

    Args:
        model: holds IncreLoRALinear layers.
        optimizer: trains their components.
        average_rank: final rank, on the average over the layers.
        top: layers that grow at once.
        warmup: steps before the first growth; also those in which new components warm up.
        interval: steps from one growth to the next.
        growth: rank that each chosen layer gains.
        beta: smoothing of sensitivity and uncertainty.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        average_rank: int = 2,
        top: int = 6,
        warmup: int = 100,
        interval: int = 100,
        growth: int = 1,
        beta: float = 0.85,
    ) -> None:
        self.layers = [part for part in model.modules() if isinstance(part, IncreLoRALinear)]
        if not self.layers:
            raise ValueError("model has no IncreLoRALinear layer")
        for name, value in (("top", top), ("interval", interval), ("growth", growth)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        self.optimizer = optimizer
        self.target = average_rank * len(self.layers)
        self.top, self.warmup, self.interval, self.growth = top, warmup, interval, growth
        self.beta = beta
        self.steps = 0
        self.smoothed = [0.0] * len(self.layers)  # I
        self.uncertainty = [0.0] * len(self.layers)  # U
        self.warming: list[tuple[dict[str, Any], dict[str, Any], int]] = []
        self.full = self.total() >= self.target
        if not self.full:
            for layer in self.layers:
                self.optimise(layer, layer.add_reserve(growth))

    def total(self) -> int:
        """Sum of the ranks, reserve not counted."""
        return sum(int(layer.rank) for layer in self.layers)

    def optimise(self, layer: IncreLoRALinear, parts: "list[nn.Parameter]") -> None:
        """Hand new parameters to the optimiser, with the options of the layer's first ones."""
        first = layer.lora_A[0]
        groups: list[dict[str, Any]] = self.optimizer.param_groups
        for group in groups:
            if any(part is first for part in group["params"]):
                options = {key: value for key, value in group.items() if key != "params"}
                self.optimizer.add_param_group({**options, "params": parts})
                self.warming.append((groups[-1], group, self.steps))
                return
        raise ValueError("optimizer does not train the components of the model")

    def step(self) -> None:
        """After each step of the optimiser."""
        self.steps += 1
        for index, layer in enumerate(self.layers):
            if layer.sensitivity is not None:
                S = float(layer.sensitivity)
                layer.sensitivity = None
                # I = beta I + (1 - beta) S;  U = beta U + (1 - beta) |S - I|
                kept = self.beta
                mean = kept * self.smoothed[index] + (1 - kept) * S
                self.uncertainty[index] *= kept
                self.uncertainty[index] += (1 - kept) * abs(S - mean)
                self.smoothed[index] = mean
        since = self.steps - self.warmup
        if not self.full and since >= 0 and since % self.interval == 0:
            self.grow()
        for group, source, born in self.warming:
            group["lr"] = source["lr"] * min(1.0, (self.steps - born + 1) / max(1, self.warmup))

    def grow(self) -> None:
        """Activate the reserve of the most important layers, within the budget."""
        order = sorted(
            range(len(self.layers)),
            key=lambda index: self.smoothed[index] * self.uncertainty[index],
            reverse=True,
        )
        for index in order[: self.top]:
            layer = self.layers[index]
            room = min(layer.in_features, layer.out_features) - int(layer.rank)
            count = min(self.growth, self.target - self.total(), room)
            if count > 0:
                self.optimise(layer, layer.activate(count) + layer.add_reserve(count))
        if self.total() >= self.target:
            self.finish()

    def finish(self) -> None:
        """The budget is spent: drop what is still in reserve."""
        self.full = True
        dropped = {part for layer in self.layers for part in layer.drop_reserve()}
        for group in self.optimizer.param_groups:
            group["params"] = [part for part in group["params"] if part not in dropped]
        for part in dropped:
            self.optimizer.state.pop(part, None)
