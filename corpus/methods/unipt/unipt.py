from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class UniPT(nn.Module):
    """Parallel network that reads a frozen backbone: UniPT (Diao et al., 2023, arXiv:2308.14316).

    Every layer's hidden state is projected down and normalised, t_l = LN(W_l h_l); the last one is
    the anchor a. Each row of ReLU(a t_l^T) sums to one after division by its sum, plus the
    identity: u_l = A_l t_l. A softmax over layers of w^T (mean a ⊙ mean t_l) mixes the u_l, and
    the output is W_up ReLU(a + LN(W_p u)). No gradient enters the backbone; see `frozen_features`.

    Args:
        hidden_sizes: width of each hidden state, first layer to last; two or more.
        out_dim: size of the output.
        reduction: out_dim over the inner size; must divide it.
        identity: whether A_l has the identity added.
    """

    def __init__(
        self,
        hidden_sizes: "Sequence[int]",
        out_dim: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        reduction: int = 2,
        identity: bool = True,
    ) -> None:
        if len(hidden_sizes) < 2:
            raise ValueError(f"hidden_sizes must name two layers or more, got {len(hidden_sizes)}")
        if reduction < 1 or out_dim < reduction or out_dim % reduction:
            raise ValueError(f"reduction must divide out_dim {out_dim}, got {reduction}")
        super().__init__()
        inner = out_dim // reduction
        self.identity = identity

        def linear(in_features: int, out_features: int) -> nn.Linear:
            return nn.Linear(in_features, out_features, device=device, dtype=dtype)

        def norm() -> nn.LayerNorm:
            return nn.LayerNorm(inner, device=device, dtype=dtype)

        self.down = nn.ModuleList(linear(size, inner) for size in hidden_sizes)
        self.norms = nn.ModuleList(norm() for _ in hidden_sizes)
        self.confidence = linear(inner, 1)
        self.project = linear(inner, inner)
        self.project_norm = norm()
        self.up = linear(inner, out_dim)

    def gather(self, anchor: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """(B, N, N): ReLU(a t^T) over the tokens that `mask` keeps, each row over its sum."""
        scores = F.relu(anchor @ tokens.transpose(1, 2)) * mask[:, None]
        return F.normalize(scores, p=1.0, dim=-1)

    def confidences(self, anchor: Tensor, layers: "Sequence[Tensor]", mask: Tensor) -> Tensor:
        """c, (B, L - 1): how much each layer before the last counts."""
        weight = mask[..., None] / mask.sum(1).clamp_min(1)[:, None, None]
        mean = (anchor * weight).sum(1)  # (B, m)
        scores = [self.confidence(mean * (tokens * weight).sum(1)) for tokens in layers]
        return torch.cat(scores, dim=1).softmax(dim=1)

    def forward(self, hidden_states: "Sequence[Tensor]", mask: "Tensor | None" = None) -> Tensor:
        # L states (B, N, d_l), mask (B, N) with 1 at real tokens -> (B, N, out)
        if len(hidden_states) != len(self.down):
            raise ValueError(f"hidden_states must be {len(self.down)}, got {len(hidden_states)}")
        reduced = [
            norm(down(state)) for norm, down, state in zip(self.norms, self.down, hidden_states)
        ]
        *layers, anchor = reduced
        keep = anchor.new_ones(anchor.shape[:2]) if mask is None else mask.to(anchor.dtype)
        gathered = [self.gather(anchor, tokens, keep) @ tokens for tokens in layers]
        if self.identity:
            gathered = [near + tokens for near, tokens in zip(gathered, layers)]
        # u = sum_l c_l u_l
        confidence = self.confidences(anchor, layers, keep)[:, None, None]
        mixed = (torch.stack(gathered, dim=-1) * confidence).sum(-1)  # (B, N, m)
        return self.up(F.relu(anchor + self.project_norm(self.project(mixed))))


def frozen_features(backbone: "Callable[..., Any]", *inputs: Any, **keywords: Any) -> Any:
    """What `backbone` gives, without a graph: its activations are freed as they are used.

    For Hugging Face models: frozen_features(model, ids, output_hidden_states=True).hidden_states.
    """
    with torch.no_grad():
        return backbone(*inputs, **keywords)
