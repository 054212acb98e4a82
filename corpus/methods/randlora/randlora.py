import math

import torch
from torch import Tensor, nn


class RandLoRALinear(nn.Linear):
    """`nn.Linear` plus scaled random products: RandLoRA (Albert et al., 2025, arXiv:2502.00987).

    h = W x + b + (alpha / rank) * sum over n of B_n L_n A G_n x, with W, b and the random A and B_n
    frozen and the diagonals L_n and G_n trained. There are as many products as give full rank. L
    starts at zero, so the layer starts as the one it replaces; `weight` and `bias` keep their
    names, so its checkpoint loads.

    Each layer draws A and B from one seed; `share_randlora_factors` gives all layers of a model
    slices of one pair. Terms pair rows of A and columns of B in the order of PEFT.

    Args:
        rank: of each product; the larger, the fewer products and parameters.
        alpha: numerator of the scale, about twenty times the rank.
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
        rank: int = 32,
        alpha: float = 640.0,
        dropout: float = 0.0,
    ) -> None:
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.scale = alpha / rank
        self.rank = rank
        self.dropout = nn.Dropout(dropout)
        short, long = sorted((in_features, out_features))
        self.terms = math.ceil(short / rank)
        new = self.weight
        self.randlora_lambda = nn.Parameter(new.new_zeros(rank, self.terms))  # (r, N)
        gamma = new.new_full((self.terms, short), 1 / max(self.terms, short))
        self.randlora_gamma = nn.Parameter(gamma)  # (N, short)
        a, b = randlora_factors(new, rank, self.terms, short, long)
        self.register_buffer("random_a", a)  # (r, 1, short)
        self.register_buffer("random_b", b)  # (long, N, r)

    def factors(self) -> "tuple[Tensor, Tensor]":
        """The stacked products as two factors, (r N, short) and (long, r N)."""
        rows = self.randlora_lambda[:, :, None] * self.random_a * self.randlora_gamma
        return rows.flatten(0, 1), self.random_b.flatten(1)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        rows, columns = self.factors()
        x_dropped = self.dropout(x)
        if self.in_features <= self.out_features:
            y = x_dropped @ rows.T @ columns.T
        else:
            y = x_dropped @ columns @ rows
        return super().forward(x) + self.scale * y

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        rows, columns = self.factors()
        wide = self.in_features <= self.out_features
        update = columns @ rows  # (long, short)
        return self.weight + self.scale * (update if wide else update.T)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the update folded in."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


def randlora_factors(
    like: Tensor, rank: int, terms: int, short: int, long: int, seed: int = 0
) -> "tuple[Tensor, Tensor]":
    """The random A (r, 1, short) and B (long, N, r): uniform, of standard deviation one."""
    shapes = ((rank, 1, short), (long, terms, rank))
    if like.is_meta:  # a layer built without memory gets them from its checkpoint
        return like.new_empty(shapes[0]), like.new_empty(shapes[1])
    generator = torch.Generator().manual_seed(seed)
    bound = math.sqrt(3)
    drawn = [torch.rand(shape, generator=generator) * 2 * bound - bound for shape in shapes]
    return drawn[0].to(like), drawn[1].to(like)


def share_randlora_factors(model: nn.Module, seed: int = 0) -> None:
    """Give all RandLoRA layers of `model` slices of one pair of factors.

    Call it after building the model and before a checkpoint is loaded. Moving the model to another
    device copies the slices; call it again there to save that memory.
    """
    layers = [module for module in model.modules() if isinstance(module, RandLoRALinear)]
    if not layers:  # a configuration may build none
        return
    rank = max(layer.rank for layer in layers)
    sizes = [sorted((layer.in_features, layer.out_features)) for layer in layers]
    terms = max(layer.terms for layer in layers)
    short, long = max(size[0] for size in sizes), max(size[1] for size in sizes)
    a, b = randlora_factors(layers[0].weight, rank, terms, short, long, seed)
    for layer, (least, most) in zip(layers, sizes):
        layer.random_a = a[: layer.rank, :, :least]
        layer.random_b = b[:most, : layer.terms, : layer.rank]
