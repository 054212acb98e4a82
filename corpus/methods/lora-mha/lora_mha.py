import math

import torch
from shared.adapted_attention import AdaptedAttention
from torch import Tensor, nn


class LoRAMultiheadAttention(AdaptedAttention):
    """`nn.MultiheadAttention` with low-rank updates of its projections: LoRA (arXiv:2106.09685).

    W' = W + (alpha / rank) * B A for each chosen projection, all else frozen. B starts at zero, so
    the layer starts as the one it replaces; `in_proj_weight` and the others keep their names, so
    its checkpoint loads. Every projection has factors of its own.

    Args:
        rank: inner dimension r of the updates, 1 to min(embed_dim, kdim, vdim).
        alpha: numerator of the scale.
        query, key, value, output: which projections are adapted.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: "int | None" = None,
        vdim: "int | None" = None,
        batch_first: bool = False,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 8,
        alpha: float = 16.0,
        query: bool = True,
        key: bool = False,
        value: bool = True,
        output: bool = False,
    ) -> None:
        kdim = embed_dim if kdim is None else kdim
        vdim = embed_dim if vdim is None else vdim
        largest = min(embed_dim, kdim, vdim)
        if not 1 <= rank <= largest:
            raise ValueError(f"rank must be between 1 and {largest}, got {rank}")
        if not (query or key or value or output):
            raise ValueError("query must be True, or key, value or output: nothing is adapted")
        super().__init__(
            embed_dim,
            num_heads,
            dropout,
            bias,
            add_bias_kv,
            add_zero_attn,
            kdim,
            vdim,
            batch_first,
            device,
            dtype,
        )
        self.requires_grad_(False)
        self.scale = alpha / rank
        sizes = {"q": embed_dim, "k": kdim, "v": vdim, "out": embed_dim}
        chosen = {"q": query, "k": key, "v": value, "out": output}
        new = self.out_proj.weight.new_zeros
        for name in (name for name, adapts in chosen.items() if adapts):
            a, b = nn.Parameter(new(rank, sizes[name])), nn.Parameter(new(embed_dim, rank))
            nn.init.kaiming_uniform_(a, a=math.sqrt(5))
            self.register_parameter(f"lora_A_{name}", a)  # (r, in)
            self.register_parameter(f"lora_B_{name}", b)  # (embed_dim, r)

    def adapted(self, name: str, weight: Tensor) -> Tensor:
        # W + (alpha / r) B A
        a = getattr(self, f"lora_A_{name}", None)
        b = getattr(self, f"lora_B_{name}", None)
        return weight if a is None or b is None else weight + self.scale * b @ a
