from collections.abc import Mapping
from pathlib import Path

import torch
from shared.parameter_names import parameter_names
from torch import Tensor, nn


def adapter_state_dict(model: nn.Module, *adapters: "type[nn.Module]") -> "dict[str, Tensor]":
    """What the modules of the given classes add to `model`, by the names of its `state_dict()`.

    Of an adapted layer: its factors and buffers, and of the weights it adapts those that train.
    """
    state: dict[str, Tensor] = {}
    for path, module in model.named_modules():
        if isinstance(module, adapters):
            adapted = parameter_names(type(module))
            own = dict(module.named_parameters())
            for name, tensor in module.state_dict().items():
                if name not in adapted or own[name].requires_grad:
                    state[f"{path}.{name}" if path else name] = tensor
    if not state:
        names = ", ".join(adapter.__name__ for adapter in adapters)
        raise ValueError(f"adapters: ({names}) is not in the model")
    return state


def load_adapter(
    model: nn.Module, state: "Mapping[str, Tensor]", *adapters: "type[nn.Module]"
) -> None:
    """Load what `adapter_state_dict` gave into a model that has the same adapters."""
    wanted = adapter_state_dict(model, *adapters).keys()
    for name in sorted(wanted ^ state.keys()):
        where = "the model" if name in wanted else "the state"
        raise ValueError(f"state: {name} is in {where} alone; adapt the same layers first")
    model.load_state_dict(state, strict=False)


def resume_adapter(model: nn.Module, path: str, *adapters: "type[nn.Module]") -> None:
    """Load what `torch.save(adapter_state_dict(...), path)` wrote, where there is such a file."""
    if Path(path).exists():
        load_adapter(model, torch.load(path, map_location="cpu"), *adapters)
