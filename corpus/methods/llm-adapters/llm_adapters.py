import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BottleneckLinear(nn.Linear):
    """`nn.Linear` with a bottleneck beside it: LLM-Adapters (Hu et al., 2023, arXiv:2304.01933).

    Parallel form: h = W x + b + scale * U f(D x), with W and b frozen and D, U without bias. U
    starts at zero, so the layer starts as the one it replaces and loads its checkpoint.
    `SeriesInLinear` and `SeriesOutLinear` put the bottleneck before or after the layer.

    Args:
        bottleneck: inner size.
        activation: name of a function in `torch` or `torch.nn.functional`.
        scale: factor of the bottleneck's output.
        learn_scale: train the factor too.
        dropout: on the output of the bottleneck, in [0, 1).
        init: "zero_up", or "bert" for D and U drawn with standard deviation 0.02, which does not
            start as the layer it replaces.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        bottleneck: int = 256,
        activation: str = "tanh",
        scale: float = 1.0,
        learn_scale: bool = False,
        dropout: float = 0.0,
        init: str = "zero_up",
    ) -> None:
        if bottleneck < 1:
            raise ValueError(f"bottleneck must be at least 1, got {bottleneck}")
        if not callable(getattr(F, activation, getattr(torch, activation, None))):
            raise ValueError(f"activation must name a function of torch, got {activation}")
        if init not in ("zero_up", "bert"):
            raise ValueError(f'init must be "zero_up" or "bert", got "{init}"')
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        # torch.tanh, as that of torch.nn.functional is deprecated
        self.activation = getattr(torch if hasattr(torch, activation) else F, activation)
        self.dropout = nn.Dropout(dropout)
        self.scale = nn.Parameter(self.weight.new_tensor(scale)) if learn_scale else scale
        inner, outer = self.widths()
        self.adapter_down = nn.Parameter(self.weight.new_empty(bottleneck, inner))  # D
        self.adapter_up = nn.Parameter(self.weight.new_zeros(outer, bottleneck))  # U
        if init == "bert":
            nn.init.normal_(self.adapter_down, std=0.02)
            nn.init.normal_(self.adapter_up, std=0.02)
        else:
            nn.init.kaiming_uniform_(self.adapter_down, a=math.sqrt(5))

    def widths(self) -> "tuple[int, int]":
        """Sizes of what the bottleneck reads and writes."""
        return self.in_features, self.out_features

    def adapter(self, x: Tensor) -> Tensor:
        """scale * U f(D x)"""
        hidden: Tensor = self.activation(F.linear(x, self.adapter_down))
        return self.scale * self.dropout(F.linear(hidden, self.adapter_up))

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return F.linear(x, self.weight, self.bias) + self.adapter(x)


class SeriesInLinear(BottleneckLinear):
    """`nn.Linear` with a bottleneck before it: LLM-Adapters (Hu et al., 2023, arXiv:2304.01933).

    h = W (x + scale * U f(D x)) + b, as for gate and up projections; else as `BottleneckLinear`.
    """

    def widths(self) -> "tuple[int, int]":
        return self.in_features, self.in_features

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return F.linear(x + self.adapter(x), self.weight, self.bias)


class SeriesOutLinear(BottleneckLinear):
    """`nn.Linear` with a bottleneck after it: LLM-Adapters (Hu et al., 2023, arXiv:2304.01933).

    y = W x + b, h = y + scale * U f(D y), as for down projections; else as `BottleneckLinear`.
    """

    def widths(self) -> "tuple[int, int]":
        return self.out_features, self.out_features

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        y = F.linear(x, self.weight, self.bias)
        return y + self.adapter(y)


def apply_llm_adapters(
    model: nn.Module, targets: "Mapping[str, type[BottleneckLinear]]", **options: Any
) -> "list[nn.Parameter]":
    """Adapt every `nn.Linear` of `model` whose name is in `targets`, and freeze the rest.

    Returns what to optimise. Weights are shared, not copied, so it can follow the loading of a
    checkpoint: apply_llm_adapters(model, {"down_proj": SeriesOutLinear}, bottleneck=256).
    """
    found = [
        (parent, name, base)
        for parent in model.modules()
        for name, base in parent.named_children()
        if name in targets and isinstance(base, nn.Linear)
    ]
    missing = set(targets) - {name for _, name, _ in found}
    if missing:
        raise ValueError(f"targets must name nn.Linear layers of the model: {sorted(missing)}")
    model.requires_grad_(False)
    for parent, name, base in found:
        sizes = base.in_features, base.out_features, base.bias is not None
        layer = targets[name](*sizes, base.weight.device, base.weight.dtype, **options)
        layer.weight, layer.bias = base.weight, base.bias
        setattr(parent, name, layer)
    return [part for part in model.parameters() if part.requires_grad]
