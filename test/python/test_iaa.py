"""IAA: modules aside of frozen layers."""

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn
from torch.nn import functional as F

AsideConnectedEncoder = PYTHON["iaa"]["AsideConnectedEncoder"]
HoulsbyAdapter = PYTHON["houlsby"]["HoulsbyAdapter"]
MODES = ["per_layer", "shared", "chained"]


class Layer(nn.Module):
    """A residual block that gives a tuple, as layers of libraries do."""

    def __init__(self, adapter: nn.Module | None = None) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.adapter = adapter

    def forward(self, x: Tensor, factor: float = 1.0) -> tuple[Tensor, None]:
        h = factor * F.relu(self.linear(x))
        return x + (h if self.adapter is None else self.adapter(h)), None


def encoder(mode: str, awake: bool = True) -> nn.Module:
    torch.manual_seed(0)
    made = AsideConnectedEncoder([Layer() for _ in range(3)], 8, 4, mode)
    if awake:
        nn.init.normal_(made.up_weight)
        nn.init.normal_(made.up_bias)
    return made


@pytest.mark.parametrize("mode", MODES)
def test_starts_as_the_stack_and_passes_arguments_on(mode: str) -> None:
    made = encoder(mode, awake=False)
    x = torch.randn(2, 5, 8)
    expected = x
    for layer in made.layers:
        expected = layer(expected, factor=0.5)[0]
    assert torch.equal(made(x, factor=0.5), expected)


@pytest.mark.parametrize("mode", MODES)
def test_size(mode: str) -> None:
    made = encoder(mode)
    each = 2 * 8 * 4 + 4 + 8
    trained = sum(part.numel() for part in made.parameters() if part.requires_grad)
    assert trained == (each if mode == "shared" else 3 * each)


def test_what_each_mode_computes() -> None:
    x = torch.randn(2, 5, 8)
    for mode in MODES:
        made = encoder(mode)
        h, state = x, torch.zeros(2, 5, 4)
        for number, layer in enumerate(made.layers):
            index = 0 if mode == "shared" else number
            low = F.gelu(h @ made.down_weight[index].T + made.down_bias[index])
            state = state + low
            up = (state if mode == "chained" else low) @ made.up_weight[index].T
            h = layer(h)[0] + up + made.up_bias[index]
        torch.testing.assert_close(made(x), h)


@pytest.mark.parametrize("mode", ["per_layer", "chained"])
def test_the_first_module_learns_where_no_frozen_layer_passes_anything(mode: str) -> None:
    made = encoder(mode)
    for layer in made.layers:
        layer.forward = lambda x: torch.zeros_like(x)
    (made(torch.randn(2, 5, 8)) * torch.randn(2, 5, 8)).sum().backward()
    assert made.down_weight.grad[0].abs().sum() > 0
    assert all(part.grad is None for part in made.layers.parameters())


def test_adapters_inside_keep_training() -> None:
    layers = [Layer(HoulsbyAdapter(8, bottleneck=2)) for _ in range(2)]
    made = AsideConnectedEncoder(layers, 8, 4, inside=(HoulsbyAdapter,))
    names = {name for name, part in made.named_parameters() if part.requires_grad}
    assert {name for name in names if "layers" in name} == {
        f"layers.{index}.adapter.{part}"
        for index in range(2)
        for part in ("down_weight", "down_bias", "up_weight", "up_bias")
    }


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="layers must hold at least one module"):
        AsideConnectedEncoder([], 8)
    with pytest.raises(ValueError, match="mode must be per_layer, shared or chained, got each"):
        AsideConnectedEncoder([Layer()], 8, 4, "each")


@pytest.mark.parametrize("mode", MODES)
def test_modules_beside_a_loop_do_what_the_encoder_does(mode: str) -> None:
    made = encoder(mode)
    x = h = torch.randn(2, 5, 8)
    state = None
    for index, layer in enumerate(made.layers):
        aside, state = made.beside(h, index, state)
        h = layer(h)[0] + aside
    torch.testing.assert_close(made(x), h)
