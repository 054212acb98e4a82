import torch
from torch import Tensor


def with_prefix(x: Tensor, prefix: "Tensor | None") -> Tensor:
    """[P; X]: tokens `prefix` (B, P, d) put before `x` (B, T, d); without prefix `x` as it is."""
    return x if prefix is None else torch.cat([prefix.to(x.dtype), x], dim=1)


def strip_prefix(x: Tensor, prefix: "Tensor | None") -> Tensor:
    """The tokens of `x` without the `prefix` that `with_prefix` put before them."""
    return x if prefix is None else x[:, prefix.shape[1] :]
