import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class ZeroInitPrefixAttention(nn.Module):
    """Gated attention to a learned prefix, for code review: LLaMA-Reviewer (arXiv:2308.11148).

    tanh(g) softmax(Q K_p^T / sqrt(d_h)) V_p, to be added to what attention over the text gives, so
    that the prefix takes no weight from the text. K_p and V_p are the prefix through the frozen
    projections of keys and values; the gate of each head starts at zero, and so does the change.
    The paper (Lu et al., 2023) names zero-init attention as in LLaMA-Adapter; this wiring is a
    reconstruction, without released code.

    Args:
        n_heads: attention heads.
        head_dim: size of a head.
        prompt_len: rows of the prefix.
        init_std: standard deviation of the prefix at the start.
    """

    def __init__(
        self,
        n_heads: int,
        head_dim: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        prompt_len: int = 10,
        init_std: float = 0.02,
    ) -> None:
        sizes = {"n_heads": n_heads, "head_dim": head_dim, "prompt_len": prompt_len}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        super().__init__()
        self.n_heads, self.head_dim = n_heads, head_dim
        width = n_heads * head_dim
        self.prompt = nn.Parameter(torch.empty(prompt_len, width, device=device, dtype=dtype))
        self.gate = nn.Parameter(torch.zeros(n_heads, device=device, dtype=dtype))
        nn.init.normal_(self.prompt, std=init_std)

    def heads(self, projection: "Callable[[Tensor], Tensor]") -> Tensor:  # (H, K, d_h)
        """The prefix through a frozen projection, its heads repeated where queries share them."""
        split = projection(self.prompt).unflatten(-1, (-1, self.head_dim)).transpose(0, 1)
        if self.n_heads % len(split):
            raise ValueError(f"n_heads must be a multiple of {len(split)}, got {self.n_heads}")
        return split.repeat_interleave(self.n_heads // len(split), 0)

    def forward(
        self,
        q: Tensor,
        key_projection: "Callable[[Tensor], Tensor]",
        value_projection: "Callable[[Tensor], Tensor]",
    ) -> Tensor:  # (B, H, T, d_h) -> (B, H, T, d_h)
        k, v = self.heads(key_projection), self.heads(value_projection)
        weights = (q @ k.transpose(-2, -1) / math.sqrt(self.head_dim)).softmax(-1)  # (B, H, T, K)
        return self.gate.tanh()[:, None, None] * (weights @ v)


def llama_reviewer_recipe() -> "dict[str, dict[str, Any]]":
    """LoRA settings for LLaMA-Reviewer (Lu et al., 2023, arXiv:2308.11148).

    Keyword arguments of LoraConfig. Rank and projections are inferred from the reported 8.4 million
    trained parameters of LLaMA 7B, so this is a reconstruction; the rest is left to the user.
    """
    return {
        "LoraConfig": {
            "r": 16,
            "target_modules": ["q_proj", "v_proj"],
            "task_type": "CAUSAL_LM",
        }
    }
