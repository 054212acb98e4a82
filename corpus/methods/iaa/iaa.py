import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class AsideModules(nn.Module):
    """Trainable modules aside of frozen blocks that form one path: IAA (Ma et al., 2208.09847).

    per_layer: h_l = Layer_l(h_{l-1}) + U_l f(D_l h_{l-1}), so that gradients travel from layer to
    layer through trainable modules alone; shared: the same U and D at all layers; chained: a small
    state a_l = a_{l-1} + f(D_l h_{l-1}) and h_l = Layer_l(h_{l-1}) + U_l a_l. U starts at zero, so
    the stack starts as it was. No code is released: that aside modules connect the layers is the
    paper's, this wiring is a reconstruction. Adapters inside the layers are put there apart.

    Args:
        width: size of the hidden states.
        depth: blocks of the stack.
        bottleneck: inner size.
        mode: per_layer, shared or chained.
    """

    def __init__(
        self,
        width: int,
        depth: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        bottleneck: int = 16,
        mode: str = "per_layer",
    ) -> None:
        for name, value in (("width", width), ("depth", depth), ("bottleneck", bottleneck)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if mode not in ("per_layer", "shared", "chained"):
            raise ValueError(f"mode must be per_layer, shared or chained, got {mode}")
        super().__init__()
        self.mode = mode
        count = 1 if mode == "shared" else depth

        def zeros(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(shape, device=device, dtype=dtype))

        # plain parameters: a model-wide initialiser of nn.Linear must not undo the zeros
        self.down_weight = zeros(count, bottleneck, width)
        self.down_bias = zeros(count, bottleneck)
        self.up_weight = zeros(count, width, bottleneck)
        self.up_bias = zeros(count, width)
        for weight in self.down_weight.data:
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5))

    def beside(
        self, x: Tensor, layer: int, state: "Tensor | None" = None
    ) -> "tuple[Tensor, Tensor]":
        """What layer `layer` gets beside its own output for its input `x`, and the state a_l."""
        index = 0 if self.mode == "shared" else layer
        low = F.gelu(F.linear(x, self.down_weight[index], self.down_bias[index]))
        if self.mode == "chained" and state is not None:
            low = state + low  # a_l = a_{l-1} + f(D_l h_{l-1}), (B, T, bottleneck)
        return F.linear(low, self.up_weight[index], self.up_bias[index]), low


class AsideConnectedEncoder(AsideModules):
    """A stack of blocks with the modules of `AsideModules`: IAA (Ma et al., 2022, 2208.09847).

    Args:
        layers: the blocks, which freeze but for the adapters already in them.
        d_model: width of the hidden states.
        bottleneck: inner size.
        mode: per_layer, shared or chained.
        inside: classes of adapters inside the layers that keep training.
    """

    def __init__(
        self,
        layers: "Iterable[nn.Module]",
        d_model: int,
        bottleneck: int = 16,
        mode: str = "per_layer",
        *,
        inside: "tuple[type[nn.Module], ...]" = (),
    ) -> None:
        blocks = list(layers)
        if not blocks:
            raise ValueError("layers must hold at least one module")
        like: dict[str, Any] = {}
        for part in nn.ModuleList(blocks).parameters():
            like = {"device": part.device, "dtype": part.dtype}
            break
        super().__init__(d_model, len(blocks), **like, bottleneck=bottleneck, mode=mode)
        self.layers = nn.ModuleList(blocks)
        kept = [
            part
            for module in self.layers.modules()
            if isinstance(module, inside)
            for part in module.parameters()
            if part.requires_grad
        ]
        self.layers.requires_grad_(False)
        for part in kept:
            part.requires_grad_(True)

    def forward(self, x: Tensor, *arguments: Any, **keywords: Any) -> Tensor:
        # (B, T, d) -> (B, T, d); further arguments go to every layer
        state: Tensor | None = None
        for number, layer in enumerate(self.layers):
            aside, state = self.beside(x, number, state)
            output = layer(x, *arguments, **keywords)
            hidden: Tensor = output[0] if isinstance(output, tuple) else output
            x = hidden + aside
        return x
