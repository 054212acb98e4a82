"""WaveFT: the inverse Haar transform."""

import pytest
import torch
from corpus import PYTHON

WaveFTLinear = PYTHON["waveft"]["WaveFTLinear"]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (0, [[0.5, 0.5], [0.5, 0.5]]),  # top left: the average
        (2, [[0.5, 0.5], [-0.5, -0.5]]),  # top right: the change from row to row
        (8, [[0.5, -0.5], [0.5, -0.5]]),  # bottom left: the change from column to column
        (10, [[0.5, -0.5], [-0.5, 0.5]]),  # bottom right: both
    ],
)
def test_each_quadrant_has_its_pattern(place: int, expected: list[list[float]]) -> None:
    layer = WaveFTLinear(4, 4, n_frequency=1, scaling=1.0)
    layer.positions.fill_(place)
    torch.nn.init.ones_(layer.coefficients)
    update = layer.update()
    assert update[:2, :2].tolist() == expected
    assert update[2:].abs().max() == 0 and update[:, 2:].abs().max() == 0


def test_the_transform_keeps_lengths() -> None:
    layer = WaveFTLinear(6, 8, n_frequency=20, scaling=1.0)
    torch.nn.init.normal_(layer.coefficients)
    torch.testing.assert_close(layer.update().norm(), layer.coefficients.norm())
