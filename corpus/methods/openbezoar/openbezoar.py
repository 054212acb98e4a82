from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class Mergeable(Protocol):
    """A layer that gives the plain layer it has become; for OpenBezoar (arXiv:2404.12195)."""

    def merged(self) -> nn.Module: ...


def merge_adapters(model: nn.Module) -> nn.Module:
    """Put `layer.merged()` in the place of each adapted layer, between stages of OpenBezoar.

    Changes `model` and returns it, or the merged layer if it is one itself (Dissanayake et al.,
    2024, arXiv:2404.12195).
    """
    if isinstance(model, Mergeable):
        return model.merged()
    for name, child in list(model.named_children()):
        setattr(model, name, merge_adapters(child))
    return model


class SequentialSFTPlan:
    """One data set after another, an update each: OpenBezoar (Dissanayake et al., 2024).

    For each stage (arXiv:2404.12195) a new update that starts at zero is put in, trained, and
    merged into the weights, so that the next stage starts from the model as it has become. The
    paper goes from LaMini to Evol-Instruct to Orca, then to preferences.

    Args:
        stages: name and training of each, in order; training gets the model with its update.
        wrap: puts a fresh update into the model.
        merge: folds it in.
    """

    def __init__(
        self,
        stages: "Sequence[tuple[str, Callable[[nn.Module], object]]]",
        wrap: "Callable[[nn.Module], nn.Module]",
        merge: "Callable[[nn.Module], nn.Module]" = merge_adapters,
    ) -> None:
        if not stages:
            raise ValueError("stages must have at least one stage")
        self.stages = list(stages)
        self.wrap, self.merge = wrap, merge
        self.done: list[str] = []

    def run(self, model: nn.Module) -> nn.Module:
        """The model after all stages; stages done before are not run again."""
        for name, train in self.stages[len(self.done) :]:
            adapted = self.wrap(model)
            adapted.train()
            train(adapted)
            model = self.merge(adapted)
            self.done.append(name)
        return model
