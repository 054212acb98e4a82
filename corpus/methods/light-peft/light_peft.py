from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class EarlyPruneMasks(nn.Module):
    """Trained masks of heads and neurons: Light-PEFT (Gu et al., 2024, arXiv:2406.03792).

    One for each block: attention probabilities are multiplied by the mask of their head, inner
    activations of the feed-forward network by that of their neuron. All start at one, so the model
    starts unchanged; `penalty` pulls those that do not help to zero in a short first phase.

    Args:
        heads: attention heads of the block.
        neurons: inner size of its feed-forward network.
    """

    def __init__(
        self,
        heads: int,
        neurons: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
    ) -> None:
        for name, value in (("heads", heads), ("neurons", neurons)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        super().__init__()
        self.head_mask = nn.Parameter(torch.ones(heads, device=device, dtype=dtype))
        self.neuron_mask = nn.Parameter(torch.ones(neurons, device=device, dtype=dtype))

    def attention(self, probabilities: Tensor) -> Tensor:  # (B, heads, T, T)
        """Attention probabilities, each head times its mask."""
        return probabilities * self.head_mask[:, None, None]

    def feed_forward(self, hidden: Tensor) -> Tensor:  # (..., neurons)
        """Inner activations, each neuron times its mask."""
        return hidden * self.neuron_mask

    def penalty(self, weight: float = 1e-4) -> Tensor:
        """weight * (|head_mask|_1 + |neuron_mask|_1), to be added to the loss."""
        return weight * (self.head_mask.abs().sum() + self.neuron_mask.abs().sum())


class PruneMaskedLinear(nn.Linear):
    """`nn.Linear` whose inputs have trained masks: Light-PEFT (Gu et al., 2024, arXiv:2406.03792).

    y = W (c * x) + b, with W and b frozen and one entry of c for each `group` of inputs. In the
    projection after attention a group is a head: c scales its attention probabilities. In the
    second layer of a feed-forward network each neuron has its own. All start at one, so the layer
    starts as the one it replaces; `weight` and `bias` keep their names, so its checkpoint loads.

    Args:
        group: inputs that one entry scales, a divisor of in_features.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        group: int = 1,
    ) -> None:
        if group < 1 or in_features % group:
            raise ValueError(f"group must divide in_features {in_features}, got {group}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.group = group
        self.prune_mask = nn.Parameter(self.weight.new_ones(in_features // group))  # (in / group,)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return F.linear(x * self.prune_mask.repeat_interleave(self.group), self.weight, self.bias)


def mask_penalty(model: nn.Module, *, weight: float = 1e-4) -> Tensor:
    """weight * |c|_1 over all masks of a model, to be added to the loss (arXiv:2406.03792)."""
    masks: list[Tensor] = []
    for part in model.modules():
        if isinstance(part, PruneMaskedLinear):
            masks.append(part.prune_mask)
        elif isinstance(part, EarlyPruneMasks):
            masks += [part.head_mask, part.neuron_mask]
    if not masks:
        raise ValueError("model must hold masks: put PruneMaskedLinear or EarlyPruneMasks into it")
    return weight * torch.stack([mask.abs().sum() for mask in masks]).sum()


class LoRAImportance:
    """How much a LoRA layer and each of its ranks matter: Light-PEFT (arXiv:2406.03792).

    Works on layers that subclass `nn.Linear` and hold `lora_A` (r, in) and `lora_B` (out, r). Call
    `step()` after each backward pass of the estimation phase, from its second half on; `close()`
    ends it. `module` is the mean of |dy| / |W x + b| over tokens, `ranks` the mean of
    |mean_in(A * dA)| + |mean_out(B * dB)| over steps, one for each rank.
    """

    def __init__(self, layer: nn.Linear) -> None:
        self.layer = layer
        self.A, self.B = layer.get_parameter("lora_A"), layer.get_parameter("lora_B")
        self.ratio = 0.0  # of the forward passes since the last step
        self.passes = 0
        self.steps = 0
        self.module_sum = 0.0
        self.rank_sum = torch.zeros(len(self.A))
        self.hook = layer.register_forward_hook(self.look)

    @torch.no_grad()
    def look(self, layer: nn.Module, inputs: "tuple[Any, ...]", output: Tensor) -> None:
        base = F.linear(inputs[0], self.layer.weight, self.layer.bias)
        norms = base.norm(dim=-1).clamp_min(torch.finfo(base.dtype).tiny)
        self.ratio += float(((output - base).norm(dim=-1) / norms).mean())
        self.passes += 1

    @torch.no_grad()
    def step(self) -> None:
        """After a backward pass, before gradients are cleared."""
        if self.A.grad is None or self.B.grad is None:
            raise ValueError("layer must have gradients: call step() after the backward pass")
        of_A = (self.A * self.A.grad).mean(1).abs()  # (r,)
        of_B = (self.B * self.B.grad).mean(0).abs()
        self.rank_sum += (of_A + of_B).float().cpu()
        self.module_sum += self.ratio / max(1, self.passes)
        self.ratio, self.passes = 0.0, 0
        self.steps += 1

    @property
    def module(self) -> float:
        """Score of the whole layer."""
        return self.module_sum / max(1, self.steps)

    @property
    def ranks(self) -> Tensor:  # (r,)
        """Score of each rank."""
        return self.rank_sum / max(1, self.steps)

    def close(self) -> None:
        """Stop looking."""
        self.hook.remove()


def keep_above(scores: "Iterable[Tensor]", prune: float) -> "list[list[int]]":
    """Indices to keep in each group: those above the quantile `prune` of all scores together."""
    groups = [group.detach().float().cpu() for group in scores]
    if not 0 <= prune < 1:
        raise ValueError(f"prune must be at least 0 and below 1, got {prune}")
    order = torch.cat(groups).argsort(stable=True)
    dropped = set(order[: int(prune * len(order))].tolist())
    kept: list[list[int]] = []
    start = 0
    for group in groups:
        kept.append([index for index in range(len(group)) if start + index not in dropped])
        start += len(group)
    return kept


def select_entries(part: Tensor, index: "Sequence[int]", dim: int) -> nn.Parameter:
    """The rows or columns of a parameter that `index` names, in that order."""
    chosen = torch.tensor(list(index), dtype=torch.long, device=part.device)
    return nn.Parameter(part.detach().index_select(dim, chosen), requires_grad=part.requires_grad)


def prune_lora_ranks_(layer: nn.Linear, keep: "Sequence[int]") -> None:
    """Remove all ranks of a LoRA layer but those of `keep`; the scale stays as it was."""
    layer.lora_A = select_entries(layer.get_parameter("lora_A"), keep, 0)
    layer.lora_B = select_entries(layer.get_parameter("lora_B"), keep, 1)


def keep_outputs_(layer: nn.Linear, keep: "Sequence[int]") -> None:
    """Remove all outputs of a layer, LoRA or not, but those of `keep`."""
    layer.weight = select_entries(layer.weight, keep, 0)
    if layer.bias is not None:
        layer.bias = select_entries(layer.bias, keep, 0)
    if hasattr(layer, "lora_B"):
        layer.lora_B = select_entries(layer.get_parameter("lora_B"), keep, 0)
    layer.out_features = len(keep)


def keep_inputs_(layer: nn.Linear, keep: "Sequence[int]") -> None:
    """Remove all inputs of a layer, LoRA or not, but those of `keep`."""
    layer.weight = select_entries(layer.weight, keep, 1)
    if hasattr(layer, "lora_A"):
        layer.lora_A = select_entries(layer.get_parameter("lora_A"), keep, 1)
    layer.in_features = len(keep)


def prune_neurons_(up: nn.Linear, down: nn.Linear, keep: "Sequence[int]") -> None:
    """Remove all inner neurons of a feed-forward network but those of `keep`.

    The masks that scaled them are no part of it: fold those that stay in, or drop them.
    """
    keep_outputs_(up, keep)
    keep_inputs_(down, keep)


def prune_attention_heads_(
    readers: "Sequence[nn.Linear]", output: nn.Linear, keep: "Sequence[int]", head_size: int
) -> None:
    """Remove all heads but those of `keep`: in query, key and value, and in the projection after.

    The attention module must be told its new number of heads.
    """
    rows = [head * head_size + index for head in keep for index in range(head_size)]
    for layer in readers:
        keep_outputs_(layer, rows)
    keep_inputs_(output, rows)
