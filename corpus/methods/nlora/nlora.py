import torch
from torch import Tensor, nn


class NLoRALinear(nn.Linear):
    """`nn.Linear` with a three-factor update that starts from W: NLoRA (Guo et al., 2025).

    h = W x + b + (alpha / rank) * B N A x (arXiv:2502.14482), where A, N and B start as the first
    rows, the corner and the first columns of W, in the manner of Nyström. Each factor is held as
    its offset from that part of W, which is frozen: so the start is that of whatever checkpoint
    is loaded. As in the released code the update changes the output from the start;
    `subtract_start` takes B N A as it started off again, so that the layer starts as its base.

    Args:
        rank: inner dimension r of the update, 1 to min(in_features, out_features).
        alpha: numerator of the scale.
        dropout: on the input of the update only, in [0, 1).
        intermediate_only: train N alone, which the paper calls IntTune.
        subtract_start: start as the layer it replaces.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 128,
        alpha: float = 128.0,
        dropout: float = 0.0,
        intermediate_only: bool = False,
        subtract_start: bool = False,
    ) -> None:
        largest = min(in_features, out_features)
        if not 1 <= rank <= largest:
            raise ValueError(f"rank must be between 1 and {largest}, got {rank}")
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.rank = rank
        self.scale = alpha / rank
        self.dropout = nn.Dropout(dropout)
        self.subtract_start = subtract_start
        self.A_offset = nn.Parameter(self.weight.new_zeros(rank, in_features))  # (r, in)
        self.N_offset = nn.Parameter(self.weight.new_zeros(rank, rank))  # (r, r)
        self.B_offset = nn.Parameter(self.weight.new_zeros(out_features, rank))  # (out, r)
        if intermediate_only:
            self.A_offset.requires_grad_(False)
            self.B_offset.requires_grad_(False)

    def start(self) -> "tuple[Tensor, Tensor, Tensor]":
        """A, N and B as they start: W[:r, :], W[:r, :r] and W[:, :r]."""
        r = self.rank
        return self.weight[:r], self.weight[:r, :r], self.weight[:, :r]

    def factors(self) -> "tuple[Tensor, Tensor, Tensor]":
        """A, N and B as they are."""
        A, N, B = self.start()
        return A + self.A_offset, N + self.N_offset, B + self.B_offset

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        # h = W x + b + (alpha / r) (B N A - B_0 N_0 A_0) x, the last term with `subtract_start`
        A, N, B = self.factors()
        dropped = self.dropout(x)
        update = dropped @ A.T @ N.T @ B.T
        if self.subtract_start:
            A_0, N_0, B_0 = self.start()
            update = update - dropped @ A_0.T @ N_0.T @ B_0.T
        return super().forward(x) + self.scale * update

    def merged_weight(self) -> Tensor:  # (out, in)
        """The weight in effect, for code that computes with it."""
        A, N, B = self.factors()
        update = B @ N @ A
        if self.subtract_start:
            A_0, N_0, B_0 = self.start()
            update -= B_0 @ N_0 @ A_0
        return self.weight + self.scale * update

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with the update folded in."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.merged_weight())
        if self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer
