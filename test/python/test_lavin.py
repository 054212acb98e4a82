"""LaVIN: the routed linear adapter and where it is put."""

import copy

import pytest
import torch
from corpus import PYTHON
from torch import Tensor, nn
from torch.nn import functional as F

MixtureOfModalityAdapter = PYTHON["lavin"]["MixtureOfModalityAdapter"]
ModalityProjector = PYTHON["lavin"]["ModalityProjector"]
insert_mma = PYTHON["lavin"]["insert_mma"]


def size(module: nn.Module) -> int:
    return sum(part.numel() for part in module.parameters())


def awake(adapter: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for parameter in adapter.parameters():
        nn.init.normal_(parameter, std=0.3)
    return adapter.eval()


def test_size_with_llama_and_clip() -> None:
    """3,781,296: 32 adapters of width 4096, 24 of 1024, the projector and two embeddings."""
    language, vision = (MixtureOfModalityAdapter(width, "meta") for width in (4096, 1024))
    assert (size(language), size(vision)) == (20 * 4096 + 10, 20 * 1024 + 10)
    projector = ModalityProjector(1024, 4096, "meta")
    assert 32 * size(language) + 24 * size(vision) + size(projector) + 2 * 4096 == 3_781_296


def test_starts_as_the_identity() -> None:
    adapter = MixtureOfModalityAdapter(16)
    x = torch.randn(2, 5, 16)
    assert torch.equal(adapter(x), x)
    adapter(x).square().sum().backward()
    assert adapter.up_weight.grad.abs().sum() > 0


def test_weights_are_a_softmax_of_the_first_token() -> None:
    adapter = awake(MixtureOfModalityAdapter(16))
    x = torch.randn(2, 5, 16)
    weights = adapter.route(x)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2))
    assert torch.equal(adapter.route(x[:, :1]), weights)
    assert torch.equal(adapter(x, weights), adapter(x))
    assert not torch.equal(adapter(x[:, 1:]), adapter(x)[:, 1:])
    adapter.temperature = 1e6
    torch.testing.assert_close(adapter.route(x), torch.full((2, 2), 0.5), rtol=0, atol=1e-5)


def test_up_projections_are_grouped_convolutions() -> None:
    adapter = awake(MixtureOfModalityAdapter(16, hidden=8, groups=4, scale=0.7))
    x = torch.randn(2, 5, 16)
    z = F.linear(x, adapter.down_weight, adapter.down_bias).transpose(1, 2)
    paths = [
        F.conv1d(z, weight.flatten(0, 1)[..., None], bias, groups=4).transpose(1, 2)
        for weight, bias in zip(adapter.up_weight, adapter.up_bias, strict=True)
    ]
    first, second = adapter.route(x).T[..., None, None]
    torch.testing.assert_close(adapter(x), x + 0.7 * (first * paths[0] + second * paths[1]))


@pytest.mark.parametrize("bias", [True, False])
def test_merges_into_the_next_layer_for_one_modality(bias: bool) -> None:
    adapter = awake(MixtureOfModalityAdapter(16, scale=0.5))
    linear = nn.Linear(16, 12, bias)
    weights = torch.tensor([0.3, 0.7])
    x = torch.randn(2, 5, 16)
    merged = adapter.merge_into(linear, weights)
    assert type(merged) is nn.Linear
    torch.testing.assert_close(
        merged(x), linear(adapter(x, weights.expand(2, 2))), rtol=1e-5, atol=1e-5
    )


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(16)
        self.attn = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.attn(self.ln_1(x))


def test_stands_between_norm_and_attention() -> None:
    model = nn.Sequential(Block(), Block())
    x, keys = torch.randn(2, 5, 16), set(model.state_dict())
    before = model(x)
    adapters = insert_mma(model, Block)
    assert len(adapters) == 2 and keys < set(model.state_dict())
    torch.testing.assert_close(model.eval()(x), before)
    for adapter in adapters:
        awake(adapter)
    block = model[0]
    normed = F.layer_norm(x, (16,), block.ln_1.weight, block.ln_1.bias)
    torch.testing.assert_close(block(x), x + block.attn(adapters[0](normed)))
    twin = copy.deepcopy(model)
    nn.init.zeros_(adapters[0].up_weight)
    assert not torch.allclose(twin(x), model(x))


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="groups must divide hidden 8 and width 15, got 2"):
        MixtureOfModalityAdapter(15)
    with pytest.raises(ValueError, match="norm must name a norm"):
        insert_mma(nn.Sequential(Block()), Block, norm="norm1")
    with pytest.raises(ValueError, match="block must be a class of modules in the model"):
        insert_mma(nn.Linear(2, 2), Block)
