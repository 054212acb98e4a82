from torch import nn


def train_only(model: nn.Module, *adapters: "type[nn.Module]") -> "list[nn.Parameter]":
    """Freeze `model` but for the modules of the given classes; returns what to optimise.

    Of such a module trains what its constructor left trainable: the factors of an adapted layer,
    not the weight it adapts, nor a weight tied to a layer outside. May be called again, with other
    classes too. Call it before any other freezing: it notes at its first call what trains.
    """
    modules = list(model.modules())
    for module in modules:
        own = module.named_parameters(recurse=False)
        trains = frozenset(name for name, parameter in own if parameter.requires_grad)
        vars(module).setdefault("trains_as_built", trains)
    chosen = {
        part for module in modules if isinstance(module, adapters) for part in module.modules()
    }
    wanted = {
        parameter
        for part in chosen
        for name, parameter in part.named_parameters(recurse=False)
        if name in vars(part)["trains_as_built"]
    }
    for module in modules:
        if module not in chosen:
            wanted.difference_update(module.parameters(recurse=False))
    if not wanted:
        names = ", ".join(adapter.__name__ for adapter in adapters)
        reason = "was frozen before this call" if chosen else "is not in the model"
        raise ValueError(f"adapters: ({names}) {reason}")
    for parameter in model.parameters():
        parameter.requires_grad_(parameter in wanted)
    return [parameter for parameter in model.parameters() if parameter in wanted]
