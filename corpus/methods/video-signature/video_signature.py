from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@torch.no_grad()
def perturbation_sensitivity(
    module: nn.Module,
    forward_fn: "Callable[[], Tensor]",
    *,
    sigma: float = 1e-2,
    rounds: int = 10,
) -> "dict[str, float]":
    """How much the output moves when one tensor is shaken: Video Signature (Huang et al., 2025).

    For each parameter p the mean of |D_{p + d}(z) - D_p(z)|^2 over `rounds` draws of d from
    N(0, sigma^2) (arXiv:2506.00652). `forward_fn` decodes the probe clips by `module`, in
    evaluation mode; the weights are put back exactly.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    clean = forward_fn()
    found: dict[str, float] = {}
    for name, part in module.named_parameters():
        kept = part.clone()
        moved = 0.0
        for _ in range(rounds):
            part.copy_(kept + sigma * torch.randn_like(kept))
            moved += float(F.mse_loss(forward_fn(), clean))
        part.copy_(kept)
        found[name] = moved / rounds
    return found


def freeze_top_sensitive(
    module: nn.Module, sens: "Mapping[str, float]", k: int
) -> "list[nn.Parameter]":
    """Freeze the `k` most sensitive tensors and train the rest: Video Signature (arXiv:2506.00652).

    `sens` is what `perturbation_sensitivity` gives; returns what to optimise (Huang et al., 2025).
    """
    named = dict(module.named_parameters())
    if not 0 <= k < len(named):
        raise ValueError(f"k must be between 0 and {len(named) - 1}, got {k}")
    for name in named:
        if name not in sens:
            raise ValueError(f"sens must have every parameter of the module, not {name}")
    frozen = sorted(named, key=lambda name: sens[name], reverse=True)[:k]
    for name, part in named.items():
        part.requires_grad_(name not in frozen)
    return [part for part in named.values() if part.requires_grad]


def temporal_alignment_loss(
    x_w: Tensor, x: Tensor, dist: "Callable[[Tensor, Tensor], Tensor]" = F.mse_loss
) -> Tensor:
    """Keeps motion as it was: Video Signature (Huang et al., 2025, arXiv:2506.00652).

    dist(x_w[t + 1] - x_w[t], x[t + 1] - x[t]) for marked and plain frames, (frames, ...).
    """
    if len(x_w) < 2:
        raise ValueError(f"x_w must have at least 2 frames, got {len(x_w)}")
    return dist(x_w[1:] - x_w[:-1], x[1:] - x[:-1])


def signature_loss(
    logits: Tensor,  # (frames, bits)
    key: Tensor,  # (bits,) of 0 and 1
    *,
    frame_weight: float = 1.0,
    mean_weight: float = 1.0,
    sharpness: float = 10.0,
) -> Tensor:
    """Makes frames carry the key: Video Signature (Huang et al., 2025, arXiv:2506.00652).

    frame_weight BCE(10 m_f, k) + mean_weight BCE(10 mean(m), k) for a frozen extractor's m_f.
    """
    key = key.to(logits.dtype)
    mean = logits.mean(0)
    each = F.binary_cross_entropy_with_logits(sharpness * logits, key.expand_as(logits))
    whole = F.binary_cross_entropy_with_logits(sharpness * mean, key)
    return frame_weight * each + mean_weight * whole


def bit_accuracy(logits: Tensor, key: Tensor) -> float:  # (frames, bits), (bits,)
    """Share of bits read right from a video's mean logits: Video Signature (arXiv:2506.00652)."""
    return ((logits.mean(0) > 0) == (key > 0)).float().mean().item()
