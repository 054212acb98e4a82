"""Music adapters: convolutional, linear and transformer bottlenecks."""

import pytest
import torch
from corpus import PYTHON
from torch import nn
from torch.nn import functional as F

ConvBottleneckAdapter = PYTHON["music-adapters"]["ConvBottleneckAdapter"]
LinearBottleneckAdapter = PYTHON["music-adapters"]["LinearBottleneckAdapter"]
TransformerBottleneckAdapter = PYTHON["music-adapters"]["TransformerBottleneckAdapter"]


def size(module: nn.Module) -> int:
    return sum(part.numel() for part in module.parameters())


def test_sizes() -> None:
    c, b = 320, 40
    assert size(ConvBottleneckAdapter(c)) == 2 * c * b + b + c
    three = ConvBottleneckAdapter(c, kernel_size=3, n_blocks=2, norm=True)
    assert size(three) == 2 * (18 * c * b + b + c) + 2 * c
    assert size(LinearBottleneckAdapter(1536)) == 2 * 1536 * 32 + 32 + 1536


@pytest.mark.parametrize("kernel_size", [1, 3])
def test_convolutions_start_as_the_identity_and_keep_shapes(kernel_size: int) -> None:
    adapter = ConvBottleneckAdapter(16, kernel_size=kernel_size, n_blocks=2)
    x = torch.randn(2, 16, 5, 6)
    assert torch.equal(adapter(x), x)
    released = ConvBottleneckAdapter(16, kernel_size=kernel_size, zero_init=False, norm=True)
    assert released(x).shape == x.shape and not torch.allclose(released(x), x)
    torch.testing.assert_close(released(x).mean(1), torch.zeros(2, 5, 6), rtol=0, atol=1e-5)


def test_convolution_of_one_pixel_is_a_linear_bottleneck() -> None:
    adapter = ConvBottleneckAdapter(16, reduction=4, zero_init=False)
    x = torch.randn(2, 16, 5, 6)
    pixels = x.movedim(1, -1)
    hidden = F.gelu(pixels @ adapter.downs[0].flatten(1).T)
    expected = (pixels + hidden @ adapter.ups[0].flatten(1).T).movedim(-1, 1)
    torch.testing.assert_close(adapter(x), expected, rtol=1e-4, atol=1e-5)
    other = x.clone()
    other[0, :, 2, 3] += 1
    changed = (adapter(other) != adapter(x)).any(1)
    assert changed.sum() == 1 and changed[0, 2, 3]


def test_every_convolution_learns() -> None:
    torch.manual_seed(0)
    adapter = ConvBottleneckAdapter(16, n_blocks=2, zero_init=False, norm=True)
    (adapter(torch.randn(2, 16, 3, 3)) * torch.randn(2, 16, 3, 3)).sum().backward()
    assert all(part.grad.abs().sum() > 0 for part in adapter.parameters())


def test_linear_adapter_drops_its_output() -> None:
    torch.manual_seed(0)
    adapter = LinearBottleneckAdapter(16, dropout=0.5).train()
    x = torch.randn(4, 7, 16)
    assert (adapter(x) == 0).float().mean() == pytest.approx(0.5, abs=0.1)
    assert torch.equal(adapter.eval()(x), x)


def test_transformer_adapter_sees_the_past_alone() -> None:
    torch.manual_seed(0)
    adapter = TransformerBottleneckAdapter(16, bottleneck=8, zero_init=False)
    x = torch.randn(2, 7, 16)
    later = x.clone()
    later[:, 4:] += torch.randn(2, 3, 16)
    torch.testing.assert_close(adapter(later)[:, :4], adapter(x)[:, :4])
    assert not torch.allclose(adapter(later)[:, 4:], adapter(x)[:, 4:])
    adapter.causal = False
    assert not torch.allclose(adapter(later)[:, :4], adapter(x)[:, :4])
    torch.testing.assert_close(adapter(x.flip(1)), adapter(x).flip(1), rtol=1e-4, atol=1e-5)


def test_transformer_adapter_attends_as_torch_does() -> None:
    adapter = TransformerBottleneckAdapter(16, bottleneck=8, n_heads=2, causal=False)
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        attention.in_proj_weight.copy_(adapter.qkv_weight)
        attention.out_proj.weight.copy_(adapter.out_weight)
    x = torch.randn(2, 7, 8)
    torch.testing.assert_close(adapter.attention(x), attention(x, x, x)[0], rtol=1e-4, atol=1e-5)


def test_sizes_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="reduction must be 1 to channels 4, got 8"):
        ConvBottleneckAdapter(4)
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        ConvBottleneckAdapter(16, kernel_size=2)
