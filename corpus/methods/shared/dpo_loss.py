from torch import Tensor
from torch.nn import functional as F


def dpo_loss(
    logp_w: Tensor, logp_l: Tensor, ref_w: Tensor, ref_l: Tensor, beta: float = 0.1
) -> Tensor:
    """Direct preference optimisation (Rafailov et al., 2023, arXiv:2305.18290), mean over pairs.

    -log sigmoid(beta ((logp_w - ref_w) - (logp_l - ref_l))): log-likelihoods of the preferred and
    the rejected answer, summed over their tokens, under the model and a frozen reference (B,).
    With low-rank updates the reference is the same model without them.
    """
    if beta <= 0:
        raise ValueError(f"beta must be above 0, got {beta}")
    return -F.logsigmoid(beta * ((logp_w - ref_w) - (logp_l - ref_l))).mean()
