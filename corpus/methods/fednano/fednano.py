import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class NanoAdapter(nn.Module):
    """Low-rank adapter on embeddings before a language model: FedNano (Zhang et al., 2506.14824).

    e + scale * W_up W_down e, on the embeddings of the text or of the image, where the language
    model itself stays on a server. W_up starts at zero, so the model starts as it was. No code is
    released: that the adapter has no nonlinearity and this start is a reconstruction.

    Args:
        width: size of an embedding.
        rank: inner dimension.
        scale: factor on the update.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 64,
        scale: float = 1.0,
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        super().__init__()
        self.scale = scale
        # plain parameters: a model-wide initialiser of nn.Linear must not undo the zeros
        self.nano_down = nn.Parameter(torch.empty(rank, width, device=device, dtype=dtype))
        self.nano_up = nn.Parameter(torch.zeros(width, rank, device=device, dtype=dtype))
        nn.init.kaiming_uniform_(self.nano_down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:  # (..., width) -> (..., width)
        return x + self.scale * F.linear(F.linear(x, self.nano_down), self.nano_up)


def nano_state(model: nn.Module) -> "dict[str, Tensor]":
    """What a client sends: the tensors of its NanoAdapters, by name."""
    return {
        name: part.detach().clone() for name, part in model.named_parameters() if "nano_" in name
    }


def fisher_diag(
    model: nn.Module,
    loader: "Iterable[tuple[Tensor, Tensor]]",
    params: "Mapping[str, nn.Parameter]",
) -> "dict[str, Tensor]":
    """Diagonal Fisher information of `params`: the mean of (d log p(y | x) / d theta)^2.

    `model` gives logits (1, ..., classes) and a target is (1, ...), -100 where it does not count.
    Each example of a batch is taken alone, as the square of a mean is not the mean of squares.
    """
    fisher = {name: torch.zeros_like(part) for name, part in params.items()}
    examples = 0
    for inputs, targets in loader:
        for x, y in zip(inputs.split(1), targets.split(1)):
            logits = model(x)
            loss = F.cross_entropy(logits.flatten(0, -2), y.flatten(), reduction="sum")
            gradients = torch.autograd.grad(loss, list(params.values()))
            for total, gradient in zip(fisher.values(), gradients):
                total += gradient.square()
            examples += 1
    if examples == 0:
        raise ValueError("loader must hold at least one example")
    return {name: total / examples for name, total in fisher.items()}


def fedavg(
    states: "Sequence[Mapping[str, Tensor]]", weights: "Sequence[float] | None" = None
) -> "dict[str, Tensor]":
    """Mean of the clients' tensors, by weight: the number of examples of each, or evenly."""
    shares = [1.0] * len(states) if weights is None else list(weights)
    if not states or len(shares) != len(states):
        raise ValueError(f"weights must be one for each of the {len(states)} states")
    total = sum(shares)
    return {
        name: torch.stack(
            [share / total * state[name] for share, state in zip(shares, states)]
        ).sum(0)
        for name in states[0]
    }


def fisher_merge(
    states: "Sequence[Mapping[str, Tensor]]",
    fishers: "Sequence[Mapping[str, Tensor]]",
    eps: float = 1e-8,
) -> "dict[str, Tensor]":
    """theta = (sum_k F_k)^-1 sum_k F_k theta_k, each number weighted by who is sure of it.

    `eps` is added to every F_k, so that where no client is sure the merge is the plain mean.
    """
    if not states or len(fishers) != len(states):
        raise ValueError(f"fishers must be one for each of the {len(states)} states")
    merged: dict[str, Tensor] = {}
    for name in states[0]:
        theta = torch.stack([state[name] for state in states])
        weight = torch.stack([fisher[name] for fisher in fishers]) + eps
        merged[name] = (weight * theta).sum(0) / weight.sum(0)
    return merged
