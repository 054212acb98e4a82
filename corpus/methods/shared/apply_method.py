from collections.abc import Collection

from shared.replace_layers import replace_layers
from torch import nn
from torch.nn import Linear as Adapter


def apply_method(
    model: nn.Module, targets: "Collection[str]", **hyperparameters: object
) -> nn.Module:
    """METHOD in every layer of `model` that `targets` name; returns `model`."""
    return replace_layers(model, targets, Adapter, **hyperparameters)
