"""TryOn-Adapter: fuser, spatial adapters, token mix and T-RePaint."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn
from torch.nn import functional as F

GatedTokenFuser = PYTHON["tryon-adapter"]["GatedTokenFuser"]
PositionAttention = PYTHON["tryon-adapter"]["PositionAttention"]
SpatialConditionAdapter = PYTHON["tryon-adapter"]["SpatialConditionAdapter"]
TokenMixAdapter = PYTHON["tryon-adapter"]["TokenMixAdapter"]
t_repaint = PYTHON["tryon-adapter"]["t_repaint"]


def size(module: nn.Module) -> int:
    return sum(part.numel() for part in module.parameters())


def test_fuser_starts_as_the_identity_and_opens() -> None:
    torch.manual_seed(0)
    fuser = GatedTokenFuser(16, 12, 4)
    x, context = torch.randn(2, 5, 16), torch.randn(2, 3, 12)
    assert torch.equal(fuser(x, context), x)
    fuser(x, context).square().sum().backward()
    assert fuser.alpha.grad.abs() > 0 and fuser.beta.grad.abs() > 0
    nn.init.constant_(fuser.alpha, 0.5)
    opened = fuser(x, context)
    assert opened.shape == x.shape and not torch.allclose(opened, x)
    assert not torch.allclose(fuser(x, context + 1), opened)
    torch.testing.assert_close(fuser(x, context.flip(1)), opened)  # the garment has no order


def test_fuser_attends_as_torch_does() -> None:
    fuser = GatedTokenFuser(16, 12, 4)
    x = torch.randn(2, 5, 16)
    empty = torch.zeros(48)
    expected, _ = F.multi_head_attention_forward(
        *[x.transpose(0, 1)] * 3, 16, 4, fuser.qkv.weight, empty, None, None, False, 0.0,
        fuser.out.weight, fuser.out.bias,
    )  # fmt: skip
    actual = fuser.attention(fuser.qkv(x)).transpose(0, 1)
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


def test_position_attention_starts_as_the_identity() -> None:
    attention = PositionAttention(16)
    x = torch.randn(2, 16, 4, 3)
    assert torch.equal(attention(x), x)
    nn.init.ones_(attention.gamma)
    turned = attention(x.flip(2))
    torch.testing.assert_close(turned, attention(x).flip(2))
    for part in (attention.query, attention.key):
        nn.init.zeros_(part.weight)
        nn.init.zeros_(part.bias)
    mean = attention.value(x).mean((2, 3), keepdim=True)  # even weights: the mean of all positions
    torch.testing.assert_close(attention(x), x + mean, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("images", [1, 3])
def test_features_fit_the_encoder_of_stable_diffusion(images: int) -> None:
    adapter = SpatialConditionAdapter(64 * images, (8, 16, 32, 32))
    features = adapter(torch.randn(1, images, 128, 96))
    assert [tuple(part.shape) for part in features] == [
        (1, 8, 16, 12), (1, 16, 8, 6), (1, 32, 4, 3), (1, 32, 2, 1),
    ]  # fmt: skip
    assert all(part.abs().max() > 0 for part in features)  # it does not start at zero


def test_size_of_the_structure_adapter() -> None:
    channels, previous, expected = (320, 640, 1280, 1280), 320, 9 * 192 * 320 + 320
    for width in channels:
        if width != previous:
            expected += previous * width + width
        block = 10 * width**2 + 2 * width
        attention = 2 * (width * (width // 8) + width // 8) + width**2 + width + 1
        expected += 2 * (block + attention)
        previous = width
    assert size(SpatialConditionAdapter(192, n_blocks=1)) < size(SpatialConditionAdapter(192))
    assert size(SpatialConditionAdapter(192)) == expected


def test_token_mix_starts_as_clip_and_the_bias() -> None:
    mix = TokenMixAdapter(6, 4, latent_size=9, dim=8)
    clip, latent = torch.randn(2, 6, 8), torch.randn(2, 4, 3, 3)
    torch.testing.assert_close(mix(clip, latent), clip + mix.mix_bias[:, None])
    mix(clip, latent).square().sum().backward()
    assert mix.mix_weight.grad[:, 6:].abs().sum() > 0
    assert size(TokenMixAdapter()) == 785 * 1024 + 260 * 256 + 256


def test_repaint_is_a_choice_between_two_latents() -> None:
    z, warped = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)
    t = torch.tensor([3, 7])

    def q_sample(latent: Tensor, step: Tensor) -> Tensor:
        return 0.1 * step[:, None, None, None] * latent

    none, full = torch.zeros(2, 1, 8, 8), torch.ones(2, 1, 8, 8)
    assert torch.equal(t_repaint(z, warped, none, t, q_sample), z)
    assert torch.equal(t_repaint(z, warped, full, t, q_sample), q_sample(warped, t))
    half = full.clone()
    half[..., :4] = 0
    mixed = t_repaint(z, warped, half, t, q_sample)
    assert torch.equal(mixed[..., :4], z[..., :4])
    assert torch.equal(mixed[..., 4:], q_sample(warped, t)[..., 4:])


def test_sizes_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="heads must divide dim 16, got 3"):
        GatedTokenFuser(16, 12, 3)
    with pytest.raises(ValueError, match="cin must be a multiple of 64, got 3"):
        SpatialConditionAdapter(3)
