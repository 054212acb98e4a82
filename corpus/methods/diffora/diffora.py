import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class GatedLoRALinear(nn.Linear):
    """`nn.Linear` with a low-rank update behind a trained gate: DiffoRA (Jiang et al., 2025).

    h = W x + b + sigmoid(gate) * alpha / rank * B A x (arXiv:2502.08905), with W and b frozen. B
    starts at zero, so the layer starts as the one it replaces. `discretize_` turns the gates into
    0 and 1 after the search. Reconstructed from the paper's outline: there is no released code, and
    the sigmoid, the alternating steps and the rounding are inferred.

    Args:
        rank: inner dimension r of the update, 1 to min(in_features, out_features).
        alpha: numerator of the scale.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 8,
        alpha: float = 16.0,
    ) -> None:
        largest = min(in_features, out_features)
        if not 1 <= rank <= largest:
            raise ValueError(f"rank must be between 1 and {largest}, got {rank}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.scale = alpha / rank
        self.lora_A = nn.Parameter(self.weight.new_empty(rank, in_features))  # (r, in)
        self.lora_B = nn.Parameter(self.weight.new_zeros(out_features, rank))  # (out, r)
        # after `discretize_` it is inf or -inf, whose sigmoid is exactly 1 or 0
        self.gate = nn.Parameter(self.weight.new_zeros(()))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # h = W x + b + sigmoid(gate) (alpha / r) B A x
        weight = self.scale * self.gate.sigmoid()
        return nn.functional.linear(x, self.weight, self.bias) + weight * (
            x @ self.lora_A.T @ self.lora_B.T
        )

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        update = self.scale * self.gate.sigmoid() * self.lora_B @ self.lora_A
        return self.weight + update

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the gated update folded in."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


class DifferentialModuleSearch:
    """First-order search over gates, as reconstructed for DiffoRA (arXiv:2502.08905).

    Each step trains what is no gate on a batch of training data, then the gates on a batch of held-
    out data. Give each optimiser its own parameters; `discretize_` ends the search.

    Args:
        model: holds GatedLoRALinear layers.
        loss_fn: the loss of a model on a batch.
        weight_optimizer: trains the updates.
        gate_optimizer: trains the gates.
    """

    def __init__(
        self,
        model: nn.Module,
        loss_fn: "Callable[[nn.Module, Any], Tensor]",
        weight_optimizer: torch.optim.Optimizer,
        gate_optimizer: torch.optim.Optimizer,
    ) -> None:
        gates = {part.gate for part in model.modules() if isinstance(part, GatedLoRALinear)}
        if not gates:
            raise ValueError("model has no GatedLoRALinear layer")
        trained = [part for part in model.parameters() if part.requires_grad]
        self.gates = [part for part in trained if part in gates]
        self.weights = [part for part in trained if part not in gates]
        self.model, self.loss_fn = model, loss_fn
        self.weight_optimizer, self.gate_optimizer = weight_optimizer, gate_optimizer

    def step(self, train_batch: Any, held_out_batch: Any) -> "tuple[Tensor, Tensor]":
        """One step of the weights and one of the gates; returns both losses."""
        first = self.descend(self.weights, self.weight_optimizer, train_batch)
        second = self.descend(self.gates, self.gate_optimizer, held_out_batch)
        return first, second

    def descend(
        self, parts: "list[nn.Parameter]", optimizer: torch.optim.Optimizer, batch: Any
    ) -> Tensor:
        loss = self.loss_fn(self.model, batch)
        gradients = torch.autograd.grad(loss, parts, allow_unused=True)
        for part, gradient in zip(parts, gradients):
            part.grad = gradient
        optimizer.step()
        for part in parts:
            part.grad = None
        return loss.detach()


@torch.no_grad()
def discretize_(model: nn.Module, keep_ratio: float = 0.5) -> "list[str]":
    """Keep the share of layers with the largest gates, and return their names.

    Their gates become 1, those of the others 0, and their updates freeze (arXiv:2502.08905, with
    the count taken over the whole model). Build the optimiser of the fine-tuning after it.
    """
    if not 0 <= keep_ratio <= 1:
        raise ValueError(f"keep_ratio must be between 0 and 1, got {keep_ratio}")
    layers: list[tuple[str, GatedLoRALinear]] = [
        (name, part) for name, part in model.named_modules() if isinstance(part, GatedLoRALinear)
    ]
    if not layers:
        raise ValueError("model has no GatedLoRALinear layer")
    order = sorted(layers, key=lambda item: float(item[1].gate), reverse=True)
    kept = {name for name, _ in order[: int(keep_ratio * len(layers))]}
    for name, layer in layers:
        layer.gate.fill_(math.inf if name in kept else -math.inf)
        layer.gate.requires_grad_(False)
        for part in (layer.gate, layer.lora_A, layer.lora_B):
            part.grad = None
        for part in (layer.lora_A, layer.lora_B):
            part.requires_grad_(name in kept)
    return [name for name, _ in layers if name in kept]
