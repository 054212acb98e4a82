"""What a model was before adapters came into it, for code that goes over all it has."""

from collections.abc import Mapping
from typing import Any

from shared.parameter_names import parameter_names
from torch import Tensor, nn


def brought_by(model: nn.Module, adapters: "tuple[type[nn.Module], ...]") -> "set[str]":
    """Names of the parameters and state that modules of the given classes bring.

    An adapted layer subclasses the layer it adapts, whose parameters are the model's own.
    """
    brought = set()
    for prefix, module in model.named_modules():
        if not isinstance(module, adapters):
            continue
        names = {*module.state_dict(), *(name for name, _ in module.named_parameters())}
        names -= parameter_names(type(module))
        brought |= {f"{prefix}.{name}" if prefix else name for name in names}
    return brought


def base_parameters(model: nn.Module, *adapters: "type[nn.Module]") -> "dict[str, nn.Parameter]":
    """`dict(model.named_parameters())` without those of the adapters, whose start is their own."""
    brought = brought_by(model, adapters)
    return {name: part for name, part in model.named_parameters() if name not in brought}


def base_state_dict(model: nn.Module, *adapters: "type[nn.Module]") -> "dict[str, Tensor]":
    """`model.state_dict()` without the entries of the adapters."""
    brought = brought_by(model, adapters)
    return {name: part for name, part in model.state_dict().items() if name not in brought}


def load_base_state_dict(
    model: nn.Module,
    state: "Mapping[str, Any]",
    *adapters: "type[nn.Module]",
    strict: bool = True,
) -> Any:
    """`model.load_state_dict(state)`, as strict but for what the adapters bring."""
    keys = model.load_state_dict(state, strict=False)
    missing = sorted(set(keys.missing_keys) - brought_by(model, adapters))
    if strict and (missing or keys.unexpected_keys):
        raise RuntimeError(f"state lacks {missing} and has {keys.unexpected_keys} besides")
    return type(keys)(missing, keys.unexpected_keys)
