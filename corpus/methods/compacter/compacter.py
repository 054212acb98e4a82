import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PHMLinear(nn.Module):
    """Linear map whose weight is a sum of Kronecker products, as in Compacter (arXiv:2106.04647).

    y = x H + b with H = sum_i A_i ⊗ (s_i t_i): n small matrices A_i, which a whole model can share
    (`share_phm_rule`), and n products of thin factors that each layer owns.

    Args:
        n: number of Kronecker products; must divide in_features and out_features.
        rank: inner dimension of s_i t_i.
        rule_std: standard deviation of the A_i at the start.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        n: int = 4,
        rank: int = 1,
        rule_std: float = 1e-4,
    ) -> None:
        if n < 1 or in_features % n or out_features % n:
            raise ValueError(
                f"n must divide in_features and out_features, "
                f"got {n} for {in_features} and {out_features}"
            )
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        rows, columns = in_features // n, out_features // n
        self.phm_rule = nn.Parameter(torch.empty(n, n, n, device=device, dtype=dtype))
        self.left = nn.Parameter(torch.empty(n, rows, rank, device=device, dtype=dtype))  # s
        self.right = nn.Parameter(torch.empty(n, rank, columns, device=device, dtype=dtype))  # t
        self.bias = (
            nn.Parameter(torch.zeros(out_features, device=device, dtype=dtype)) if bias else None
        )
        nn.init.normal_(self.phm_rule, std=rule_std)
        for factor, size in ((self.left, rows), (self.right, columns)):
            bound = math.sqrt(2) * math.sqrt(6 / (size + rank))  # Glorot, gain of a ReLU
            nn.init.uniform_(factor, -bound, bound)

    def kronecker_sum(self) -> Tensor:  # (in, out)
        """H, the sum of the n Kronecker products."""
        blocks = self.left @ self.right  # (n, in / n, out / n)
        products = torch.einsum("iac,ikp->akcp", self.phm_rule, blocks)
        return products.reshape(self.in_features, self.out_features)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return F.linear(x, self.kronecker_sum().T, self.bias)


class CompacterAdapter(nn.Module):
    """Bottleneck adapter of Kronecker products (Karimi Mahabadi et al., 2021, arXiv:2106.04647).

    A(h) = h + PHM_up(GELU(PHM_down(h))), on the output of attention and of the feed-forward network
    before the residual sum (Compacter++: of the feed-forward network only). It starts very close
    to the identity. Call `share_phm_rule` on the model, so that all adapters share the A_i.

    Args:
        width: size of the last dimension of the input; a multiple of n.
        reduction: width over bottleneck; the bottleneck is rounded down to a multiple of n.
        n: number of Kronecker products.
        rank: inner dimension of the factors that each adapter owns.
        rule_std: standard deviation of the A_i at the start.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        reduction: int = 32,
        n: int = 4,
        rank: int = 1,
        rule_std: float = 1e-4,
    ) -> None:
        if n < 1 or width < n or width % n:
            raise ValueError(f"n must be at least 1 and divide width, got {n} for {width}")
        if reduction < 1:
            raise ValueError(f"reduction must be at least 1, got {reduction}")
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        super().__init__()
        bottleneck = max(n, width // reduction // n * n)

        def phm(in_features: int, out_features: int) -> PHMLinear:
            return PHMLinear(
                in_features, out_features, True, device, dtype, n=n, rank=rank, rule_std=rule_std
            )

        self.down = phm(width, bottleneck)
        self.up = phm(bottleneck, width)
        share_phm_rule(self)

    def forward(self, x: Tensor) -> Tensor:  # (..., width) -> (..., width)
        return x + self.up(F.gelu(self.down(x), approximate="tanh"))


def share_phm_rule(model: nn.Module) -> "nn.Parameter | None":
    """Make all PHM layers of `model` use one Parameter for their A_i; None where it has none.

    Call it after building the model and before the optimiser; again after `to_empty`, which parts
    what was shared.
    """
    layers = [module for module in model.modules() if isinstance(module, PHMLinear)]
    if not layers:  # a configuration may build none
        return None
    rule = layers[0].phm_rule
    for layer in layers:
        if layer.phm_rule.shape != rule.shape:
            raise ValueError("model must have the same n in all its PHMLinear layers")
        layer.phm_rule = rule
    return rule
