import torch
from torch import Tensor, nn


class LoRAEmbedding(nn.Embedding):
    """`nn.Embedding` plus a trainable low-rank update: LoRA (Hu et al., 2021, arXiv:2106.09685).

    e(t) = E_t + (alpha / rank) * B A_t, with the table E frozen. A, which is looked up as E is,
    starts at zero, so the layer starts as the one it replaces; its checkpoint loads.

    Args:
        rank: inner dimension r of the update, at least 1.
        alpha: numerator of the scale.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: "int | None" = None,
        max_norm: "float | None" = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: "Tensor | None" = None,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 8,
        alpha: float = 8.0,
    ) -> None:
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        super().__init__(
            num_embeddings,
            embedding_dim,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight,
            device=device,
            dtype=dtype,
        )
        self.requires_grad_(False)
        self.scale = alpha / rank
        self.lora_A = nn.Parameter(self.weight.new_zeros(num_embeddings, rank))  # (V, r)
        self.lora_B = nn.Parameter(self.weight.new_empty(embedding_dim, rank))  # (d, r)
        nn.init.normal_(self.lora_B)

    def forward(self, tokens: Tensor) -> Tensor:  # (...) -> (..., d)
        # e(t) = E_t + (alpha / r) B A_t; a token for padding leaves A as it is
        update = nn.functional.embedding(tokens, self.lora_A, self.padding_idx) @ self.lora_B.T
        looked_up = nn.functional.embedding(
            tokens,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )
        return looked_up + self.scale * update

    def merged_weight(self) -> Tensor:  # (V, d)
        """The table in effect, for code that computes with it."""
        return self.weight + self.scale * self.lora_A @ self.lora_B.T

    @torch.no_grad()
    def merged(self) -> nn.Embedding:
        """A plain table with the update folded in: E + (alpha / r) A B^T."""
        layer = nn.Embedding(
            self.num_embeddings,
            self.embedding_dim,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        ).to(self.weight)
        layer.weight.copy_(self.merged_weight())
        return layer
