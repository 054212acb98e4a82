from torch import nn


def bitfit(model: nn.Module, *also: str) -> "list[nn.Parameter]":
    """Train biases alone: BitFit (Ben Zaken et al., 2021, arXiv:2106.10199).

    Freezes `model` but for every parameter whose name ends in "bias", those of norms included, and
    whatever lies in the modules that `also` names, such as the task's new head; returns what to
    optimise. Call it before the optimiser is built. Nothing is added, so the model starts as it is.
    """
    modules = dict(model.named_modules())
    for name in also:
        if name not in modules:
            raise ValueError(f"also must name modules of the model, got {name}")
    biases = {part for name, part in model.named_parameters() if name.endswith("bias")}
    if not biases:
        raise ValueError("model has no biases to train: BitFit needs layers built with bias=True")
    wanted = biases | {part for name in also for part in modules[name].parameters()}
    for part in model.parameters():
        part.requires_grad_(part in wanted)
    return [part for part in model.parameters() if part in wanted]
