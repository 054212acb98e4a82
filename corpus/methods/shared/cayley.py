import torch
from torch import Tensor


def cayley(skew: Tensor) -> Tensor:  # (..., b, b) -> (..., b, b)
    """The rotation (I - Q)(I + Q)^-1 of a skew-symmetric Q, the identity where Q is zero."""
    # a solve needs single precision; both factors commute, so the side does not matter
    exact = skew if skew.dtype is torch.float64 else skew.float()
    one = torch.eye(skew.shape[-1], dtype=exact.dtype, device=exact.device)
    return torch.linalg.solve(one + exact, one - exact).to(skew.dtype)
