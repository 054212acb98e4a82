"""BOFT: order of the butterfly, and rotations that mix all inputs."""

import pytest
import torch
from corpus import PYTHON

BOFTLinear = PYTHON["boft"]["BOFTLinear"]
butterfly = PYTHON["boft"]["butterfly"]


def test_order_of_the_second_factor() -> None:
    expected = [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]
    assert butterfly(16, 4, 1).tolist() == expected
    assert butterfly(16, 4, 0).tolist() == list(range(16))


@pytest.mark.parametrize(("factors", "reached"), [(1, 4), (2, 8), (3, 16)])
def test_each_factor_doubles_what_an_input_reaches(factors: int, reached: int) -> None:
    layer = BOFTLinear(16, 5, block_size=4, factors=factors)
    torch.nn.init.normal_(layer.boft_r)
    rotation = layer.turned(torch.eye(16))
    assert (rotation.abs() > 1e-7).sum(dim=1).tolist() == [reached] * 16
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(16), rtol=0, atol=1e-5)


def test_factors_must_fit() -> None:
    with pytest.raises(ValueError, match="factors must be between 1 and 3, got 4"):
        BOFTLinear(16, 5, block_size=4, factors=4)
