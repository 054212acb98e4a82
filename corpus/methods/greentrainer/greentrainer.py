import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn


def tensor_importance(
    model: nn.Module, optimizer: torch.optim.Optimizer, loss_fn: "Callable[[], Tensor]"
) -> "dict[str, float]":
    """How much one step on each parameter lowers the loss: GreenTrainer (Huang et al., 2023).

    Takes a real step of the optimiser on one batch; I = -<gradient after it, change>, over the
    largest |I| (arXiv:2309.13192). Weights, buffers and the optimiser's state are put back.
    """
    named = {name: part for name, part in model.named_parameters() if part.requires_grad}
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    before = {name: part.detach().clone() for name, part in named.items()}
    state = copy.deepcopy(optimizer.state_dict())
    optimizer.zero_grad()
    loss_fn().backward()
    optimizer.step()
    optimizer.zero_grad()
    loss_fn().backward()
    scores: dict[str, float] = {}
    with torch.no_grad():
        for name, part in named.items():
            if part.grad is not None:
                scores[name] = -float((part.grad * (part - before[name])).sum())
            part.copy_(before[name])
            part.grad = None
        for name, value in model.named_buffers():
            value.copy_(buffers[name])
    optimizer.load_state_dict(state)
    largest = max((abs(score) for score in scores.values()), default=0.0)
    return {name: score / largest if largest else 0.0 for name, score in scores.items()}


def select_tensors(
    t_dy: "Sequence[float]",
    t_dw: "Sequence[float]",
    importance: "Sequence[float]",
    share: float,
    resolution: int = 1000,
) -> "list[bool]":
    """The tensors to train, for the most importance within a share of the backward pass.

    All sequences go from the input to the output of the model. A choice costs the t_dw of its
    tensors, and the t_dy of every tensor from its first to the output (GreenTrainer,
    arXiv:2309.13192). Dynamic programming over costs in units of the whole / resolution.

    Args:
        t_dy: cost of passing the gradient on through each tensor.
        t_dw: cost of each tensor's own gradient.
        importance: tensors without a positive one are never chosen.
        share: share of the cost of training all.
        resolution: units that the whole cost is counted in.
    """
    count = len(importance)
    if not len(t_dy) == len(t_dw) == count:
        raise ValueError("importance must have one entry for each of t_dy and t_dw")
    if share >= 1:
        return [value > 0 for value in importance]
    unit = (sum(t_dy) + sum(t_dw)) / resolution or 1.0
    budget = int(share * resolution)
    cost = [round(value / unit) for value in t_dw]
    # best[c]: most importance of tensors k + 1 .. at own cost c, as rows from the output on
    best = torch.zeros(budget + 1, dtype=torch.float64)
    taken: list[Tensor] = [torch.zeros(budget + 1, dtype=torch.bool)] * count
    most, first, left = 0.0, count, budget
    passed = 0.0
    for k in reversed(range(count)):
        passed += t_dy[k]
        room = budget - round(passed / unit) - cost[k]
        if importance[k] <= 0:
            continue
        # k as the first tensor: the gradient is passed on from the output to k
        if room >= 0 and importance[k] + float(best[room]) > most:
            most, first, left = importance[k] + float(best[room]), k, room
        if cost[k] <= budget:
            with_k = torch.full_like(best, -torch.inf)
            with_k[cost[k] :] = best[: budget + 1 - cost[k]] + importance[k]
            taken[k] = with_k > best
            best = torch.maximum(best, with_k)
    chosen = [False] * count
    if first < count:
        chosen[first] = True
        for k in range(first + 1, count):
            if bool(taken[k][left]):
                chosen[k] = True
                left -= cost[k]
    return chosen


def backward_costs(
    model: nn.Module, loss_fn: "Callable[[], Tensor]"
) -> "dict[str, tuple[float, float]]":
    """(t_dy, t_dw) of each parameter in the order of the forward pass, in operations.

    Counted from the sizes of outputs: two operations for each position and entry of a matrix.
    Operations without parameters, such as attention scores, are left out.
    """
    names = {part: name for name, part in model.named_parameters()}
    costs: dict[str, tuple[float, float]] = {}

    def count(module: nn.Module, inputs: "tuple[Any, ...]", output: Any) -> None:
        first = output[0] if isinstance(output, tuple) else output
        if not isinstance(first, Tensor):
            return
        size = first.numel()
        convolves = isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d))
        positions = size / first.shape[1 if convolves else -1]
        for part in module.parameters(recurse=False):
            if isinstance(module, nn.Embedding):
                dy, dw = 0.0, float(size)
            elif part.dim() >= 2:
                dy = dw = 2 * positions * part.numel()
            else:
                dy, dw = 0.0 if names[part].endswith("bias") else float(size), float(size)
            old = costs.get(names[part], (0.0, 0.0))
            costs[names[part]] = old[0] + dy, old[1] + dw

    hooks = [module.register_forward_hook(count) for module in model.modules()]
    try:
        with torch.no_grad():
            loss_fn()
    finally:
        for hook in hooks:
            hook.remove()
    return costs


class GreenSelector:
    """Trains the tensors that are worth their cost: GreenTrainer (Huang et al., 2023).

    Call `on_step_begin(loss_fn)` before each forward pass, or `apply()` before training and again
    every other epoch. It measures the importance of every
    tensor that was trainable at the start and the cost of its gradient, and freezes all but those
    that lower the loss most with training at a share rho of its operations (arXiv:2309.13192).

    Args:
        model: to be trained.
        optimizer: of all its parameters.
        loss_fn: the loss on one batch, for `apply()`.
        rho: operations of a training step, as a share of full fine-tuning.
        interval: steps from one selection to the next; those of two epochs in the released code.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss_fn: "Callable[[], Tensor] | None" = None,
        *,
        rho: float = 0.5,
        interval: int = 500,
    ) -> None:
        if not 0 < rho <= 1:
            raise ValueError(f"rho must be above 0 and at most 1, got {rho}")
        if interval < 1:
            raise ValueError(f"interval must be at least 1, got {interval}")
        self.model, self.optimizer, self.loss_fn, self.rho = model, optimizer, loss_fn, rho
        self.interval, self.steps = interval, 0
        self.parts = {name: p for name, p in model.named_parameters() if p.requires_grad}

    def backward_share(self, t_dy: "Sequence[float]", t_dw: "Sequence[float]") -> float:
        """rho of the whole step as a share of its backward pass; the forward pass stays."""
        backward = sum(t_dy) + sum(t_dw)
        forward = sum(t_dy) / backward if backward else 0.0
        # rho_bp = rho (1 + t_fp / t_bp) - t_fp / t_bp
        share = self.rho * (1 + forward) - forward
        return share if share > 0 else 0.05

    def on_step_begin(self, loss_fn: "Callable[[], Tensor]") -> None:
        """Before each forward pass; `loss_fn` is the loss on its batch."""
        if self.steps % self.interval == 0:
            self.loss_fn = loss_fn
            self.apply()
        self.steps += 1

    def apply(self) -> "list[str]":
        """Choose what trains until the next call; returns the names."""
        if self.loss_fn is None:
            raise ValueError("loss_fn must be given to measure what a tensor is worth")
        for part in self.parts.values():
            part.requires_grad_(True)
        scores = tensor_importance(self.model, self.optimizer, self.loss_fn)
        costs = backward_costs(self.model, self.loss_fn)
        names = [name for name in costs if name in scores or name not in self.parts]
        t_dy = [costs[name][0] for name in names]
        # what is frozen anyway passes gradients on, but is never chosen
        t_dw = [costs[name][1] if name in scores else 0.0 for name in names]
        importance = [scores.get(name, 0.0) for name in names]
        share = self.backward_share(t_dy, t_dw)
        chosen = select_tensors(t_dy, t_dw, importance, share)
        selected = [name for name, taken in zip(names, chosen) if taken]
        for name, part in self.parts.items():
            part.requires_grad_(name in selected)
            part.grad = None
        return selected
