import torch
from torch import Tensor, nn


class IA3Linear(nn.Linear):
    """`nn.Linear` whose output or input is rescaled by a trained vector: (IA)³, arXiv:2205.05638.

    h = l ⊙ (W x + b), for the keys and values of attention (Liu et al., 2022), or h = W (l ⊙ x) + b
    with `scale_input`, for the second layer of the feed-forward network. W and b are frozen and l
    starts at one, so the layer starts as the one it replaces and loads its checkpoint.

    Args:
        scale_input: rescale the input in place of the output.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        scale_input: bool = False,
    ) -> None:
        super().__init__(in_features, out_features, bias, device, dtype)
        self.requires_grad_(False)
        self.scale_input = scale_input
        size = in_features if scale_input else out_features
        self.ia3_scale = nn.Parameter(self.weight.new_ones(size))  # l: (in,) or (out,)

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        if self.scale_input:
            return nn.functional.linear(self.ia3_scale * x, self.weight, self.bias)  # W (l ⊙ x) + b
        return self.ia3_scale * nn.functional.linear(x, self.weight, self.bias)  # l ⊙ (W x + b)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer with l folded in: W diag(l), or diag(l) W and l ⊙ b."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer = layer.to(self.weight)
        columns = self.ia3_scale if self.scale_input else self.ia3_scale[:, None]
        layer.weight.copy_(self.weight * columns)
        if self.bias is not None:
            layer.bias.copy_(self.bias if self.scale_input else self.ia3_scale * self.bias)
        return layer
