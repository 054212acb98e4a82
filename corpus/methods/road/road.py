import torch
from torch import Tensor, nn


class RoAdLinear(nn.Linear):
    """`nn.Linear` whose outputs are turned in pairs: RoAd (Liao and Monz, 2024, arXiv:2409.00119).

    With y = W x + b, outputs j and j + g / 2 of each group of g become c y_j - s y_(j + g/2) and
    c y_(j + g/2) + s y_j, where c = a cos t and s = a sin t; W and b are frozen. Angles t start at
    zero and factors a at one, so the layer starts as the one it replaces; `weight` and `bias` keep
    their names, so its checkpoint loads.

    Args:
        variant: angles for two outputs: 1 shared, 2 one each, 4 also apart for cosine and sine.
        group_size: outputs g of a group, an even divisor of out_features.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        variant: int = 1,
        group_size: int = 64,
    ) -> None:
        if variant not in (1, 2, 4):
            raise ValueError(f"variant must be 1, 2 or 4, got {variant}")
        if group_size < 2 or group_size % 2 != 0 or out_features % group_size != 0:
            raise ValueError(
                f"group_size must be an even divisor of {out_features}, got {group_size}"
            )
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.variant = variant
        self.group_size = group_size
        # (groups, 1, g / 2), (groups, 2, g / 2) or, for cosine and sine apart, (groups, 4, g / 2)
        shape = (out_features // group_size, variant, group_size // 2)
        self.road_theta = nn.Parameter(self.weight.new_zeros(shape))
        # factors are held as their difference from one, so that weight decay pulls them to it
        self.road_alpha_offset = nn.Parameter(self.weight.new_zeros(shape))

    def turned(self, y: Tensor) -> Tensor:  # (..., out) -> (..., out)
        """Each pair turned by its angle and stretched by its factor."""
        cosine = (1 + self.road_alpha_offset) * self.road_theta.cos()
        sine = (1 + self.road_alpha_offset) * self.road_theta.sin()
        if self.variant == 4:
            cosine, sine = cosine[:, :2], sine[:, 2:]  # (groups, 2, g / 2)
        pairs = y.unflatten(-1, (-1, 2, self.group_size // 2))  # (..., groups, 2, g / 2)
        crossed = torch.stack([-pairs[..., 1, :], pairs[..., 0, :]], dim=-2)
        return (cosine * pairs + sine * crossed).flatten(-3)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return self.turned(nn.functional.linear(x, self.weight, self.bias))

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with weight and bias turned."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        layer.weight.copy_(self.turned(self.weight.T).T)
        if self.bias is not None:
            layer.bias.copy_(self.turned(self.bias))
        return layer
