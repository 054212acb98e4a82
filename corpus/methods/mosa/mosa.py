import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SparseMixtureAdapter(nn.Module):
    """Adapter whose entries are split among experts: MoSA (Zhang et al., 2023, arXiv:2312.02923).

    h + scale * U dropout(GELU(D LN(x))) beside the feed-forward network, h its output and x the
    residual stream. A random partition gives every entry of the split matrix to one of `n_experts`;
    in training each call picks an expert at random, whose entries are used as they are and train,
    while all others stand at their start. Evaluation uses the union of all: one plain adapter. U
    and the biases start at zero, so the block starts as the one it was.

    Args:
        width: size of the last dimension of the input.
        bottleneck: inner size.
        n_experts: parts N of the split.
        share: the matrix that is not split: down, up or none.
        scale: factor on the adapter.
        dropout: on the inner features, in [0, 1).
    """

    down_start: Tensor
    down_expert: Tensor
    up_expert: Tensor

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        bottleneck: int = 64,
        n_experts: int = 4,
        share: str = "down",
        scale: float = 0.1,
        dropout: float = 0.1,
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if bottleneck < 1:
            raise ValueError(f"bottleneck must be at least 1, got {bottleneck}")
        if not 1 <= n_experts <= width * bottleneck:
            raise ValueError(f"n_experts must be 1 to {width * bottleneck}, got {n_experts}")
        if share not in ("down", "up", "none"):
            raise ValueError(f"share must be down, up or none, got {share}")
        super().__init__()
        self.n_experts = n_experts
        self.share = share
        self.scale = scale
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width, device=device, dtype=dtype)
        # plain parameters: a model-wide initialiser of nn.Linear must not undo the zeros
        self.down_weight = nn.Parameter(torch.empty(bottleneck, width, device=device, dtype=dtype))
        self.down_bias = nn.Parameter(torch.zeros(bottleneck, device=device, dtype=dtype))
        self.up_weight = nn.Parameter(torch.zeros(width, bottleneck, device=device, dtype=dtype))
        self.up_bias = nn.Parameter(torch.zeros(width, device=device, dtype=dtype))
        nn.init.kaiming_uniform_(self.down_weight, a=math.sqrt(5))
        # the N masked copies of a matrix differ from their common start at disjoint entries, so
        # one matrix holds them all; U starts at zero and needs no copy of its start
        self.register_buffer("down_start", self.down_weight.detach().clone())
        for name, weight in (("down", self.down_weight), ("up", self.up_weight)):
            order = torch.rand(weight.numel(), device=weight.device).argsort()
            self.register_buffer(f"{name}_expert", (order % n_experts).view(weight.shape))

    def expert(self, weight: Tensor, start: "Tensor | float", owner: Tensor, index: int) -> Tensor:
        """Copy `index`: its own entries of `weight`, the start elsewhere, without gradient."""
        mask = (owner == index).to(weight.dtype)
        return mask * weight + (1 - mask) * start

    def factors(self) -> "tuple[Tensor, Tensor]":
        """D and U of this call: experts picked at random in training, all together otherwise."""
        down, up = self.down_weight, self.up_weight
        if self.training and self.n_experts > 1:
            first, second = (int(pick) for pick in torch.randint(self.n_experts, (2,)))
            if self.share != "down":
                down = self.expert(down, self.down_start, self.down_expert, first)
            if self.share != "up":
                up = self.expert(up, 0.0, self.up_expert, second)
        return down, up

    def forward(self, h: Tensor, stream: "Tensor | None" = None) -> Tensor:
        # h is what the feed-forward network gives, `stream` what it is added to (h without one)
        down, up = self.factors()
        hidden = F.gelu(F.linear(self.norm(h if stream is None else stream), down, self.down_bias))
        return h + self.scale * F.linear(self.dropout(hidden), up, self.up_bias)

    @torch.no_grad()
    def merge_(self, how: str = "union") -> None:
        """End the split: "union" of what the experts learned, or their "average" as released.

        The average of the copies keeps 1 / N of every update: start + (union - start) / N.
        """
        if how not in ("union", "average"):
            raise ValueError(f"how must be union or average, got {how}")
        if how == "average":
            if self.share != "down":
                self.down_weight.copy_(
                    torch.lerp(self.down_start, self.down_weight, 1 / self.n_experts)
                )
            if self.share != "up":
                self.up_weight.div_(self.n_experts)
        self.n_experts = 1


def symmetric_kl(p: Tensor, q: Tensor) -> Tensor:
    """(KL(p || q) + KL(q || p)) / 2 of the softmax of two logits, each target without gradient."""
    log_p, log_q = p.log_softmax(-1), q.log_softmax(-1)

    def divergence(log_target: Tensor, log_input: Tensor) -> Tensor:
        log_target = log_target.detach()
        return (log_target.exp() * (log_target - log_input)).sum(-1).mean()

    return (divergence(log_p, log_q) + divergence(log_q, log_p)) / 2
