"""C3A: blocks are circulant."""

import torch
from corpus import PYTHON

C3ALinear = PYTHON["c3a"]["C3ALinear"]


def test_each_row_is_the_one_above_shifted() -> None:
    layer = C3ALinear(8, 12, block_size=4)
    update = (layer.merged().weight - layer.weight) * 8
    for m in range(3):
        for n in range(2):
            block = update[4 * m : 4 * m + 4, 4 * n : 4 * n + 4]
            for row in range(4):
                shifted = layer.c3a_kernel[m, n].roll(row)
                torch.testing.assert_close(block[row], shifted, rtol=0, atol=1e-5)


def test_blocks_of_odd_length() -> None:
    layer = C3ALinear(9, 6, block_size=3)
    x = torch.randn(2, 9)
    torch.testing.assert_close(layer(x), layer.merged()(x))


def test_the_update_has_full_rank() -> None:
    torch.manual_seed(0)
    layer = C3ALinear(8, 8, block_size=8)
    assert torch.linalg.matrix_rank(layer.merged().weight - layer.weight, atol=1e-5) == 8
