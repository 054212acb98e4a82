from collections.abc import Sequence

import torch
from torch import Tensor, nn


class SoftPrompt(nn.Module):
    """Learned vectors before the embedded tokens: prompt tuning (Lester et al., 2021).

    [P; E(x)] (arXiv:2104.08691), put between the embeddings and the stack of blocks; `strip` drops
    its positions after the stack. It goes after position embeddings are added: the real tokens
    keep the positions they were trained in, and P is free, so it absorbs its own. Masks made for
    T tokens must grow to `tokens` + T, within the longest input the model takes.

    Args:
        width: size of an embedding.
        tokens: number of learned vectors.
        init_std: standard deviation at the start; `init_from` copies rows of a vocabulary instead.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        tokens: int = 20,
        init_std: float = 0.02,
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if tokens < 1:
            raise ValueError(f"tokens must be at least 1, got {tokens}")
        super().__init__()
        self.tokens = tokens
        self.prompt = nn.Parameter(torch.empty(tokens, width, device=device, dtype=dtype))
        nn.init.normal_(self.prompt, std=init_std)

    def forward(self, x: Tensor) -> Tensor:  # (..., T, width) -> (..., tokens + T, width)
        prompt = self.prompt.to(x.dtype).expand(*x.shape[:-2], -1, -1)
        return torch.cat([prompt, x], dim=-2)

    def strip(self, x: Tensor) -> Tensor:  # (..., tokens + T, d) -> (..., T, d)
        """Drop the positions of the prompt after the stack."""
        return x[..., self.tokens :, :]

    @torch.no_grad()
    def init_from(self, vocabulary: Tensor, ids: "Sequence[int] | None" = None) -> None:
        """Start from rows of a vocabulary (V, width): those of `ids` repeated or cut, or random."""
        if ids is None:
            rows = torch.randint(len(vocabulary), (self.tokens,))
        elif len(ids) == 0:
            raise ValueError("ids must name at least one row")
        else:
            rows = torch.tensor([ids[index % len(ids)] for index in range(self.tokens)])
        self.prompt.copy_(vocabulary[rows.to(vocabulary.device)])
