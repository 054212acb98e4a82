import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class EPTPrompt(nn.Module):
    """A short prompt fused with a low-rank change: EPT (Lan et al., 2024, arXiv:2405.11464).

    [P_f + sum_j g_j U_j GELU(D_j P_f); E + A B], where the short prompt P attends to the rows of
    A B that are in use, P_f = P + softmax(P (A B)^T / sqrt(width)) A B, and the gate
    g = softmax(W_g mean(E)) weighs `n_spaces` sub-spaces for each input. The paper has the short
    prompt, the low-rank pair, attention between them, and a gate over sub-spaces; how they are
    wired here is a reconstruction, without released code. B, all U_j and W_g start at zero: the
    start is prompt tuning with P. `strip` drops the prompt after the stack of blocks.

    Args:
        width: size of an embedding.
        short_len: learned vectors in front.
        max_len: longest input.
        rank: inner dimension of A B.
        n_spaces: number of sub-spaces.
        bottleneck: size of a sub-space.
        init_std: standard deviation of P at the start.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        short_len: int = 40,
        max_len: int = 256,
        rank: int = 24,
        n_spaces: int = 3,
        bottleneck: int = 4,
        init_std: float = 0.02,
    ) -> None:
        sizes = {"width": width, "short_len": short_len, "max_len": max_len, "rank": rank}
        for name, size in (sizes | {"n_spaces": n_spaces, "bottleneck": bottleneck}).items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        super().__init__()
        self.short_len, self.max_len = short_len, max_len

        def empty(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(*shape, device=device, dtype=dtype))

        self.prompt = empty(short_len, width)  # P
        self.lora_A = empty(max_len, rank)  # (T, r)
        self.lora_B = empty(rank, width)  # (r, d)
        self.down = empty(n_spaces, bottleneck, width)  # D
        self.up = empty(n_spaces, width, bottleneck)  # U
        self.gate = empty(n_spaces, width)  # W_g
        nn.init.normal_(self.prompt, std=init_std)
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        nn.init.normal_(self.down, std=1 / math.sqrt(width))

    def gates(self, x: Tensor) -> Tensor:  # (..., T, d) -> (..., n_spaces)
        """g: the weight of each sub-space for each input; sums to one."""
        return (x.mean(-2) @ self.gate.to(x.dtype).T).softmax(-1)

    def fused(self, change: Tensor) -> Tensor:  # (T, d) -> (short_len, d)
        """P_f = P + softmax(P C^T / sqrt(d)) C with C = A B."""
        scores = self.prompt @ change.T / math.sqrt(change.shape[-1])  # (s, T)
        return self.prompt + scores.softmax(-1) @ change

    def forward(self, x: Tensor) -> Tensor:  # (..., T, width) -> (..., short_len + T, width)
        tokens = x.shape[-2]
        if tokens > self.max_len:
            raise ValueError(f"x must have at most max_len = {self.max_len} tokens, got {tokens}")
        change = self.lora_A[:tokens] @ self.lora_B  # (T, d)
        fused = self.fused(change)
        # H_j = U_j GELU(D_j P_f)
        inner = F.gelu(torch.einsum("sd,nbd->nsb", fused, self.down))
        spaces = torch.einsum("nsb,ndb->nsd", inner, self.up)
        prompt = fused.to(x.dtype) + torch.einsum(
            "...n,nsd->...sd", self.gates(x), spaces.to(x.dtype)
        )
        return torch.cat([prompt, x + change.to(x.dtype)], dim=-2)

    def strip(self, x: Tensor) -> Tensor:  # (..., short_len + T, d) -> (..., T, d)
        """Drop the positions of the prompt after the stack."""
        return x[..., self.short_len :, :]
