"""VL-PET: heads, gates and the value path."""

import pytest
import torch
from corpus import PYTHON
from torch import nn
from torch.nn import functional as F

GranularityGatedAdapter = PYTHON["vl-pet"]["GranularityGatedAdapter"]
ValueParallelAdapter = PYTHON["vl-pet"]["ValueParallelAdapter"]
GATES = {"large": 2 * 64 * 96 + 96 + 64, "middleX": 65, "middleY": 64, "small": 129}


def size(module: nn.Module) -> int:
    return sum(part.numel() for part in module.parameters() if part.requires_grad)


@pytest.mark.parametrize("granularity", GATES)
def test_size_and_shape_of_each_gate(granularity: str) -> None:
    adapter = GranularityGatedAdapter(64, granularity=granularity)
    assert size(adapter) == 2 * 64 * 96 + 96 + 64 + GATES[granularity]
    stream, h = torch.randn(2, 5, 64), torch.randn(2, 5, 64)
    shapes = {"large": (2, 5, 64), "middleX": (2, 5, 1), "middleY": (64,), "small": (2, 1, 1)}
    assert adapter.gate(stream, h).shape == shapes[granularity]
    assert adapter(h, stream).shape == h.shape


def test_size_on_the_encoder_of_bart_base() -> None:
    """4,449,600: twelve adapters and gates of width 768, and six value adapters."""
    encoder = 12 * size(GranularityGatedAdapter(768))
    decoder = 6 * size(ValueParallelAdapter(768, 768))
    assert encoder + decoder == 6 * 593_280 + 6 * 148_320 == 4_449_600


def test_heads_are_rows_of_one_matrix() -> None:
    adapter = GranularityGatedAdapter(16, bottleneck=8, heads=4, granularity="middleY")
    nn.init.zeros_(adapter.gate_weights[0])  # G = 1: a plain sequential adapter
    h = torch.randn(3, 16)
    heads = [h @ weight.T for weight in adapter.down_weight]
    hidden = F.gelu(torch.cat(heads, dim=-1), approximate="tanh")
    torch.testing.assert_close(adapter(h), h + hidden @ adapter.up_weight.T)


@pytest.mark.parametrize("granularity", ["large", "middleX", "small"])
def test_a_gate_of_zeros_halves(granularity: str) -> None:
    adapter = GranularityGatedAdapter(16, granularity=granularity, scale=0.3)
    for name, parameter in adapter.named_parameters():
        if name.startswith(("gate", "up")):
            nn.init.zeros_(parameter)
    h = torch.randn(2, 3, 16)
    torch.testing.assert_close(adapter(h, torch.randn(2, 3, 16)), 0.15 * h)


def test_the_large_gate_reads_the_stream_alone() -> None:
    torch.manual_seed(0)
    adapter = GranularityGatedAdapter(16, init_std=0.1)
    h, stream = torch.randn(2, 3, 16), torch.randn(2, 3, 16)
    gate = adapter.gate(stream, h)
    assert torch.equal(adapter.gate(stream, 2 * h), gate)
    assert ((gate > 0) & (gate < 1)).all()
    ratio = adapter(h, stream) / adapter(h, 0 * stream)
    torch.testing.assert_close(ratio, gate / 0.5)


def test_value_is_that_of_the_frozen_layer_without_the_up_projection() -> None:
    layer = ValueParallelAdapter(16, 8)
    memory = torch.randn(2, 5, 16)
    assert not torch.allclose(layer(memory), F.linear(memory, layer.weight, layer.bias))
    nn.init.zeros_(layer.up_weight)
    assert torch.equal(layer(memory), F.linear(memory, layer.weight, layer.bias))


def test_unknown_granularity() -> None:
    with pytest.raises(ValueError, match="granularity must be one of large, middleX"):
        GranularityGatedAdapter(8, granularity="middle")
