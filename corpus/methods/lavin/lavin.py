from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MixtureOfModalityAdapter(nn.Module):
    """Routed linear adapter of LaVIN (Luo et al., 2023, arXiv:2305.15023).

    x + s * (w_0 (W_B z + b_B) + w_1 (W_D z + b_D)) with z = dropout(W_A x + b_A) and the weights
    w = softmax((W_r x_0 + b_r) / temperature) read from the first token, which tells the modality.
    W_B and W_D are block diagonal and start at zero, so the block starts as the one it was. There
    is no nonlinearity: for fixed weights it folds into the next layer (`merge_into`).

    Args:
        width: size of the last dimension of the input.
        hidden: inner size.
        groups: blocks of W_B and W_D; must divide hidden and width.
        scale: s.
        temperature: of the softmax; large values mix both paths evenly.
        dropout: on z, in [0, 1).
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        hidden: int = 8,
        groups: int = 2,
        scale: float = 1.0,
        temperature: float = 10.0,
        dropout: float = 0.1,
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if hidden < 1:
            raise ValueError(f"hidden must be at least 1, got {hidden}")
        if groups < 1 or hidden % groups or width % groups:
            raise ValueError(f"groups must divide hidden {hidden} and width {width}, got {groups}")
        if temperature <= 0:
            raise ValueError(f"temperature must be above 0, got {temperature}")
        super().__init__()
        self.scale = scale
        self.temperature = temperature
        self.dropout = nn.Dropout(dropout)

        def zeros(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(shape, device=device, dtype=dtype))

        # plain parameters: a model-wide initialiser of nn.Linear must not undo the zeros
        self.down_weight = zeros(hidden, width)
        self.down_bias = zeros(hidden)
        self.up_weight = zeros(2, groups, width // groups, hidden // groups)  # W_B and W_D
        self.up_bias = zeros(2, width)
        self.router_weight = zeros(2, width)
        self.router_bias = zeros(2)
        nn.init.xavier_uniform_(self.down_weight)
        nn.init.uniform_(self.router_weight, -(width**-0.5), width**-0.5)
        nn.init.uniform_(self.router_bias, -(width**-0.5), width**-0.5)

    def route(self, x: Tensor) -> Tensor:  # (..., L, width) -> (..., 2)
        """The weights of the two paths; keep those of the prompt while generating."""
        logits = F.linear(x[..., 0, :], self.router_weight, self.router_bias)
        return (logits / self.temperature).softmax(-1)

    def forward(self, x: Tensor, weights: "Tensor | None" = None) -> Tensor:
        # (..., L, width) -> (..., L, width)
        weights = self.route(x) if weights is None else weights
        z = self.dropout(F.linear(x, self.down_weight, self.down_bias))  # (..., L, hidden)
        parts = z.unflatten(-1, (self.up_weight.shape[1], -1))  # (..., L, groups, hidden / groups)
        paths = torch.einsum("...lgh,pgoh->...lpgo", parts, self.up_weight).flatten(-2)
        update = (weights[..., None, :, None] * (paths + self.up_bias)).sum(-2)
        return x + self.scale * update

    @torch.no_grad()
    def merge_into(self, linear: nn.Linear, weights: Tensor) -> nn.Linear:
        """A layer that does `linear` after this adapter at fixed `weights` (2,): W (I + U), W c."""
        first, second = (torch.block_diag(*path) for path in self.up_weight)  # (width, hidden)
        mixed = self.scale * (weights[0] * first + weights[1] * second)
        shift = mixed @ self.down_bias + self.scale * (weights @ self.up_bias)
        merged = nn.Linear(linear.in_features, linear.out_features).to(linear.weight)
        merged.weight.copy_(linear.weight + linear.weight @ mixed @ self.down_weight)
        merged.bias.copy_(linear.weight @ shift)
        if linear.bias is not None:
            merged.bias.add_(linear.bias)
        return merged


class ModalityProjector(nn.Module):
    """Visual features to the width of the language model: W_2 SiLU(W_1 v), as in LaVIN."""

    def __init__(
        self,
        vision_dim: int,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        hidden_proj: int = 128,
    ) -> None:
        if hidden_proj < 1:
            raise ValueError(f"hidden_proj must be at least 1, got {hidden_proj}")
        super().__init__()
        self.first = nn.Linear(vision_dim, hidden_proj, device=device, dtype=dtype)
        self.second = nn.Linear(hidden_proj, width, device=device, dtype=dtype)
        for layer in (self.first, self.second):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:  # (..., vision_dim) -> (..., width)
        return self.second(F.silu(self.first(x)))


def insert_mma(
    model: nn.Module, block: "type[nn.Module]", norm: str = "ln_1", hidden: int = 8, groups: int = 2
) -> "list[MixtureOfModalityAdapter]":
    """Put an adapter behind the norm before attention in each `block` of `model`.

    Attn(MMA(Norm(x))): the adapter becomes a part of the norm, so that the norm keeps the names of
    its parameters. Returns the adapters.
    """
    hook: Any = apply_mma  # PyTorch 1.13 declares hooks to return nothing
    found: list[MixtureOfModalityAdapter] = []
    for module in list(model.modules()):
        if isinstance(module, block):
            layer = getattr(module, norm, None)
            weight = getattr(layer, "weight", None)
            if not isinstance(layer, nn.Module) or not isinstance(weight, Tensor):
                raise ValueError(f"norm must name a norm with a weight in {block.__name__}: {norm}")
            adapter = MixtureOfModalityAdapter(
                weight.numel(), weight.device, weight.dtype, hidden=hidden, groups=groups
            )
            layer.add_module("mma_adapter", adapter)
            layer.register_forward_hook(hook)
            found.append(adapter)
    if not found:
        raise ValueError(f"block must be a class of modules in the model, got {block.__name__}")
    return found


def apply_mma(norm: nn.Module, _: object, output: Tensor) -> Tensor:
    """The hook of `insert_mma`; it finds the adapter in the norm, so that a deep copy works."""
    return norm.get_submodule("mma_adapter")(output)
