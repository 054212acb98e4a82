import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PTuningPrompt(nn.Module):
    """Prompt vectors from a small network before the tokens: P-tuning (Liu et al., 2021).

    [f(E); E(x)] (arXiv:2103.10385) with f three linear layers with ReLU between them, put between
    the embeddings and the stack of blocks; `strip` drops its positions after the stack. It goes
    after position embeddings are added. Masks made for T tokens must grow to `tokens` + T, within
    the longest input the model takes.

    Args:
        width: size of an embedding.
        tokens: number of prompt vectors.
        hidden: width of the network.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        tokens: int = 20,
        hidden: int = 128,
    ) -> None:
        for name, value in (("width", width), ("tokens", tokens), ("hidden", hidden)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        super().__init__()
        self.tokens = tokens

        def new(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape, device=device, dtype=dtype))

        self.table = new(tokens, width)  # E
        self.weight1, self.bias1 = new(hidden, width), new(hidden)
        self.weight2, self.bias2 = new(hidden, hidden), new(hidden)
        self.weight3, self.bias3 = new(width, hidden), new(width)
        nn.init.normal_(self.table)
        for weight, bias in self.layers():
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5))
            bound = 1 / math.sqrt(weight.shape[1])
            nn.init.uniform_(bias, -bound, bound)

    def layers(self) -> "list[tuple[nn.Parameter, nn.Parameter]]":
        return [
            (self.weight1, self.bias1),
            (self.weight2, self.bias2),
            (self.weight3, self.bias3),
        ]

    def prompt(self) -> Tensor:  # (tokens, width)
        """f(E); after training only this table is needed."""
        h: Tensor = self.table
        for index, (weight, bias) in enumerate(self.layers()):
            h = F.linear(h if index == 0 else h.relu(), weight, bias)
        return h

    def forward(self, x: Tensor) -> Tensor:  # (..., T, width) -> (..., tokens + T, width)
        prompt = self.prompt().to(x.dtype).expand(*x.shape[:-2], -1, -1)
        return torch.cat([prompt, x], dim=-2)

    def strip(self, x: Tensor) -> Tensor:  # (..., tokens + T, d) -> (..., T, d)
        """Drop the positions of the prompt after the stack."""
        return x[..., self.tokens :, :]
