"""GraLoRA: rank of blocks and of the whole."""

import pytest
import torch
from corpus import PYTHON

GraLoRALinear = PYTHON["gralora"]["GraLoRALinear"]


@pytest.mark.parametrize("blocks", [1, 2, 4])
def test_the_whole_has_the_rank_of_all_blocks(blocks: int) -> None:
    torch.manual_seed(0)
    layer = GraLoRALinear(32, 48, rank=4, alpha=1.0, blocks=blocks)
    torch.nn.init.normal_(layer.gralora_B)
    update = (layer.merged().weight - layer.weight).double()
    assert torch.linalg.matrix_rank(update, atol=1e-5) == 4 * blocks
    block = update[: 48 // blocks, : 32 // blocks]
    assert torch.linalg.matrix_rank(block, atol=1e-5) == 4 // blocks


def test_one_block_is_lora() -> None:
    layer = GraLoRALinear(6, 8, rank=2, alpha=4.0, blocks=1)
    torch.nn.init.normal_(layer.gralora_B)
    expected = 2.0 * (layer.gralora_A[0] @ layer.gralora_B[0]).T
    torch.testing.assert_close(layer.merged().weight - layer.weight, expected, rtol=0, atol=1e-5)


def test_only_b_learns_in_the_first_step() -> None:
    layer = GraLoRALinear(6, 8, rank=2)
    layer(torch.randn(3, 6)).square().sum().backward()
    assert layer.gralora_A.grad.abs().max() == 0
    assert layer.gralora_B.grad.abs().max() > 0
