from torch import nn


def count_trainable(model: nn.Module) -> "tuple[int, int, float]":
    """Trainable parameters, all parameters, and their share in percent.

    The measure by which the survey of Han et al. (2024, arXiv:2403.14608) sets methods side by
    side. A shared parameter counts once.
    """
    parts = list(model.parameters())
    total = sum(part.numel() for part in parts)
    trainable = sum(part.numel() for part in parts if part.requires_grad)
    return trainable, total, 100 * trainable / total if total else 0.0
