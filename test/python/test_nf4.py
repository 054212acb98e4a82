"""NF4: sixteen levels where a normal distribution has its mass."""

import math
from statistics import NormalDist

import pytest
import torch
from corpus import SHARED

quantize_nf4, dequantize_nf4 = SHARED["quantize_nf4"], SHARED["dequantize_nf4"]
LEVELS = torch.tensor(SHARED["NF4_LEVELS"])


def test_levels_are_quantiles() -> None:
    """Eight steps up and seven down from one half, scaled by the outermost."""
    outermost = (1 - 1 / 32 + 1 - 1 / 30) / 2
    normal = NormalDist()
    up = [normal.inv_cdf(0.5 + (outermost - 0.5) * step / 8) for step in range(1, 9)]
    down = [normal.inv_cdf(0.5 - (outermost - 0.5) * step / 7) for step in range(7, 0, -1)]
    expected = torch.tensor([*down, 0.0, *up]) / normal.inv_cdf(outermost)
    torch.testing.assert_close(LEVELS, expected, rtol=0, atol=2e-6)


def test_rounds_to_the_nearest_level() -> None:
    weight = torch.randn(6, 48)
    codes, largest = quantize_nf4(weight, block=32)
    assert codes.shape == (9, 16) and codes.dtype == torch.uint8
    blocks = weight.flatten().view(9, 32)
    torch.testing.assert_close(largest, blocks.abs().amax(1))
    scaled = blocks / largest[:, None]
    nearest = LEVELS[(scaled[..., None] - LEVELS).abs().argmin(-1)]
    found = dequantize_nf4(codes, largest, (6, 48))
    torch.testing.assert_close(found, (nearest * largest[:, None]).view(6, 48))


def test_what_is_rounded_stays() -> None:
    weight = torch.randn(5, 13)  # 65 entries: the last block is not full
    once = dequantize_nf4(*quantize_nf4(weight), (5, 13))
    torch.testing.assert_close(dequantize_nf4(*quantize_nf4(once), (5, 13)), once)
    assert not torch.equal(once, weight)
    zeros = torch.zeros(4, 4)
    assert torch.equal(dequantize_nf4(*quantize_nf4(zeros), (4, 4)), zeros)
    # the widest gap between levels is the lowest, so half of it bounds the error
    bound = (LEVELS[1] - LEVELS[0]).item() / 2 * weight.abs().max().item()
    assert (once - weight).abs().max() <= bound + 1e-6 and math.isfinite(bound)


def test_refuses_odd_blocks() -> None:
    with pytest.raises(ValueError, match="block must be even and at least 2, got 3"):
        quantize_nf4(torch.randn(4, 4), block=3)
