import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LoRAQV(nn.Linear):
    """Fused query, key and value projection with LoRA on query and value: GBT-SAM (2503.04325).

    h = W x + b + (alpha / rank) [B_q A_q x; 0; B_v A_v x], W and b frozen, as in Diana-Albelda et
    al. (2025). Both B start at zero, so the layer starts as the one it replaces; the rows of the
    key never change; `weight` and `bias` keep their names.

    Args:
        rank: inner dimension of each update.
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
        rank: int = 12,
        alpha: float = 1.0,
    ) -> None:
        if out_features != 3 * in_features:
            raise ValueError(f"out_features must be 3 times {in_features}, got {out_features}")
        if not 1 <= rank <= in_features:
            raise ValueError(f"rank must be between 1 and {in_features}, got {rank}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.scale = alpha / rank
        self.lora_A = nn.Parameter(self.weight.new_empty(2, rank, in_features))  # of q and of v
        self.lora_B = nn.Parameter(self.weight.new_zeros(2, in_features, rank))
        for factor in self.lora_A.data:
            nn.init.kaiming_uniform_(factor, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., 3 in)
        query, value = (x @ A.T @ B.T for A, B in zip(self.lora_A, self.lora_B))
        update = torch.cat([query, torch.zeros_like(query), value], dim=-1)
        return F.linear(x, self.weight, self.bias) + self.scale * update

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        query, value = self.lora_B @ self.lora_A
        update = torch.cat([query, torch.zeros_like(query), value])
        return self.weight + self.scale * update

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with both updates folded in."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer


class DepthAdapter(nn.Module):
    """Mixes neighbouring slices beside attention: GBT-SAM (Diana-Albelda et al., 2503.04325).

    W_2 GELU(W_1 LN(m)) with m = W_z x + b_z over the slices, W_z shared by pixels and channels. In
    a block: x + Attn(LN x) + Delta(x). The batch holds the slices of each patient in a row. The
    branch does not start at zero unless `zero_init` is set.

    Args:
        dim: channels of the tokens.
        num_slices: slices of a patient.
        hidden: inner size; a quarter of dim if not given.
        zero_init: start W_2 and its bias at zero, so that the block starts as the one it was.
    """

    def __init__(
        self,
        dim: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        num_slices: int = 4,
        hidden: "int | None" = None,
        zero_init: bool = False,
    ) -> None:
        hidden = dim // 4 if hidden is None else hidden
        if num_slices < 1:
            raise ValueError(f"num_slices must be at least 1, got {num_slices}")
        if hidden < 1:
            raise ValueError(f"hidden must be at least 1, got {hidden} for dim {dim}")
        super().__init__()
        self.num_slices = num_slices
        self.mix = nn.Linear(num_slices, num_slices, device=device, dtype=dtype)
        self.norm = nn.LayerNorm(dim, device=device, dtype=dtype)
        self.down = nn.Linear(dim, hidden, device=device, dtype=dtype)
        # plain parameters: a model-wide initialiser of nn.Linear must not undo zeros
        self.up_weight = nn.Parameter(torch.zeros(dim, hidden, device=device, dtype=dtype))
        self.up_bias = nn.Parameter(torch.zeros(dim, device=device, dtype=dtype))
        if not zero_init:
            nn.init.kaiming_uniform_(self.up_weight, a=math.sqrt(5))
            nn.init.uniform_(self.up_bias, -(hidden**-0.5), hidden**-0.5)

    def forward(self, x: Tensor) -> Tensor:  # (patients * slices, ..., dim) -> the same
        if len(x) % self.num_slices:
            raise ValueError(f"x must hold a multiple of {self.num_slices} slices, got {len(x)}")
        slices = x.unflatten(0, (-1, self.num_slices)).movedim(1, -1)  # (patients, ..., dim, z)
        mixed = self.mix(slices).movedim(-1, 1).flatten(0, 1)
        return F.linear(F.gelu(self.down(self.norm(mixed))), self.up_weight, self.up_bias)


@torch.no_grad()
def expand_patch_embed(conv: nn.Conv2d, in_chans: int = 4) -> nn.Conv2d:
    """`conv` for `in_chans` channels, all trainable, as GBT-SAM has for its four sequences.

    Each channel starts from the mean of the old ones, so that an image whose channels are all
    alike gives what it gave before; that start is a choice of this implementation.
    """
    if conv.groups != 1:
        raise ValueError(f"conv must have one group, got {conv.groups}")
    if in_chans < 1:
        raise ValueError(f"in_chans must be at least 1, got {in_chans}")
    height, width = conv.kernel_size[0], conv.kernel_size[1]
    down, right = conv.stride[0], conv.stride[1]
    expanded = nn.Conv2d(
        in_chans, conv.out_channels, (height, width), (down, right), bias=conv.bias is not None
    ).to(conv.weight)
    expanded.padding, expanded.dilation = conv.padding, conv.dilation
    share = conv.in_channels / in_chans
    expanded.weight.copy_(conv.weight.mean(1, keepdim=True).expand_as(expanded.weight) * share)
    if expanded.bias is not None and conv.bias is not None:
        expanded.bias.copy_(conv.bias)
    return expanded
