import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class AsideConnectedEncoder(nn.Module):
    """Blocks with trainable modules aside that form one path: IAA (Ma et al., 2022, 2208.09847).

    per_layer: h_l = Layer_l(h_{l-1}) + U_l f(D_l h_{l-1}), so that gradients travel from layer to
    layer through trainable modules alone; shared: the same U and D at all layers; chained: a small
    state a_l = a_{l-1} + f(D_l h_{l-1}) and h_l = Layer_l(h_{l-1}) + U_l a_l. U starts at zero, so
    the encoder starts as it was. No code is released: that aside modules connect the layers is the
    paper's, this wiring is a reconstruction. Adapters inside the layers are put there apart.

    Args:
        layers: the blocks, which freeze but for the adapters already in them.
        d_model: width of the hidden states.
        bottleneck: inner size.
        mode: per_layer, shared or chained.
        inside: classes of adapters inside the layers that keep training.
    """

    def __init__(
        self,
        layers: Iterable[nn.Module],
        d_model: int,
        bottleneck: int = 16,
        mode: str = "per_layer",
        *,
        inside: tuple[type[nn.Module], ...] = (),
    ) -> None:
        blocks = list(layers)
        if not blocks:
            raise ValueError("layers must hold at least one module")
        if d_model < 1:
            raise ValueError(f"d_model must be at least 1, got {d_model}")
        if bottleneck < 1:
            raise ValueError(f"bottleneck must be at least 1, got {bottleneck}")
        if mode not in ("per_layer", "shared", "chained"):
            raise ValueError(f"mode must be per_layer, shared or chained, got {mode}")
        super().__init__()
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
        self.mode = mode
        count = 1 if mode == "shared" else len(blocks)
        like: dict[str, Any] = {}
        for part in self.layers.parameters():
            like = {"device": part.device, "dtype": part.dtype}
            break
        # plain parameters: a model-wide initialiser of nn.Linear must not undo the zeros
        self.down_weight = nn.Parameter(torch.empty(count, bottleneck, d_model, **like))
        self.down_bias = nn.Parameter(torch.zeros(count, bottleneck, **like))
        self.up_weight = nn.Parameter(torch.zeros(count, d_model, bottleneck, **like))
        self.up_bias = nn.Parameter(torch.zeros(count, d_model, **like))
        for weight in self.down_weight.data:
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5))

    def forward(self, x: Tensor, *arguments: Any, **keywords: Any) -> Tensor:
        # (B, T, d) -> (B, T, d); further arguments go to every layer
        aside = x.new_zeros(())
        for number, layer in enumerate(self.layers):
            index = 0 if self.mode == "shared" else number
            low = F.gelu(F.linear(x, self.down_weight[index], self.down_bias[index]))
            aside = aside + low if self.mode == "chained" else low  # (B, T, bottleneck)
            output = layer(x, *arguments, **keywords)
            hidden: Tensor = output[0] if isinstance(output, tuple) else output
            x = hidden + F.linear(aside, self.up_weight[index], self.up_bias[index])
        return x
