"""LoRA of multi-head attention: W + s B A, whatever way the layer is called."""

import copy
from typing import Any

import pytest
import torch
from corpus import PYTHON, SHARED
from torch import Tensor, nn

LoRALinear = PYTHON["lora"]["LoRALinear"]
LoRAMultiheadAttention = PYTHON["lora-mha"]["LoRAMultiheadAttention"]
replace_layers = SHARED["replace_layers"]
base_parameters = SHARED["base_parameters"]
adapter_state_dict = SHARED["adapter_state_dict"]
load_adapter = SHARED["load_adapter"]
EVERY = {"query": True, "key": True, "value": True, "output": True}


def learn(model: nn.Module) -> None:
    """Factors as after training."""
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            nn.init.normal_(parameter, std=0.3)


def plain_with_updates(layer: Any) -> nn.MultiheadAttention:
    """W + s B A written out by hand into an attention of torch's own."""
    plain = nn.MultiheadAttention(
        layer.embed_dim,
        layer.num_heads,
        bias=layer.in_proj_bias is not None,
        add_bias_kv=layer.bias_k is not None,
        add_zero_attn=layer.add_zero_attn,
        kdim=layer.kdim,
        vdim=layer.vdim,
        batch_first=layer.batch_first,
    )
    plain.load_state_dict(layer.state_dict(), strict=False)
    with torch.no_grad():
        for row, name in enumerate("qkv"):
            update = (
                layer.scale * getattr(layer, f"lora_B_{name}") @ getattr(layer, f"lora_A_{name}")
            )
            if plain.in_proj_weight is None:
                getattr(plain, f"{name}_proj_weight").add_(update)
            else:
                plain.in_proj_weight[row * layer.embed_dim : (row + 1) * layer.embed_dim] += update
        plain.out_proj.weight += layer.scale * layer.lora_B_out @ layer.lora_A_out
    return plain.train(layer.training)


SHAPES = [
    {},
    {"batch_first": True},
    {"bias": False},
    {"kdim": 12, "vdim": 20},
    {"kdim": 12, "batch_first": True, "bias": False},
    {"add_bias_kv": True, "add_zero_attn": True},
]
CALLS: list[dict[str, Any]] = [
    {},
    {"need_weights": False},
    {"average_attn_weights": False},
    {"attn_mask": torch.ones(5, 7).triu(1).bool()},
    {"attn_mask": torch.randn(5, 7, generator=torch.Generator().manual_seed(5))},
    {"key_padding_mask": torch.arange(7).expand(3, 7) > torch.tensor([[6], [3], [5]])},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("call", range(len(CALLS)))
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_computes_what_the_changed_weights_would(
    shape: dict[str, Any], call: int, training: bool
) -> None:
    layer = LoRAMultiheadAttention(16, 4, **shape, rank=3, alpha=6, **EVERY)
    learn(layer)
    layer.train(training)
    plain = plain_with_updates(layer)
    query, key = torch.randn(5, 3, 16), torch.randn(7, 3, layer.kdim)
    value = torch.randn(7, 3, layer.vdim)
    if layer.batch_first:
        query, key, value = (part.transpose(0, 1) for part in (query, key, value))
    result, weights = layer(query, key, value, **CALLS[call])
    expected, its_weights = plain(query, key, value, **CALLS[call])
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)
    assert (weights is None) == (its_weights is None)
    if weights is not None:
        torch.testing.assert_close(weights, its_weights, rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(
            layer.merged()(query, key, value)[0], plain(query, key, value)[0]
        )


@pytest.mark.parametrize("batch_first", [True, False])
def test_takes_no_fast_path_where_torch_would(batch_first: bool) -> None:
    layer = LoRAMultiheadAttention(16, 4, batch_first=batch_first, rank=2, **EVERY).eval()
    learn(layer)
    plain = plain_with_updates(layer)
    x = torch.randn(3, 6, 16)
    with torch.inference_mode():
        torch.testing.assert_close(layer(x, x, x)[0], plain(x, x, x)[0], rtol=1e-5, atol=1e-5)
        alone = x[0]
        torch.testing.assert_close(layer(alone, alone, alone)[0], plain(alone, alone, alone)[0])


def test_queries_and_values_by_default() -> None:
    layer = LoRAMultiheadAttention(16, 4, rank=2)
    trained = {name for name, part in layer.named_parameters() if part.requires_grad}
    assert trained == {f"lora_{side}_{name}" for side in "AB" for name in "qv"}
    with pytest.raises(ValueError, match="query must be True"):
        LoRAMultiheadAttention(16, 4, query=False, value=False)


def test_dropout_of_the_attention_is_kept() -> None:
    layer = LoRAMultiheadAttention(16, 4, 0.5, rank=2)
    plain = nn.MultiheadAttention(16, 4, 0.5)
    plain.load_state_dict(layer.state_dict(), strict=False)
    x = torch.randn(6, 3, 16)
    torch.manual_seed(1)
    result = layer(x, x, x)[0]
    torch.manual_seed(1)
    assert torch.equal(result, plain(x, x, x)[0])


def test_its_own_initialiser_may_be_called_again() -> None:
    layer = LoRAMultiheadAttention(16, 4, rank=2)
    before = layer.in_proj_weight.clone()
    layer._reset_parameters()
    assert not torch.equal(layer.in_proj_weight, before) and (layer.lora_B_q == 0).all()
    x = torch.randn(6, 3, 16)
    assert layer(x, x, x)[0].shape == x.shape


def test_what_goes_over_all_parameters_can_pass_by_the_factors() -> None:
    model = nn.ModuleDict({"attn": LoRAMultiheadAttention(16, 4, rank=2, add_bias_kv=True)})
    plain = nn.ModuleDict({"attn": nn.MultiheadAttention(16, 4, add_bias_kv=True)})
    assert (
        base_parameters(model, LoRAMultiheadAttention).keys()
        == dict(plain.named_parameters()).keys()
    )
    saved = copy.deepcopy(adapter_state_dict(model, LoRAMultiheadAttention))
    assert saved.keys() == {f"attn.lora_{side}_{name}" for side in "AB" for name in "qv"}
    learn(model)
    load_adapter(model, saved, LoRAMultiheadAttention)
    assert (model["attn"].lora_B_v == 0).all()


class Encoder(nn.Module):
    def __init__(self, norm_first: bool = False, activation: str = "relu") -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            16, 4, 32, 0.0, activation, batch_first=True, norm_first=norm_first
        )
        self.encoder = nn.TransformerEncoder(layer, 2)

    def forward(self, x: Tensor, padding: Tensor | None = None) -> Tensor:
        output: Tensor = self.encoder(x, src_key_padding_mask=padding)
        return output


PADDING = torch.arange(6).expand(3, 6) >= torch.tensor([[6], [3], [5]])
TARGETS: dict[str, tuple[Any, list[str]]] = {
    "attention": (LoRAMultiheadAttention, ["self_attn"]),
    "feed-forward": (LoRALinear, ["linear1", "linear2"]),
    "last layer": (LoRALinear, ["layers.1.linear2"]),
}


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")  # torch's, without adapters
@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("norm_first", [False, True], ids=["post-norm", "pre-norm"])
@pytest.mark.parametrize("padding", [None, PADDING], ids=["whole", "padded"])
def test_an_encoder_of_torch_computes_with_its_adapters(
    targets: str, norm_first: bool, padding: Tensor | None
) -> None:
    adapter, names = TARGETS[targets]
    model = Encoder(norm_first).eval()
    x = torch.randn(3, 6, 16)
    kept = torch.ones(3, 6, dtype=torch.bool) if padding is None else ~padding
    with torch.no_grad():
        before = model(x, padding)
    state = {name: part.clone() for name, part in model.state_dict().items()}
    weights = dict(model.named_parameters())
    replace_layers(model, names, adapter, rank=2)
    for name, part in model.named_parameters():
        assert name not in weights or part is weights[name]  # ties and optimisers see the same
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and all("lora_" in name for name in missing)
    with torch.no_grad():
        torch.testing.assert_close(model(x, padding)[kept], before[kept], rtol=1e-5, atol=2e-5)
    learn(model)
    with torch.no_grad():
        quick = model(x, padding)[kept]
    assert not torch.allclose(quick, before[kept], rtol=0, atol=1e-3)
    # with gradients no fast path is taken, in training neither
    slow = model(x, padding)[kept]
    torch.testing.assert_close(quick, slow.detach(), rtol=1e-5, atol=2e-5)
    torch.testing.assert_close(model.train()(x, padding)[kept], slow, rtol=1e-5, atol=2e-5)
    slow.square().mean().backward()
    trained = {name for name, part in model.named_parameters() if part.grad is not None}
    assert any("lora_" in name for name in trained)
    # merged and put back, torch's own layers compute the same, on their fast path too
    merged = Encoder(norm_first).eval()
    merged.load_state_dict(merged_state(model), strict=True)
    with torch.no_grad():
        torch.testing.assert_close(merged(x, padding)[kept], quick, rtol=1e-5, atol=2e-5)


def merged_state(model: nn.Module) -> dict[str, Tensor]:
    model = copy.deepcopy(model)
    for path, module in list(model.named_modules()):
        if isinstance(module, (LoRALinear, LoRAMultiheadAttention)):
            whole, _, name = path.rpartition(".")
            setattr(model.get_submodule(whole), name, module.merged())
    return model.state_dict()


def test_a_decoder_and_its_cross_attention() -> None:
    model = nn.Transformer(16, 4, 2, 2, 32, 0.0, batch_first=True).eval()
    replace_layers(model, ["self_attn", "multihead_attn"], LoRAMultiheadAttention, rank=2)
    assert sum(isinstance(part, LoRAMultiheadAttention) for part in model.modules()) == 6
    source, target = torch.randn(2, 5, 16), torch.randn(2, 4, 16)
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    with torch.no_grad():
        before = model(source, target, tgt_mask=mask)
    learn(model)
    with torch.no_grad():
        quick = model(source, target, tgt_mask=mask)
    assert not torch.allclose(quick, before, rtol=0, atol=1e-3)
    slow = model(source, target, tgt_mask=mask)
    torch.testing.assert_close(quick, slow.detach(), rtol=1e-5, atol=2e-5)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")
def test_a_layer_of_ones_own_with_an_adapted_attention() -> None:
    class Layer(nn.TransformerEncoderLayer):
        def __init__(self) -> None:
            super().__init__(16, 4, 32, 0.0, batch_first=True)
            self.self_attn = LoRAMultiheadAttention(16, 4, batch_first=True, rank=2)

    model = nn.TransformerEncoder(Layer(), 2).eval()
    learn(model)
    x = torch.randn(3, 6, 16)
    with torch.no_grad():
        quick = model(x, src_key_padding_mask=PADDING)
    slow = model(x, src_key_padding_mask=PADDING)
    torch.testing.assert_close(quick[~PADDING], slow[~PADDING].detach(), rtol=1e-5, atol=2e-5)
