import math
from typing import Any

import torch
from torch import Tensor, nn


class DecomposedPrompt(nn.Module):
    """A short soft prompt and a low-rank change of the embeddings: DePT (Shi and Lipani, 2024).

    [P; E + s A B] (arXiv:2309.05173) with s = alpha / sqrt(rank): row t of A B is added to token t,
    so inputs are at most `max_len` long. B starts at zero: the start is plain prompt tuning with P.
    It stands between the embeddings and the stack of blocks; `strip` drops the prompt after it. The
    two parts want different learning rates: give the optimiser `param_groups`.

    Args:
        width: size of an embedding.
        prompt_len: learned vectors in front, m; 0 leaves the low-rank change alone.
        rank: inner dimension r of A B.
        max_len: longest input, T.
        alpha: numerator of the scale s.
        init_std: standard deviation of P at the start; `init_from` copies given rows instead.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        prompt_len: int = 40,
        rank: int = 45,
        max_len: int = 256,
        alpha: float = 8.0,
        init_std: float = 0.02,
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if prompt_len < 0:
            raise ValueError(f"prompt_len must not be negative, got {prompt_len}")
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        if max_len < 1:
            raise ValueError(f"max_len must be at least 1, got {max_len}")
        super().__init__()
        self.prompt_len, self.max_len = prompt_len, max_len
        self.scale = alpha / math.sqrt(rank)
        self.prompt = nn.Parameter(torch.empty(prompt_len, width, device=device, dtype=dtype))
        self.lora_A = nn.Parameter(torch.empty(max_len, rank, device=device, dtype=dtype))  # (T, r)
        self.lora_B = nn.Parameter(torch.zeros(rank, width, device=device, dtype=dtype))  # (r, d)
        nn.init.normal_(self.prompt, std=init_std)
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:  # (..., T, width) -> (..., prompt_len + T, width)
        tokens = x.shape[-2]
        if tokens > self.max_len:
            raise ValueError(f"x must have at most max_len = {self.max_len} tokens, got {tokens}")
        # E' = E + s A B, by position
        x = x + (self.scale * self.lora_A[:tokens] @ self.lora_B).to(x.dtype)
        prompt = self.prompt.to(x.dtype).expand(*x.shape[:-2], -1, -1)
        return torch.cat([prompt, x], dim=-2)

    def strip(self, x: Tensor) -> Tensor:  # (..., prompt_len + T, d) -> (..., T, d)
        """Drop the positions of the prompt after the stack."""
        return x[..., self.prompt_len :, :]

    def extend_mask(self, mask: Tensor) -> Tensor:  # (..., T) -> (..., prompt_len + T)
        """An attention mask of ones and zeros with ones for the prompt in front."""
        return torch.cat([mask.new_ones(*mask.shape[:-1], self.prompt_len), mask], dim=-1)

    @torch.no_grad()
    def init_from(self, rows: Tensor) -> None:
        """Start P from given embeddings (prompt_len, width), such as those of a text."""
        self.prompt.copy_(rows)

    def param_groups(
        self, lr_prompt: float = 0.3, lr_lowrank: float = 5e-4
    ) -> "list[dict[str, Any]]":
        """What the optimiser takes: the prompt and the low-rank pair with a rate each."""
        return [
            {"params": [self.prompt], "lr": lr_prompt},
            {"params": [self.lora_A, self.lora_B], "lr": lr_lowrank},
        ]
