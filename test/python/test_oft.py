"""OFT: blocks are rotations."""

import torch
from corpus import PYTHON, SHARED

OFTLinear = PYTHON["oft"]["OFTLinear"]


def test_blocks_are_orthogonal() -> None:
    layer = OFTLinear(12, 5, block_size=4)
    torch.nn.init.normal_(layer.oft_q)
    rotation = layer.rotation()  # (3, 4, 4)
    products = rotation @ rotation.transpose(1, 2)
    torch.testing.assert_close(products, torch.eye(4).expand(3, 4, 4), rtol=0, atol=1e-5)


def test_angles_between_outputs_stay() -> None:
    layer = OFTLinear(12, 5, bias=False, block_size=4)
    torch.nn.init.normal_(layer.oft_q)
    before, after = layer.weight, layer.merged().weight
    torch.testing.assert_close(after @ after.T, before @ before.T, rtol=0, atol=1e-5)
    assert not torch.allclose(before, after, atol=1e-2)


def test_blocks_may_be_one() -> None:
    layer = OFTLinear(12, 5, block_size=4, block_share=True)
    assert layer.oft_q.numel() == 6
    torch.nn.init.normal_(layer.oft_q)
    x = torch.randn(3, 12)
    torch.testing.assert_close(layer.merged()(x), layer(x))


def test_cayley_of_one_plane_turns_by_twice_the_arctangent() -> None:
    turned = SHARED["cayley"](torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    torch.testing.assert_close(turned, torch.tensor([[0.0, -1.0], [1.0, 0.0]]))
