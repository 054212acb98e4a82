import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class QueryAdapter(nn.Module):
    """Learned queries in a frozen vision encoder: Q-Adapter (Chen et al., 2025, arXiv:2510.10022).

    X + sigmoid(W_g X~ + b_g) ⊙ W_up Attn(X~, Z), with X~ = W_dn X and Z = Attn(T, X~): queries T
    gather what matters for the text from the patches, and the patches read it back through a gate.
    W_up starts at zero, so the block starts as the one it was. No code is released: the queries and
    the gate are the paper's, how they are wired is a reconstruction.

    Args:
        width: size of the last dimension of the input.
        bottleneck: inner size r.
        num_queries: learned queries.
        heads: attention heads; must divide the bottleneck.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        bottleneck: int = 64,
        num_queries: int = 16,
        heads: int = 4,
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if bottleneck < 1:
            raise ValueError(f"bottleneck must be at least 1, got {bottleneck}")
        if num_queries < 1:
            raise ValueError(f"num_queries must be at least 1, got {num_queries}")
        if heads < 1 or bottleneck % heads:
            raise ValueError(f"heads must divide the bottleneck {bottleneck}, got {heads}")
        super().__init__()
        self.heads = heads

        def weight(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(shape, device=device, dtype=dtype))

        # plain parameters: a model-wide initialiser of nn.Linear must not undo the zeros
        self.queries = weight(num_queries, bottleneck)
        self.down_weight = weight(bottleneck, width)
        self.gather = weight(4, bottleneck, bottleneck)  # query, key, value and output
        self.read = weight(4, bottleneck, bottleneck)
        self.up_weight = weight(width, bottleneck)
        self.gate_weight = weight(width, bottleneck)
        self.gate_bias = weight(width)
        nn.init.normal_(self.queries, std=0.02)
        nn.init.kaiming_uniform_(self.down_weight, a=math.sqrt(5))
        nn.init.kaiming_uniform_(self.gate_weight, a=math.sqrt(5))
        for matrix in (*self.gather.data, *self.read.data):
            nn.init.xavier_uniform_(matrix)

    def attention(self, weights: Tensor, x: Tensor, memory: Tensor) -> Tensor:
        # x (..., N, r), memory (..., M, r) -> (..., N, r)
        def split(tokens: Tensor, matrix: Tensor) -> Tensor:  # -> (..., heads, N, r / heads)
            return F.linear(tokens, matrix).unflatten(-1, (self.heads, -1)).transpose(-3, -2)

        query = split(x, weights[0])
        key, value = split(memory, weights[1]), split(memory, weights[2])
        scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
        return F.linear((scores.softmax(-1) @ value).transpose(-3, -2).flatten(-2), weights[3])

    def forward(self, x: Tensor) -> Tensor:  # (..., N, width) -> (..., N, width)
        low = F.linear(x, self.down_weight)  # X~
        gathered = self.attention(self.gather, self.queries.expand(*x.shape[:-2], -1, -1), low)
        gate = torch.sigmoid(F.linear(low, self.gate_weight, self.gate_bias))
        return x + gate * F.linear(self.attention(self.read, low, gathered), self.up_weight)


def insert_query_adapters(
    vision_encoder: nn.Module,
    layers: "Iterable[nn.Module]",
    *,
    width: int,
    bottleneck: int = 64,
    num_queries: int = 16,
    heads: int = 4,
) -> "list[QueryAdapter]":
    """Put an adapter behind each of `layers` of `vision_encoder`, whose own weights freeze.

    The adapter becomes a part of its layer, so that the layer keeps the names of its parameters.
    """
    chosen = list(layers)
    inside = list(vision_encoder.modules())
    if not chosen or any(layer not in inside for layer in chosen):
        raise ValueError("layers must be modules of vision_encoder")
    vision_encoder.requires_grad_(False)
    like = next(vision_encoder.parameters())
    hook: Any = apply_query_adapter  # PyTorch 1.13 declares hooks to return nothing
    adapters: list[QueryAdapter] = []
    for layer in chosen:
        adapter = QueryAdapter(
            width, like.device, like.dtype,
            bottleneck=bottleneck, num_queries=num_queries, heads=heads,
        )  # fmt: skip
        layer.add_module("query_adapter", adapter)
        layer.register_forward_hook(hook)
        adapters.append(adapter)
    return adapters


def apply_query_adapter(layer: nn.Module, _: object, output: Any) -> Any:
    """The hook; it finds the adapter in the layer, so that a deep copy works."""
    adapter = layer.get_submodule("query_adapter")
    return (adapter(output[0]), *output[1:]) if isinstance(output, tuple) else adapter(output)
