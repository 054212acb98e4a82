"""MM-Lego: blocks, merges and the identities of slerp."""

import math

import pytest
import torch
from corpus import PYTHON
from torch import nn

LegoBlock = PYTHON["mm-lego"]["LegoBlock"]
LegoMerge = PYTHON["mm-lego"]["LegoMerge"]
LegoFuse = PYTHON["mm-lego"]["LegoFuse"]
slerp = PYTHON["mm-lego"]["slerp"]
harmonic_merge = PYTHON["mm-lego"]["harmonic_merge"]


def block(feat_dim: int = 6, depth: int = 2, latent: tuple[int, int] = (4, 8)) -> nn.Module:
    return LegoBlock(nn.Identity(), feat_dim, 3, latent=latent, depth=depth).eval()


@pytest.mark.parametrize("depth", [1, 2])
def test_size_of_a_block(depth: int) -> None:
    c, d, f, classes = 64, 64, 20, 3
    attention = 512 * d + 1024 * f + 512 * d + d
    forward = 8 * d**2 + 8 * d + 4 * d**2 + d
    expected = c * d + depth * (attention + forward + 4 * d + 2 * f) + 2 * d + d * classes + classes
    made = LegoBlock(nn.Identity(), f, classes, depth=depth)
    assert sum(part.numel() for part in made.parameters()) == expected


def test_latent_keeps_its_imaginary_part_in_each_pass() -> None:
    made = block(depth=1)
    x = torch.randn(2, 5, 6)
    encoded = made.encode(x)
    assert encoded.is_complex() and encoded.shape == (2, 4, 8)
    latent = made.latent / made.latent.norm(dim=0)
    expected = torch.fft.fft(latent, dim=0).imag.expand(2, -1, -1)
    torch.testing.assert_close(encoded.imag, expected)
    assert not torch.allclose(made(x), made(torch.randn(2, 5, 6)))
    assert made(torch.randn(2, 6)).shape == (2, 3)


def test_every_part_learns() -> None:
    made = block()
    made(torch.randn(2, 5, 6)).square().sum().backward()
    assert all(part.grad.abs().sum() > 0 for part in made.parameters())


@pytest.mark.parametrize("how", ["mean", "sum", "product", "harmonic"])
def test_merges_two_encoders_without_training(how: str) -> None:
    torch.manual_seed(0)
    first, second = block(6), block(9)
    merged = LegoMerge([first, second], how=how)
    a, b = torch.randn(2, 5, 6), torch.randn(2, 7, 9)
    latents = torch.stack([first.encode(a), second.encode(b)])
    expected = {
        "mean": latents.mean(0),
        "sum": latents.sum(0),
        "product": latents.prod(0),
        "harmonic": harmonic_merge(latents[0], latents[1]),
    }[how]
    torch.testing.assert_close(merged(a, b), merged.head(expected.real))


def test_mean_of_copies_is_the_block() -> None:
    made = block()
    x = torch.randn(2, 5, 6)
    torch.testing.assert_close(LegoMerge([made, made, made], how="mean")(x, x, x), made(x))


def test_harmonic_merge_as_released_halves_equal_latents() -> None:
    latent = torch.randn(4, 8, dtype=torch.complex64)
    torch.testing.assert_close(harmonic_merge(latent, latent), latent / 2)
    a = torch.polar(torch.tensor(2.0), torch.tensor(0.2))
    b = torch.polar(torch.tensor(6.0), torch.tensor(0.6))
    merged = harmonic_merge(a, b, alpha=0.25)
    torch.testing.assert_close(merged.angle(), torch.tensor(0.4))
    torch.testing.assert_close(merged.abs(), torch.tensor(0.375 * 12 / (1.5 + 1.5)))


def test_slerp_ends_at_both_and_turns_evenly() -> None:
    a, b = torch.randn(3, 5), torch.randn(3, 5)
    torch.testing.assert_close(slerp(a, b, 0.0), a)
    torch.testing.assert_close(slerp(a, b, 1.0), b)
    x, y = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 4.0])
    expected = 3 * torch.tensor([math.cos(math.pi / 4), math.sin(math.pi / 4)])
    torch.testing.assert_close(slerp(x, y, 0.5), expected)


@pytest.mark.parametrize("factor", [1.0, 3.0, -1.0, 0.0])
def test_slerp_of_parallel_tensors_is_finite(factor: float) -> None:
    a = torch.randn(6)
    torch.testing.assert_close(slerp(a, factor * a, 0.25), (0.75 + 0.25 * factor) * a)


def test_fuse_stacks_and_weaves() -> None:
    torch.manual_seed(0)
    first, second = block(6), block(9)
    a, b = torch.randn(2, 5, 6), torch.randn(2, 7, 9)
    torch.testing.assert_close(LegoFuse([first])(a), first(a))
    fused = LegoFuse([first, second])
    stacked = second.encode(b, first.encode(a).real).real
    torch.testing.assert_close(fused(a, b), fused.head(stacked))
    woven = LegoFuse([first, second], weave=True)
    assert not torch.allclose(woven(a, b), fused(a, b))
    torch.testing.assert_close(LegoFuse([first], weave=True)(a), first(a))


def test_imaginary_part_survives_the_inverse_transform() -> None:
    made = block(depth=2)
    x = torch.randn(2, 5, 6)
    spectrum = made.spectrum(x)
    frequency = made.step(0, made.latent.expand(2, -1, -1), spectrum)
    expected = frequency.imag / (frequency.abs().square().mean(1, keepdim=True).sqrt())
    torch.testing.assert_close(made.encode(x).imag, expected, rtol=1e-4, atol=1e-5)


def test_blocks_that_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="blocks must have latents of one size"):
        LegoMerge([block(), block(latent=(4, 6))])
    with pytest.raises(ValueError, match="blocks must be two"):
        LegoMerge([block(), block(), block()])
    with pytest.raises(ValueError, match="how must be one of harmonic"):
        LegoMerge([block(), block()], how="median")
