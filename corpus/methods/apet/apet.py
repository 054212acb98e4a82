import random
from collections import defaultdict
from collections.abc import Sequence

from torch import nn


def select_arbitrary_parameters(
    model: nn.Module,
    budget: int = 4096,
    seed: int = 0,
    groups: "Sequence[Sequence[str]] | None" = None,
) -> "list[str]":
    """Train parameters at random places, up to a budget: APET (Su et al., 2023, arXiv:2306.02320).

    Half of the budget goes to whole groups of the modules that were inserted, such as both factors
    of a LoRA, and half to single tensors of the model below, each half in random order as far as
    they fit; without groups all of it goes to the model. Everything else is frozen. Returns the
    names of what trains; call it before the optimiser is built.

    Args:
        budget: parameters that may train, at most.
        seed: of the random order; the same seed and budget give the same choice.
        groups: names of parameters that belong together. Else, in a model that is frozen in part,
            what trains in one module is a group.
    """
    if budget < 1:
        raise ValueError(f"budget must be at least 1, got {budget}")
    sizes = {name: part.numel() for name, part in model.named_parameters()}
    if groups is None:
        groups = inserted_groups(model)
    unknown = [name for group in groups for name in group if name not in sizes]
    if unknown:
        raise ValueError(f"groups must name parameters of the model, got {unknown[0]}")
    inserted = {name for group in groups for name in group}
    below = [[name] for name in sizes if name not in inserted]
    order = random.Random(budget * seed)
    chosen: set[str] = set()
    halves = [(groups, budget // 2), (below, budget - budget // 2)] if groups else [(below, budget)]
    for candidates, left in halves:
        for group in order.sample(list(candidates), len(candidates)):
            size = sum(sizes[name] for name in group)
            if size <= left:
                left -= size
                chosen.update(group)
    for name, part in model.named_parameters():
        part.requires_grad_(name in chosen)
    return [name for name in sizes if name in chosen]


def inserted_groups(model: nn.Module) -> "list[list[str]]":
    """What trains in each module of a model that is frozen in part; nothing if all of it trains."""
    found: dict[str, list[str]] = defaultdict(list)
    frozen = False
    for name, part in model.named_parameters():
        if part.requires_grad:
            found[name.rpartition(".")[0]].append(name)
        else:
            frozen = True
    return list(found.values()) if frozen else []
