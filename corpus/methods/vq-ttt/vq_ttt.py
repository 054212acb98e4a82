from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LowRankKernel(nn.Module):
    """Learned image filter before a frozen vision encoder: VQ-TTT (Xing et al., 2506.15645).

    x' = K * x for each channel, K = delta + alpha sum_j u_j v_j^T, with reflected borders. alpha
    starts at zero, so the image starts unchanged. The authors have released no code: this form of
    the kernel is a reconstruction.

    Args:
        ksize: side of the kernel, odd.
        rank: terms of the sum; the rank of K - delta is at most this.
        channels: channels of the image; all share the kernel.
        normalise: divide K by its sum, so that even areas keep their value.
    """

    def __init__(
        self,
        ksize: int = 5,
        rank: int = 1,
        channels: int = 3,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        normalise: bool = False,
    ) -> None:
        if ksize < 1 or ksize % 2 == 0:
            raise ValueError(f"ksize must be odd and at least 1, got {ksize}")
        if not 1 <= rank <= ksize:
            raise ValueError(f"rank must be between 1 and {ksize}, got {rank}")
        if channels < 1:
            raise ValueError(f"channels must be at least 1, got {channels}")
        super().__init__()
        self.channels = channels
        self.normalise = normalise
        self.u = nn.Parameter(torch.empty(rank, ksize, device=device, dtype=dtype))
        self.v = nn.Parameter(torch.empty(rank, ksize, device=device, dtype=dtype))
        self.alpha = nn.Parameter(torch.zeros((), device=device, dtype=dtype))
        for factor in (self.u, self.v):
            nn.init.normal_(factor, std=ksize**-0.5)

    def kernel(self) -> Tensor:  # (k, k)
        delta = torch.zeros_like(self.u[0])
        delta[len(delta) // 2] = 1
        kernel = torch.outer(delta, delta) + self.alpha * self.u.T @ self.v
        return kernel / kernel.sum() if self.normalise else kernel

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, H, W)
        kernel = self.kernel().to(x.dtype)
        edge = len(kernel) // 2
        padded = F.pad(x, (edge, edge, edge, edge), mode="reflect")
        weight = kernel.expand(self.channels, 1, -1, -1)
        return F.conv2d(padded, weight, groups=self.channels)


def entropy_loss(logits: Tensor) -> Tensor:
    """Mean over all leading dimensions of H(p) = -sum_v p_v log p_v with p = softmax(logits)."""
    log_p = logits.log_softmax(-1)
    return -(log_p.exp() * log_p).sum(-1).mean()


class TestTimeTuner:
    """Tunes a few parameters on each test sample, then puts them back: VQ-TTT (2506.15645).

    Args:
        model: gives logits, or an object that has them as `logits`.
        params: what to tune: the kernel's, and LoRA's of the first layers of the encoder.
        lr: learning rate of Adam.
        steps: steps on each sample.
        loss: of the logits; the entropy of the model's prediction by default.
    """

    __test__ = False  # for pytest, which would take it for a test

    def __init__(
        self,
        model: "Callable[..., Any]",
        params: "Iterable[nn.Parameter]",
        lr: float = 1e-3,
        steps: int = 1,
        loss: "Callable[[Tensor], Tensor]" = entropy_loss,
    ) -> None:
        if steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps}")
        self.model = model
        self.params = list(params)
        if not self.params:
            raise ValueError("params must hold at least one parameter")
        self.lr = lr
        self.steps = steps
        self.loss = loss
        self.start = [part.detach().clone() for part in self.params]

    def logits(self, *inputs: Any, **keywords: Any) -> Tensor:
        output = self.model(*inputs, **keywords)
        found = output if isinstance(output, Tensor) else output.logits
        assert isinstance(found, Tensor)
        return found

    def adapt(self, *inputs: Any, **keywords: Any) -> Tensor:
        """Tune on this sample from the start; gives the logits after it, without a graph."""
        self.reset()
        optimizer = torch.optim.Adam(self.params, lr=self.lr)
        for _ in range(self.steps):
            loss = self.loss(self.logits(*inputs, **keywords))
            # of these parameters alone, so that no other `.grad` is touched
            gradients = torch.autograd.grad(loss, self.params, allow_unused=True)
            for part, gradient in zip(self.params, gradients):
                part.grad = gradient
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            return self.logits(*inputs, **keywords)

    @torch.no_grad()
    def reset(self) -> None:
        """Put the parameters back, bit for bit."""
        for part, start in zip(self.params, self.start):
            part.copy_(start)
