"""replace_layers, adapter_state: every adapted layer over whole models, saved and loaded."""

import copy
from typing import Any

import pytest
import torch
from corpus import SHARED, SITES, Site
from torch import Tensor, nn

replace_layers = SHARED["replace_layers"]
apply_method = SHARED["apply_method"]
adapter_state_dict = SHARED["adapter_state_dict"]
load_adapter = SHARED["load_adapter"]
train_only = SHARED["train_only"]
LAYERS = [
    site
    for site in SITES
    if site.kind in ("linear", "conv", "embedding", "norm", "attention")
    and isinstance(site.symbol, type)
    and any(base.__module__.startswith("torch.nn.modules") for base in site.symbol.__mro__[:-2])
]
LORA = next(site.symbol for site in SITES if site.facts["symbol"] == "LoRALinear")


class Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width, bias=False)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:  # (B, T, d) -> (B, T, d)
        q, k, v = self.qkv(x).chunk(3, -1)
        return self.norm(x + self.proj(torch.softmax(q @ k.transpose(-2, -1) / 8, -1) @ v))


class Model(nn.Module):
    """Convolutions, embeddings, blocks, and a head tied to the embedding."""

    def __init__(self, width: int = 256, vocabulary: int = 160) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.conv1d = nn.Conv1d(width, width, 3, padding=1)
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.conv3d = nn.Conv3d(8, 8, 3, padding=1)
        self.blocks = nn.ModuleList([Attention(width) for _ in range(2)])
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.self_attn = nn.MultiheadAttention(width, 4, add_bias_kv=True, batch_first=True)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids: Tensor) -> Tensor:  # (B, T) -> (B, T, vocabulary)
        x = self.embed(ids)
        x = x + self.conv1d(x.transpose(1, 2)).transpose(1, 2)
        x = x + self.conv(x.unflatten(-1, (8, -1)).transpose(1, 2)).transpose(1, 2).flatten(2)
        x = x + self.conv3d(x.unflatten(-1, (8, 4, -1)).transpose(1, 2)).transpose(1, 2).flatten(2)
        for block in self.blocks:
            x = block(x)
        x = x + self.self_attn(x, x, x)[0]
        return self.head(x + self.mlp(x))


def ids() -> Tensor:
    return torch.arange(12).reshape(2, 6)


def targets_of(site: Site) -> tuple[str, ...]:
    if site.kind == "linear":
        named = site.facts.get("named")
        return ("qkv",) if named else ("qkv", "proj", "mlp.0", "mlp.2")
    if site.kind == "attention":
        return ("self_attn",)
    places = {"conv": "conv", "conv1d": "conv1d", "conv3d": "conv3d", "embedding": "embed"}
    return (places.get(site.place, "norm"),)


def names(site: Site) -> str:
    return f"{site.method['id']}-{site.facts['symbol']}"


def trained(model: nn.Module) -> dict[str, Tensor]:
    return {name: each for name, each in model.named_parameters() if each.requires_grad}


def learn(model: nn.Module, parameters: list[nn.Parameter], steps: int = 2) -> None:
    optimizer = torch.optim.Adam(parameters, lr=1e-2)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        model(ids()).square().mean().backward()
        optimizer.step()
    model.eval()


@pytest.mark.parametrize("site", LAYERS, ids=names)
def test_apply_freeze_learn_save_load(site: Site) -> None:
    model = Model().eval()
    base = copy.deepcopy(model)
    with torch.no_grad():
        before = model(ids())
    assert replace_layers(model, targets_of(site), site.symbol) is model
    # the state dict of the plain model loads, and nothing of it moved
    missing, unexpected = model.load_state_dict(base.state_dict(), strict=False)
    assert not unexpected and not set(missing) & set(base.state_dict())
    start = site.method["properties"]["identityAtInit"]
    with torch.no_grad():
        after = model(ids())
    if start == "exact":
        torch.testing.assert_close(after, before, rtol=0, atol=1e-4)

    count = sum(isinstance(each, site.symbol) for each in model.modules())
    several = {"qkv": 2, "norm": 2}.get(targets_of(site)[0], 1)
    assert count == several + (4 if len(targets_of(site)) == 4 else 0)
    chosen = train_only(model, site.symbol)
    assert {id(each) for each in chosen} == {id(each) for each in trained(model).values()}
    kept = {name: each.clone() for name, each in base.state_dict().items()}
    learn(model, [p for p in model.parameters() if p.requires_grad])
    now = model.state_dict()
    assert {name for name in kept if not torch.equal(now[name], kept[name])} <= set(trained(model))

    saved = copy.deepcopy(adapter_state_dict(model, site.symbol))
    assert set(trained(model)) <= set(saved)
    torch.manual_seed(7)  # what is drawn at random must come from the file
    fresh = replace_layers(copy.deepcopy(base), targets_of(site), site.symbol)
    train_only(fresh, site.symbol)
    load_adapter(fresh, saved, site.symbol)
    with torch.no_grad():
        torch.testing.assert_close(fresh(ids()), model(ids()), rtol=0, atol=1e-5)
        assert not torch.allclose(model(ids()), after, rtol=0, atol=1e-6)


def test_sizes_device_dtype_mode_and_bias() -> None:
    model = Model().to(torch.float64).eval()
    replace_layers(model, ["blocks.0.proj", "mlp.0"], LORA, rank=3, dropout=0.5)
    proj, plain, up = model.blocks[0].proj, model.blocks[1].proj, model.mlp[0]
    assert type(proj) is LORA and type(plain) is nn.Linear and type(up) is LORA
    assert proj.bias is None and up.bias is not None and not up.bias.requires_grad
    assert proj.lora_A.dtype == torch.float64 and proj.lora_A.shape == (3, 256)
    assert not proj.training and not proj.dropout.training and plain.weight.requires_grad


def test_one_target_may_be_a_text_and_a_list_is_named_by_its_own_name() -> None:
    assert isinstance(replace_layers(Model(), "head", LORA).head, LORA)
    tower = nn.ModuleDict({"layers": nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 8)])})
    replace_layers(tower, ["layers"], LORA)
    assert all(isinstance(each, LORA) for each in tower["layers"])


def test_a_tied_weight_stays_tied_and_a_layer_used_twice_stays_one() -> None:
    model = Model()
    model.again = model.head
    replace_layers(model, ["head", "again"], LORA)
    assert model.head.weight is model.embed.weight and model.again is model.head


def test_another_kind_of_layer_that_bears_the_name_stays_as_it_is() -> None:
    model = nn.ModuleDict({"stem": nn.ModuleDict({"proj": nn.Conv2d(3, 8, 2)})})
    model["attn"] = nn.ModuleDict({"proj": nn.Linear(8, 8)})
    replace_layers(model, ["proj"], LORA)
    assert type(model["stem"]["proj"]) is nn.Conv2d and type(model["attn"]["proj"]) is LORA


def hooked() -> nn.Module:
    model = Model()
    model.head.register_forward_hook(lambda module, given, result: result * 2)
    return model


def conv1d() -> nn.Module:
    class Conv1D(nn.Module):
        """As in GPT-2: the weight is (in, out)."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(8, 24))

    return nn.ModuleDict({"ok": nn.Linear(8, 8), "c_attn": Conv1D()})


@pytest.mark.parametrize(
    ("build", "targets", "message"),
    [
        (Model, ["q_proj", "v_proj"], "targets: the model has no layer named q_proj or v_proj"),
        (Model, ["roj"], "no layer named roj"),
        (Model, ["blocks"], "no layer named blocks"),
        (Model, ["mlp.0", "embed"], "embed is a Embedding, not a plain nn.Linear"),
        (conv1d, ["ok", "c_attn"], "c_attn is a Conv1D, not a plain nn.Linear"),
        (hooked, ["mlp.0", "head"], "head has hooks"),
        (
            lambda: nn.Sequential(nn.MultiheadAttention(8, 2)),
            ["out_proj"],
            "0.out_proj is read by nn.MultiheadAttention itself, past its forward",
        ),
        (
            lambda: nn.Sequential(nn.utils.parametrizations.orthogonal(nn.Linear(8, 8))),
            ["0"],
            "0 is a ParametrizedLinear, not a plain nn.Linear",
        ),
        (lambda: replace_layers(Model(), "head", LORA), ["head"], "head is a LoRALinear, not"),
    ],
)
def test_refused_with_the_reason_and_left_as_it_was(
    build: Any, targets: list[str], message: str
) -> None:
    model = build()
    before = {path: (type(each), id(each)) for path, each in model.named_modules()}
    requires = [each.requires_grad for each in model.parameters()]
    with pytest.raises(ValueError, match=message):
        replace_layers(model, targets, LORA)
    assert {path: (type(each), id(each)) for path, each in model.named_modules()} == before
    assert [each.requires_grad for each in model.parameters()] == requires


def test_impossible_hyperparameters_leave_the_model_as_it_was() -> None:
    model = Model()
    with pytest.raises(ValueError, match="rank must be between 1 and 160, got 200"):
        replace_layers(model, ["mlp.0", "head"], LORA, rank=200)
    assert type(model.mlp[0]) is nn.Linear and all(p.requires_grad for p in model.parameters())


def test_the_template_of_a_methods_own_function() -> None:
    model = Model()
    assert apply_method(model, ["mlp.0"]) is model


class Compiled(nn.Module):
    """What torch.compile makes of a model, which the oldest supported torch does not have."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._orig_mod = model


def test_a_wrapped_model_saves_and_loads_what_the_one_inside_does() -> None:
    plain = replace_layers(Model(), ["mlp.0"], LORA)
    saved = copy.deepcopy(adapter_state_dict(plain, LORA))
    wrapped = Compiled(nn.DataParallel(replace_layers(Model(), ["mlp.0"], LORA)))
    assert adapter_state_dict(wrapped, LORA).keys() == saved.keys()
    for part in saved.values():
        part.add_(1)
    load_adapter(wrapped, saved, LORA)
    for name, part in adapter_state_dict(wrapped, LORA).items():
        assert torch.equal(part, saved[name])


def test_a_state_of_other_layers_is_refused() -> None:
    model = replace_layers(Model(), ["head"], LORA)
    other = adapter_state_dict(replace_layers(Model(), ["mlp.0"], LORA), LORA)
    with pytest.raises(ValueError, match=r"state: head\.lora_A is in the model alone"):
        load_adapter(model, other, LORA)
    with pytest.raises(ValueError, match=r"adapters: \(LoRALinear\) is not in the model"):
        adapter_state_dict(Model(), LORA)
