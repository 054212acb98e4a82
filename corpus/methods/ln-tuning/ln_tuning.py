from torch import nn


def tune_norms(model: nn.Module, *also: str) -> "list[nn.Parameter]":
    """Train normalisation layers alone: LayerNorm tuning (Zhao et al., 2024, arXiv:2312.11420).

    Freezes `model` but for gain and shift of its norms, and whatever lies in the modules that
    `also` names, such as the task's new head; returns what to optimise. A norm is a module whose
    class name contains "Norm". Call it before the optimiser is built. Nothing is added, so the
    model starts as it is.
    """
    modules = dict(model.named_modules())
    for name in also:
        if name not in modules:
            raise ValueError(f"also must name modules of the model, got {name}")
    norms = {
        part
        for module in modules.values()
        if "norm" in type(module).__name__.lower()
        for part in module.parameters(recurse=False)
    }
    if not norms:
        raise ValueError("model has no norms to train: none of its classes is called Norm")
    wanted = norms | {part for name in also for part in modules[name].parameters()}
    for part in model.parameters():
        part.requires_grad_(part in wanted)
    return [part for part in model.parameters() if part in wanted]
