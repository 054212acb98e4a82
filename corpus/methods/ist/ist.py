import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


class ImportanceSparseTuner:
    """Trains the adapters of few blocks at each step: IST (Yao et al., 2024, arXiv:2410.11772).

    Call `on_step_begin(loss_fn)` before each forward pass. It draws the blocks that train in this
    step with weights sigmoid(-I). At each `interval` it damps the adapters of a random part of the
    blocks, a few times over, and moves the I of those blocks by the loss on one batch: where
    damping hurts, I falls and the block is drawn more often.

    Args:
        layers: the blocks; what is trainable in them now are their adapters, whose factor must be
            an attribute `scale`, `scaling` or `adapter_scaling`.
        update_ratio: share of the blocks that train in a step.
        suppress_ratio: share of the blocks that are damped in a probe.
        factor: what damping multiplies the scales by.
        interval: steps from one probe to the next.
        samples: different sets of blocks in a probe.
        rate: learning rate of I.
        seed: of all draws.
    """

    def __init__(
        self,
        layers: "Iterable[nn.Module]",
        *,
        update_ratio: float = 0.25,
        suppress_ratio: float = 0.5,
        factor: float = 0.25,
        interval: int = 10,
        samples: int = 3,
        rate: float = 10.0,
        seed: int = 0,
    ) -> None:
        self.layers = list(layers)
        count = len(self.layers)
        for name, ratio in (("update_ratio", update_ratio), ("suppress_ratio", suppress_ratio)):
            if not 0 < ratio <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, got {ratio}")
        for name, value in (("layers", count), ("interval", interval), ("samples", samples)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        self.parts = [[p for p in layer.parameters() if p.requires_grad] for layer in self.layers]
        self.scales = [self.find_scales(layer) for layer in self.layers]
        if not all(self.parts) or not all(self.scales):
            raise ValueError("layers must each hold a trainable adapter with a scale")
        self.updated = max(1, int(update_ratio * count))
        self.suppressed = max(1, int(suppress_ratio * count))
        # there may be fewer different sets than asked for
        self.samples = min(samples, math.comb(count, self.suppressed))
        self.factor, self.interval, self.rate = factor, interval, rate
        self.generator = torch.Generator().manual_seed(seed)
        self.importance = torch.zeros(count)  # I; the higher, the less important
        self.steps = 0

    def find_scales(self, layer: nn.Module) -> "list[tuple[nn.Module, str]]":
        names = ("scale", "scaling", "adapter_scaling")
        return [
            (part, name)
            for part in layer.modules()
            for name in names
            if isinstance(vars(part).get(name), (int, float, dict))
        ]

    def draw(self, weights: Tensor, count: int) -> "list[int]":
        """Different blocks, drawn with these weights."""
        chosen = torch.multinomial(weights, count, generator=self.generator)
        return sorted(chosen.tolist())

    def on_step_begin(self, loss_fn: "Callable[[], Tensor]") -> "list[int]":
        """Before each step; `loss_fn` is the loss on one batch. Returns the blocks that train."""
        self.steps += 1
        if self.steps % self.interval == 0:
            self.probe(loss_fn)
        chosen = self.draw(torch.sigmoid(-self.importance), self.updated)
        for index, parts in enumerate(self.parts):
            for part in parts:
                part.requires_grad_(index in chosen)
                part.grad = None
        return chosen

    @torch.no_grad()
    def probe(self, loss_fn: "Callable[[], Tensor]") -> None:
        """Learn from damped adapters which blocks matter."""
        p = torch.sigmoid(self.importance)
        sets: list[list[int]] = []
        while len(sets) < self.samples:
            chosen = self.draw(p, self.suppressed)
            if chosen not in sets:
                sets.append(chosen)
        modes = [(part, part.training) for layer in self.layers for part in layer.modules()]
        for layer in self.layers:
            layer.eval()
        # R_k = exp(-loss_k), centred
        R = torch.tensor([math.exp(-self.damped(chosen, loss_fn)) for chosen in sets])
        for part, mode in modes:
            part.training = mode
        for chosen, reward in zip(sets, R - R.mean()):
            # I += rate (R_k - mean R) p (1 - p), for the blocks that were damped
            self.importance[chosen] += self.rate * reward * (p * (1 - p))[chosen]

    def damped(self, chosen: "list[int]", loss_fn: "Callable[[], Tensor]") -> float:
        """The loss while the adapters of these blocks are damped."""
        kept: list[tuple[nn.Module, str, Any]] = []
        try:
            for index in chosen:
                for part, name in self.scales[index]:
                    value: Any = getattr(part, name)
                    kept.append((part, name, value))
                    if isinstance(value, dict):  # by name of the adapter, as in PEFT
                        setattr(part, name, {key: value[key] * self.factor for key in value})
                    else:
                        setattr(part, name, value * self.factor)
            return float(loss_fn())
        finally:
            for part, name, value in kept:
                setattr(part, name, value)


def adapted_blocks(model: nn.Module) -> "list[nn.Module]":
    """The longest nn.ModuleList or nn.Sequential of which every module trains; for IST.

    These are the blocks of a Transformer into which adapters were put (arXiv:2410.11772).
    """
    stacks = [
        list(part.children())
        for part in model.modules()
        if isinstance(part, (nn.ModuleList, nn.Sequential))
        and all(any(p.requires_grad for p in block.parameters()) for block in part.children())
    ]
    return max(stacks, key=len, default=[])
