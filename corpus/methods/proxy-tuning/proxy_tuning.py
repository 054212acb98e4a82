from typing import Any

import torch
from torch import Tensor, nn


def proxy_tuned_logits(
    base: Tensor, expert: Tensor, antiexpert: Tensor, alpha: float = 1.0
) -> Tensor:
    """Logits of a large model steered by a small pair: proxy-tuning (Liu et al., 2024).

    base + alpha * (expert - antiexpert), arXiv:2401.08565: the small model tuned and untuned, fed
    with the same tokens. Their vocabularies are cut to that of the base, the last dimension.
    """
    size = base.shape[-1]
    for name, logits in (("expert", expert), ("antiexpert", antiexpert)):
        if logits.shape[-1] < size:
            raise ValueError(f"{name} must score {size} tokens as base does: {logits.shape[-1]}")
    return base + alpha * (expert[..., :size] - antiexpert[..., :size])


class ProxyTuned(nn.Module):
    """A large model steered at each step by a small tuned and untuned one (arXiv:2401.08565).

    Its logits are those of `proxy_tuned_logits` (Liu et al., 2024). All three models are frozen and
    share a vocabulary; a model may return logits, a tuple that begins with them, or an object
    with `.logits`.

    Args:
        base: the large model.
        expert: the small model after tuning.
        antiexpert: the small model before tuning.
        alpha: strength of the steering; 0 gives the base.
    """

    def __init__(
        self,
        base: nn.Module,
        expert: nn.Module,
        antiexpert: nn.Module,
        *,
        alpha: float = 1.0,
    ) -> None:
        super().__init__()
        self.base = base
        self.expert = expert
        self.antiexpert = antiexpert
        self.alpha = alpha
        self.requires_grad_(False)
        self.eval()

    def forward(self, *inputs: Any, **options: Any) -> Tensor:  # -> (..., vocabulary)
        logits: list[Tensor] = []
        for model in (self.base, self.expert, self.antiexpert):
            output = model(*inputs, **options)
            if not isinstance(output, Tensor):
                output = output.logits if hasattr(output, "logits") else output[0]
            logits.append(output)
        base, expert, antiexpert = logits
        return proxy_tuned_logits(base, expert, antiexpert, self.alpha)

    @torch.no_grad()
    def generate(
        self,
        ids: Tensor,  # (B, T)
        max_new_tokens: int,
        *,
        temperature: float = 1.0,
        context: "int | None" = None,
    ) -> Tensor:  # (B, T + max_new_tokens)
        """Sample token by token, the likeliest at temperature 0; `context` limits the input."""
        for _ in range(max_new_tokens):
            logits = self(ids if context is None else ids[:, -context:])[:, -1]
            if temperature == 0:
                chosen = logits.argmax(-1, keepdim=True)
            else:
                chosen = torch.multinomial((logits / temperature).softmax(-1), 1)
            ids = torch.cat([ids, chosen], dim=1)
        return ids
