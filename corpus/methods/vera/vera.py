import math

import torch
from torch import Tensor, nn


class VeRALinear(nn.Linear):
    """`nn.Linear` plus scaled random factors: VeRA (Kopiczko et al., 2024, arXiv:2310.11454).

    h = W x + b + lambda_b * B (lambda_d * A x), with W, b and the random A and B frozen; `lambda_b`
    and `lambda_d` are trained. lambda_b starts at zero, so the layer starts as the one it replaces;
    `weight` and `bias` keep their names, so its checkpoint loads.

    Each layer draws A and B from one seed, so layers of one size have equal factors;
    `share_vera_factors` gives all layers of a model slices of one pair, as in the paper.

    Args:
        rank: inner dimension r of the frozen factors, far above that of LoRA.
        d_initial: start of lambda_d.
        dropout: on the input of the update only, in [0, 1).
    """

    random_a: Tensor
    random_b: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 256,
        d_initial: float = 0.1,
        dropout: float = 0.0,
    ) -> None:
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.rank = rank
        self.dropout = nn.Dropout(dropout)
        self.lambda_b = nn.Parameter(self.weight.new_zeros(out_features))  # (out,)
        self.lambda_d = nn.Parameter(self.weight.new_full((rank,), d_initial))  # (r,)
        a, b = vera_factors(self.weight, rank, in_features, out_features)
        self.register_buffer("random_a", a)  # (r, in)
        self.register_buffer("random_b", b)  # (out, r)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # h = W x + b + lambda_b * B (lambda_d * A x)
        inner = self.lambda_d * (self.dropout(x) @ self.random_a.T)
        return nn.functional.linear(x, self.weight, self.bias) + self.lambda_b * (
            inner @ self.random_b.T
        )

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        update = self.lambda_b[:, None] * self.random_b @ (self.lambda_d[:, None] * self.random_a)
        return self.weight + update

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the update folded in: W + diag(lambda_b) B diag(lambda_d) A."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


def vera_factors(
    like: Tensor, rank: int, in_features: int, out_features: int, seed: int = 0
) -> "tuple[Tensor, Tensor]":
    """The random A (r, in) and B (out, r) of VeRA: Kaiming-uniform, A first, from one seed."""
    if like.is_meta:  # a layer built without memory gets them from its checkpoint
        return like.new_empty(rank, in_features), like.new_empty(out_features, rank)
    generator = torch.Generator().manual_seed(seed)
    factors = []
    for rows, columns in ((rank, in_features), (out_features, rank)):
        bound = math.sqrt(6 / columns)
        factor = torch.rand(rows, columns, generator=generator) * 2 * bound - bound
        factors.append(factor.to(like))
    return factors[0], factors[1]


def share_vera_factors(model: nn.Module, seed: int = 0) -> None:
    """Give all VeRA layers of `model` slices of one pair of factors, as large as its largest layer.

    Call it after building the model and before a checkpoint is loaded. Moving the model to another
    device copies the slices; call it again there to save that memory.
    """
    layers = [module for module in model.modules() if isinstance(module, VeRALinear)]
    if not layers:  # a configuration may build none
        return
    like, rank = layers[0].weight, max(layer.rank for layer in layers)
    widest = max(layer.in_features for layer in layers)
    tallest = max(layer.out_features for layer in layers)
    a, b = vera_factors(like, rank, widest, tallest, seed)
    for layer in layers:
        layer.random_a = a[: layer.rank, : layer.in_features]
        layer.random_b = b[: layer.out_features, : layer.rank]
