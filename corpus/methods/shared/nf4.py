import torch
from torch import Tensor
from torch.nn import functional as F

# quantiles of the normal distribution, scaled to [-1, 1], with an exact zero
NF4_LEVELS = (
    *(-1.0, -0.6961928, -0.52507305, -0.39491749, -0.28444138, -0.18477343, -0.09105004, 0.0),
    *(0.0795803, 0.1609302, 0.24611232, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0),
)


@torch.no_grad()
def quantize_nf4(weight: Tensor, block: int = 64) -> "tuple[Tensor, Tensor]":
    """4-bit NormalFloat codes of a weight: QLoRA (Dettmers et al., 2023, arXiv:2305.14314).

    Each block of `block` entries, row by row, is divided by its largest |w| and rounded to the
    nearest of 16 levels. Returns codes (blocks, block / 2), two to a byte, and largest (blocks,).
    """
    if block < 2 or block % 2:
        raise ValueError(f"block must be even and at least 2, got {block}")
    flat = weight.flatten().float()
    flat = F.pad(flat, (0, -len(flat) % block)).view(-1, block)
    largest = flat.abs().amax(1)
    levels = torch.tensor(NF4_LEVELS, device=weight.device)
    middles = (levels[1:] + levels[:-1]) / 2
    smallest = torch.finfo(torch.float32).tiny
    codes = torch.bucketize(flat / largest.clamp_min(smallest)[:, None], middles).to(torch.uint8)
    return codes[:, 0::2] * 16 + codes[:, 1::2], largest


@torch.no_grad()
def dequantize_nf4(codes: Tensor, largest: Tensor, shape: "tuple[int, ...]") -> Tensor:
    """The weight that `quantize_nf4` stands for: QLoRA (arXiv:2305.14314); float32."""
    levels = torch.tensor(NF4_LEVELS, device=codes.device)
    places = torch.stack([codes // 16, codes % 16], dim=-1).flatten(1).long()  # (blocks, block)
    flat = (levels[places] * largest.float()[:, None]).flatten()
    size = 1
    for length in shape:
        size *= length
    return flat[:size].view(shape)
