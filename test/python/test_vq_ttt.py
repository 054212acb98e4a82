"""VQ-TTT: the kernel, the entropy and tuning on one sample."""

import copy
from types import SimpleNamespace

import pytest
import torch
from corpus import PYTHON
from torch import nn

LowRankKernel = PYTHON["vq-ttt"]["LowRankKernel"]
entropy_loss = PYTHON["vq-ttt"]["entropy_loss"]
Tuner = PYTHON["vq-ttt"]["TestTimeTuner"]


@pytest.mark.parametrize("normalise", [True, False])
def test_image_starts_unchanged(normalise: bool) -> None:
    kernel = LowRankKernel(normalise=normalise)
    image = torch.randn(2, 3, 8, 9)
    assert torch.equal(kernel(image), image)
    assert sum(part.numel() for part in kernel.parameters()) == 2 * 5 * 1 + 1


@pytest.mark.parametrize(("ksize", "rank"), [(5, 1), (5, 2), (7, 3)])
def test_change_of_the_kernel_has_low_rank(ksize: int, rank: int) -> None:
    kernel = LowRankKernel(ksize, rank).double()
    nn.init.constant_(kernel.alpha, 0.7)
    delta = torch.zeros(ksize, ksize, dtype=torch.float64)
    delta[ksize // 2, ksize // 2] = 1
    change = kernel.kernel() - delta
    assert torch.linalg.matrix_rank(change) == rank
    expected = sum(0.7 * torch.outer(kernel.u[j], kernel.v[j]) for j in range(rank))
    torch.testing.assert_close(change, expected)


def test_filters_each_channel_with_reflected_borders() -> None:
    kernel = LowRankKernel(3, 1)
    nn.init.constant_(kernel.alpha, 0.7)
    image = torch.randn(1, 3, 6, 6)
    filtered = kernel(image)
    assert filtered.shape == image.shape
    patch = image[0, 1, 2:5, 1:4]
    torch.testing.assert_close(filtered[0, 1, 3, 2], (kernel.kernel() * patch).sum())
    corner = image[0, 2][[1, 0, 1]][:, [1, 0, 1]]
    torch.testing.assert_close(filtered[0, 2, 0, 0], (kernel.kernel() * corner).sum())


def test_normalised_kernel_keeps_even_images() -> None:
    kernel = LowRankKernel(normalise=True)
    nn.init.constant_(kernel.alpha, 0.2)
    image = torch.full((1, 3, 8, 8), 0.6)
    torch.testing.assert_close(kernel(image), image)


def test_entropy_of_known_distributions() -> None:
    even = torch.zeros(2, 8)
    torch.testing.assert_close(entropy_loss(even), torch.tensor(8.0).log())
    assert entropy_loss(torch.tensor([[100.0, 0.0, 0.0]])) < 1e-6
    mixed = torch.tensor([[0.25, 0.75]]).log()
    torch.testing.assert_close(entropy_loss(mixed), torch.tensor(0.5623351446))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.filter = LowRankKernel()
        self.head = nn.Linear(3 * 64, 5)

    def forward(self, image: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(logits=self.head(self.filter(image).flatten(1)))


def test_tunes_on_a_sample_and_comes_back() -> None:
    model = Model()
    before = copy.deepcopy(model.state_dict())
    image = torch.randn(1, 3, 8, 8)
    entropy = entropy_loss(model(image).logits).item()
    tuner = Tuner(model, model.filter.parameters(), lr=1e-2, steps=3)
    logits = tuner.adapt(image)
    assert not logits.requires_grad
    assert entropy_loss(logits).item() < entropy
    assert model.filter.alpha.abs() > 0
    assert torch.equal(model.head.weight, before["head.weight"]) and model.head.weight.grad is None
    assert torch.equal(tuner.adapt(image), logits)  # each sample starts anew
    tuner.reset()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_sizes_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="ksize must be odd and at least 1, got 4"):
        LowRankKernel(4)
    with pytest.raises(ValueError, match="params must hold at least one"):
        Tuner(Model(), [])
