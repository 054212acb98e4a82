from collections.abc import Mapping
from pathlib import Path

import torch
from shared.parameter_names import parameter_names
from torch import Tensor, nn


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside `torch.compile`, `DataParallel` and `DistributedDataParallel`."""
    parallel = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while hasattr(model, "_orig_mod") or isinstance(model, parallel):
        model = model.get_submodule("module" if isinstance(model, parallel) else "_orig_mod")
    return model


def adapter_state_dict(model: nn.Module, *adapters: "type[nn.Module]") -> "dict[str, Tensor]":
    """What the modules of the given classes add to `model`, by the names of its `state_dict()`.

    Of an adapted layer: its factors and buffers, and of the weights it adapts those that train.
    A model that was compiled or made parallel has the names of the one inside.
    """
    state: dict[str, Tensor] = {}
    for path, module in unwrapped(model).named_modules():
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
    unwrapped(model).load_state_dict(state, strict=False)


def resume_adapter(model: nn.Module, path: str, *adapters: "type[nn.Module]") -> None:
    """Load what `torch.save(adapter_state_dict(...), path)` wrote, where there is such a file."""
    if Path(path).exists():
        load_adapter(model, torch.load(path, map_location="cpu"), *adapters)
