"""Q-Adapter: symmetries, gate and where it is put."""

import copy

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn

QueryAdapter = PYTHON["q-adapter"]["QueryAdapter"]
insert_query_adapters = PYTHON["q-adapter"]["insert_query_adapters"]


def awake() -> nn.Module:
    torch.manual_seed(0)
    adapter = QueryAdapter(16, bottleneck=8, num_queries=5, heads=2)
    for parameter in adapter.parameters():
        nn.init.normal_(parameter, std=0.5)
    return adapter


def test_order_of_queries_and_patches() -> None:
    adapter = awake()
    x = torch.randn(2, 7, 16)
    adapted = adapter(x)
    assert not torch.allclose(adapted, x)
    torch.testing.assert_close(adapter(x.flip(1)), adapted.flip(1))
    with torch.no_grad():
        adapter.queries.copy_(adapter.queries.flip(0))
    torch.testing.assert_close(adapter(x), adapted)


def test_attends_as_torch_does() -> None:
    adapter = awake()
    x, memory = torch.randn(2, 7, 8), torch.randn(2, 5, 8)
    attention = nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    with torch.no_grad():
        attention.in_proj_weight.copy_(adapter.read[:3].flatten(0, 1))
        attention.out_proj.weight.copy_(adapter.read[3])
    expected, _ = attention(x, memory, memory)
    actual = adapter.attention(adapter.read, x, memory)
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


def test_a_shut_gate_leaves_the_patches() -> None:
    adapter = awake()
    x = torch.randn(2, 7, 16)
    nn.init.zeros_(adapter.gate_weight)
    nn.init.constant_(adapter.gate_bias, 100.0)
    opened = adapter(x) - x
    nn.init.zeros_(adapter.gate_bias)
    torch.testing.assert_close(adapter(x) - x, opened / 2, rtol=1e-4, atol=1e-5)
    nn.init.constant_(adapter.gate_bias, -100.0)
    torch.testing.assert_close(adapter(x), x)


class Layer(nn.Module):
    """Gives a tuple, as layers of libraries do."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> tuple[Tensor, str]:
        return x + self.linear(x), "weights"


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)[0]
        return x


def test_adapters_become_parts_of_their_layers() -> None:
    encoder = Encoder()
    x, keys = torch.randn(2, 7, 16), set(encoder.state_dict())
    before = encoder(x)
    adapters = insert_query_adapters(encoder, encoder.layers[1:], width=16)
    assert len(adapters) == 2 and keys < set(encoder.state_dict())
    torch.testing.assert_close(encoder(x), before)
    trained = {name for name, part in encoder.named_parameters() if part.requires_grad}
    assert trained and all(".query_adapter." in name for name in trained)
    twin = copy.deepcopy(encoder)
    nn.init.normal_(adapters[0].up_weight)
    assert not torch.allclose(encoder(x), before)
    torch.testing.assert_close(twin(x), before)
    with pytest.raises(ValueError, match="layers must be modules of vision_encoder"):
        insert_query_adapters(encoder, [nn.Linear(2, 2)], width=16)
