import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SharedChannelMask(nn.Module):
    """Which channels of the residual stream stay, for a whole model: PAT (Liu et al., 2024).

    s = sigmoid(t * logits) + max(0.5 - step / total_steps, 0) (arXiv:2408.14721), where t grows
    with the steps, so s moves from exactly one to near 0 or 1; after 80 % of the steps it is
    frozen. In eval() it is 0 or 1 at once: a channel stays where its logit is not negative.

    Args:
        width: channels of the residual stream.
        total_steps: steps of the training; `step_masks_` counts them.
    """

    steps: Tensor

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        total_steps: int = 10000,
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        if total_steps < 2:
            raise ValueError(f"total_steps must be at least 2, got {total_steps}")
        super().__init__()
        self.total_steps = total_steps
        self.logits = nn.Parameter(torch.zeros(width, device=device, dtype=dtype))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long, device=device))

    def forward(self) -> Tensor:  # (width,)
        last = 0.8 * self.total_steps
        logits = torch.where(self.steps > last, self.logits.detach(), self.logits)
        # t = 1 / (1 - ln(step) / ln(total_steps) + 1e-6)
        passed = self.steps.clamp(min=1, max=int(last)).to(logits.dtype)
        temperature = 1 / (1 - passed.log() / math.log(self.total_steps) + 1e-6)
        soft = (temperature * logits).clamp(min=-10).sigmoid()
        if self.training:
            left = (0.5 - self.steps / self.total_steps).clamp(min=0)
            return soft + left.to(logits.dtype)
        hard = (self.logits >= 0).to(soft.dtype)
        return hard + (soft - soft.detach())  # exactly 0 or 1, with the gradient of s

    def kept(self) -> "list[int]":
        """Channels that stay."""
        return (self.logits >= 0).nonzero().flatten().tolist()

    def penalty(self, keep: int) -> Tensor:
        """10 |kept - keep| / keep, and the distance of positive and other logits from ± 0.5."""
        m = self.logits
        hard = (m >= 0).to(m.dtype)
        count = (hard + (m - m.detach())).sum()  # straight through
        positive = (m > 0).to(m.dtype)
        # means over groups that may be empty
        high = (positive * (m - 0.5).square()).sum() / positive.sum().clamp(min=1)
        other = 1 - positive
        low = (other * (m + 0.5).square()).sum() / other.sum().clamp(min=1)
        return 10 * (count - keep).abs() / keep + high + low


class HybridSparsificationModule(nn.Module):
    """Low-rank map and mask of what a block writes to the residual stream: PAT (Liu et al., 2024).

    y = (x + U D x) * s * v (arXiv:2408.14721), on the outputs of attention and of the feed-forward
    network and on the embedded tokens. U starts at zero, v at one and s at one, so the model starts
    unchanged. Call `share_channel_mask` on the model, so that all modules share the mask, and
    `fold_hsm_` after training, which makes the model smaller.

    Args:
        width: channels of the residual stream.
        rank: inner size of the map.
    """

    def __init__(
        self,
        width: int,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        *,
        rank: int = 200,
    ) -> None:
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        super().__init__()
        self.mask = SharedChannelMask(width, device, dtype)
        self.down = nn.Parameter(torch.empty(rank, width, device=device, dtype=dtype))  # D
        self.up = nn.Parameter(torch.zeros(width, rank, device=device, dtype=dtype))  # U
        self.scale = nn.Parameter(torch.ones(width, device=device, dtype=dtype))  # v
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:  # (..., width) -> (..., width)
        mapped = x + F.linear(F.linear(x, self.down), self.up)
        return mapped * self.mask() * self.scale

    def identity_loss(self) -> Tensor:
        """Mean square of D D' - 1: zero where the rows of D are orthonormal."""
        eye = torch.eye(len(self.down), device=self.down.device, dtype=self.down.dtype)
        return F.mse_loss(self.down @ self.down.T, eye)


def share_channel_mask(model: nn.Module, total_steps: int = 10000) -> SharedChannelMask:
    """Make all modules of PAT in `model` use one mask, and return it; before the optimiser.

    In a model with streams of several widths each width has its mask; that of the first returns.
    """
    modules = [part for part in model.modules() if isinstance(part, HybridSparsificationModule)]
    if not modules:
        raise ValueError("model has no HybridSparsificationModule")
    masks: dict[int, SharedChannelMask] = {}
    for module in modules:
        module.mask = masks.setdefault(len(module.scale), module.mask)
        module.mask.total_steps = total_steps
    return modules[0].mask


def pat_penalty(model: nn.Module, keep_ratio: float = 0.75) -> Tensor:
    """What PAT (arXiv:2408.14721) adds to the loss: of the mask, and of each low-rank map."""
    modules = [part for part in model.modules() if isinstance(part, HybridSparsificationModule)]
    if not modules:
        raise ValueError("model has no HybridSparsificationModule")
    masks = dict.fromkeys(part.mask for part in modules)
    parts = [mask.penalty(max(1, round(keep_ratio * len(mask.logits)))) for mask in masks]
    return torch.stack(parts + [part.identity_loss() for part in modules]).sum()


def step_masks_(model: nn.Module) -> None:
    """Count one step of the training in every mask of `model`."""
    for part in model.modules():
        if isinstance(part, SharedChannelMask):
            part.steps += 1


@torch.no_grad()
def fold_hsm_(
    writer: "nn.Linear | nn.Embedding",
    readers: "Sequence[nn.Linear]",
    norm: nn.Module,
    hsm: HybridSparsificationModule,
    keep: "Sequence[int]",
) -> None:
    """Fold a module into the layer before it, and cut the stream down to the channels of `keep`.

    `norm` is the RMSNorm that next reads the stream and `readers` the layers after it. Use each
    writer, norm and reader once, put nn.Identity() for the modules, and tell the model its width.
    """
    if isinstance(norm, nn.LayerNorm):
        raise ValueError("norm must be an RMSNorm: the mean of a LayerNorm changes with its width")
    width, left = len(hsm.scale), len(keep)
    index = torch.tensor(list(keep), device=hsm.scale.device)
    eye = torch.eye(width, device=hsm.up.device, dtype=hsm.up.dtype)
    M = (hsm.scale[:, None] * (eye + hsm.up @ hsm.down))[index]  # rows of diag(v) (1 + U D)
    if isinstance(writer, nn.Embedding):
        writer.weight = nn.Parameter(writer.weight @ M.T)
        writer.embedding_dim = left
    else:
        writer.weight = nn.Parameter(M @ writer.weight)
        writer.out_features = left
        if writer.bias is not None:
            writer.bias = nn.Parameter(M @ writer.bias)
    for reader in readers:
        reader.weight = nn.Parameter(reader.weight[:, index])
        reader.in_features = left
    # over fewer channels the mean square grows by width / left, as the others are zero
    norm.weight = nn.Parameter(norm.get_parameter("weight")[index] * math.sqrt(width / left))
    for name in ("eps", "variance_epsilon"):
        if isinstance(value := getattr(norm, name, None), float):
            setattr(norm, name, value * width / left)
    if hasattr(norm, "normalized_shape"):
        setattr(norm, "normalized_shape", (left,))  # noqa: B010
