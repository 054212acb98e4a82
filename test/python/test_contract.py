"""What every method promises, driven by method.yaml: a new folder is covered as it stands."""

import copy
import inspect
import io
from dataclasses import replace
from typing import Any

import pytest
import torch
from corpus import FACTS, METHODS, PYTHON, SHARED, SITES, Site, evaluate
from places import ELSEWHERE, PLACES, SEQUENCE_READERS, Host, Place
from torch import Tensor, nn
from torch.jit.frontend import FrontendError
from torch.nn import functional as F

train_only = SHARED["train_only"]
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
HALF_ON_CPU = not torch.__version__.startswith("1.")
# those that take more than the width of the place are built here, and tried where they are inserted
WIRED = [site for site in SITES if "leading" in site.facts]
MODULES = [site for site in SITES if site.kind not in ELSEWHERE and site not in WIRED]


def name_of(site: Site) -> str:
    return f"{site.method['id']}-{site.facts['symbol']}-{site.kind}"


every_site = pytest.mark.parametrize("site", SITES, ids=name_of)
every_module = pytest.mark.parametrize("site", MODULES, ids=name_of)


def usable(site: Site, hyperparameters: dict[str, Any] | None = None) -> list[Place]:
    """The places whose sizes the method accepts."""
    chosen = site.defaults if hyperparameters is None else hyperparameters
    places = [place for place in PLACES[site.place] if site.accepts(place.names | chosen)]
    return [for_sequences(place) for place in places] if reads_sequences(site) else places


def reads_sequences(site: Site) -> bool:
    return site.facts["symbol"] in SEQUENCE_READERS


def for_sequences(place: Place) -> Place:
    return replace(place, shapes=tuple(shape for shape in place.shapes if len(shape) > 2))


def keywords(site: Site, hyperparameters: dict[str, Any]) -> dict[str, Any]:
    """Those hyperparameters that this class has: a method may have several classes."""
    known = inspect.signature(site.symbol).parameters
    return {name: value for name, value in hyperparameters.items() if name in known}


def build(site: Site, place: Place, **changes: Any) -> nn.Module:
    """The adapter as the inserted call makes it, with what is not a size by keyword."""
    chosen = keywords(site, site.defaults)
    return site.symbol(*place.arguments, **(chosen | changes))


def host_of(site: Site, place: Place) -> Host:
    torch.manual_seed(0)
    return place.host(build(site, place)).eval()


def perturb(module: nn.Module) -> None:
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-5) -> None:
    scale = max(1.0, expected.abs().max().item())
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("name", FACTS)
def test_facts_agree_with_the_signatures(name: str) -> None:
    facts = FACTS[name]
    assert facts["id"] == name
    if not facts["sites"]:
        assert list((METHODS / name).glob("*.py")) == []
        return
    symbols = [PYTHON[name][site["symbol"]] for site in facts["sites"]]
    for item in facts.get("hyperparameters", []):
        having = [
            signature.parameters[item["name"]]
            for signature in map(inspect.signature, symbols)
            if item["name"] in signature.parameters
        ]
        assert having, f"{item['name']} is an argument of no class"
        for parameter in having:
            assert parameter.default == item["default"], item["name"]
        assert type(item["default"]).__name__ == item["type"], item["name"]
    for site, symbol in zip(facts["sites"], symbols, strict=True):
        if "write" in site:
            assert set(site["write"]) <= set(inspect.signature(symbol).parameters)


@every_site
def test_a_place_is_known(site: Site) -> None:
    known = site.place in PLACES or site.kind in ELSEWHERE
    assert known, f"no sizes for {site.place} in places.py"
    assert callable(site.symbol)


@every_module
def test_hyperparameters_are_keywords_after_those_of_the_layer(site: Site) -> None:
    own = list(inspect.signature(site.symbol).parameters.values())
    for parameter in own:
        if parameter.name in site.defaults:
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, parameter.name
    if PLACES[site.place][0].replaces:
        layer = type(PLACES[site.place][0].base())
        assert issubclass(site.symbol, layer)
        first = list(inspect.signature(layer).parameters)
        passed_on = [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]
        if [own[0].kind, own[-1].kind] != passed_on:
            assert [parameter.name for parameter in own][: len(first)] == first


@every_module
def test_counts_what_trains_at_every_size(site: Site) -> None:
    assert len(usable(site)) >= 6
    for hyperparameters in site.variants:
        for place in usable(site, hyperparameters):
            chosen = keywords(site, hyperparameters)
            module = site.symbol(*place.arguments, device="meta", **chosen)
            trained = sum(part.numel() for part in module.parameters() if part.requires_grad)
            names = place.names | hyperparameters
            assert trained == evaluate(site.facts["trainable"], names), (place, chosen)


@pytest.mark.parametrize("site", WIRED, ids=name_of)
def test_counts_what_trains_around_a_stack_of_blocks(site: Site) -> None:
    built = 0
    for hyperparameters in site.variants:
        chosen = {
            name: value
            for name, value in keywords(site, hyperparameters).items()
            if not isinstance(value, str)
        }
        for width, depth in ((16, 2), (64, 3), (96, 12), (128, 4), (192, 1), (256, 6)):
            if not site.accepts({"width": width, "depth": depth} | hyperparameters):
                continue
            leading = [
                eval(each.format(width=width, depth=depth), {"__builtins__": {}})
                for each in site.facts["leading"]
            ]
            module = site.symbol(*leading, device="meta", **chosen)
            trained = sum(part.numel() for part in module.parameters() if part.requires_grad)
            names = {"width": width, "depth": depth} | hyperparameters
            assert trained == evaluate(site.facts["trainable"], names), (width, depth, chosen)
            built += 1
    assert built >= 6


@every_module
def test_counts_once_what_a_model_shares(site: Site) -> None:
    """After the call that the edit writes, several adapters share what `shared` counts."""
    if "afterInit" not in site.facts:
        assert "shared" not in site.facts
        return
    for hyperparameters in site.variants:
        for place in usable(site, hyperparameters):
            chosen = keywords(site, hyperparameters)
            root = nn.ModuleList(site.symbol(*place.arguments, **chosen) for _ in range(3))
            exec(
                site.facts["afterInit"].format(root="root"),
                PYTHON[site.method["id"]] | {"root": root},
            )
            names = place.names | hyperparameters
            each = evaluate(site.facts["trainable"], names)
            once = evaluate(site.facts["shared"], names)
            trained = sum(part.numel() for part in root.parameters() if part.requires_grad)
            assert trained == 3 * each - 2 * once


@every_module
def test_refuses_impossible_sizes_by_name(site: Site) -> None:
    numbers = [item["name"] for item in site.method["hyperparameters"] if item["type"] == "int"]
    numbers += [name for name in site.defaults if name in str(site.facts.get("requires", ""))]
    tried = [(place, site.defaults) for place in PLACES[site.place]]
    for name in numbers:
        for value in (0, -1, 10_000_019):
            tried.append((PLACES[site.place][0], site.defaults | {name: value}))
    refused = 0
    for place, hyperparameters in tried:
        chosen = keywords(site, hyperparameters)
        if site.accepts(place.names | hyperparameters):
            site.symbol(*place.arguments, device="meta", **chosen)
            continue
        refused += 1
        with pytest.raises(ValueError) as caught:
            site.symbol(*place.arguments, device="meta", **chosen)
        names = inspect.signature(site.symbol).parameters
        assert str(caught.value).split()[0] in names, str(caught.value)
    assert refused > 0 or "requires" not in site.facts


@every_module
def test_values_for_small_layers_suit_them(site: Site) -> None:
    if site.kind != "linear" or not site.small:
        return
    chosen = keywords(site, site.defaults | site.small)
    for sizes in ((16, 24), (24, 48), (40, 16)):
        site.symbol(*sizes, device="meta", **chosen)


@every_module
def test_starts_as_the_paper_says(site: Site) -> None:
    for place in usable(site):
        torch.manual_seed(3)
        base = place.plain().eval()
        host = host_of(site, place)
        host.load_state_dict(base.state_dict(), strict=False)
        for x in place.inputs():
            expect_start(site, host(x), base(x))


def expect_start(site: Site, adapted: Tensor, base: Tensor) -> None:
    promised = site.method["properties"]["identityAtInit"]
    if promised == "exact":
        close(adapted, base, 1e-6)
    elif promised == "approximate":
        assert (adapted - base).norm() <= 1e-2 * base.norm()
    else:
        assert adapted.shape != base.shape or not torch.allclose(adapted, base, atol=1e-3)


def usual_initialiser(module: nn.Module) -> None:
    """What models do in `self.apply(self._init_weights)`."""
    if isinstance(module, (nn.Linear, *CONVOLUTIONS)):
        nn.init.normal_(module.weight, std=0.5)
        if module.bias is not None:
            nn.init.constant_(module.bias, 0.3)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.5)


@every_module
def test_start_survives_the_models_own_initialiser(site: Site) -> None:
    place = usable(site)[0]
    host = host_of(site, place)
    host.apply(usual_initialiser)
    base = place.plain()
    kept = {key: value for key, value in host.state_dict().items() if key in base.state_dict()}
    base.load_state_dict(kept)
    for x in place.inputs():
        expect_start(site, host(x), base(x))


@every_module
def test_loads_the_checkpoint_of_the_base(site: Site) -> None:
    if not site.method["properties"]["keepsCheckpointKeys"]:
        return
    for place in usable(site):
        host = host_of(site, place)
        checkpoint = place.plain().state_dict()
        found = host.load_state_dict(checkpoint, strict=False)
        assert found.unexpected_keys == []
        assert not set(found.missing_keys) & set(checkpoint)
        for key, value in checkpoint.items():
            assert torch.equal(host.state_dict()[key], value)


@every_module
def test_trains_the_adapter_alone(site: Site) -> None:
    place = usable(site)[0]
    host = host_of(site, place)
    trained = train_only(host, site.symbol)
    base_keys = set(place.plain().state_dict())
    for name, parameter in host.named_parameters():
        assert parameter.requires_grad == any(parameter is one for one in trained)
        if site.method["properties"]["keepsCheckpointKeys"]:
            assert parameter.requires_grad == (name not in base_keys), name


@every_module
def test_every_trained_parameter_learns(site: Site) -> None:
    place = usable(site)[0]
    host = host_of(site, place).train()
    trained = train_only(host, site.symbol)
    optimiser = torch.optim.Adam(trained, lr=1e-2)
    x = place.inputs()[0]
    before = {name: value.clone() for name, value in host.state_dict().items()}
    host.eval()
    output = host(x).detach()
    target = torch.randn(output.shape, generator=torch.Generator().manual_seed(4))
    for step in range(2):  # a factor beside a zero factor learns from the second step
        optimiser.zero_grad()
        (host(x) - target).square().mean().backward()
        if step == 1:
            for name, parameter in host.named_parameters():
                if parameter.requires_grad:
                    assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
        optimiser.step()
        if step == 0:
            assert not torch.equal(host(x), output), "one step leaves the output"
    for name, parameter in host.named_parameters():
        assert torch.equal(parameter, before[name]) != parameter.requires_grad, name


@every_module
def test_merges_into_a_plain_layer(site: Site) -> None:
    if not site.method["properties"]["mergeable"]:
        assert not hasattr(site.symbol, "merged")
        return
    for place in usable(site):
        host = host_of(site, place)
        adapter = place.adapter(host)
        perturb(adapter)
        merged = adapter.merged()
        assert type(merged) is type(place.base())
        assert set(merged.state_dict()) == set(place.base().state_dict())
        alone = place.host(merged) if place.replaces else merged
        for x in place.inputs():
            close(alone(x), host(x))


@every_module
def test_offers_the_weight_that_it_multiplies_by(site: Site) -> None:
    """For code that reads weight and bias in place of calling the layer."""
    for place in usable(site):
        adapter = place.adapter(host_of(site, place))
        perturb(adapter)
        if not hasattr(adapter, "merged_weight"):
            merges = isinstance(adapter, nn.Linear) and hasattr(adapter, "merged")
            assert not merges or adapter.bias is None or moves_bias(adapter)
            continue
        for x in place.inputs():
            close(by_weight(adapter, x, adapter.merged_weight()), adapter(x))
        called, computed = (gradients(adapter, x, way) for way in ("forward", "merged_weight"))
        assert computed.keys() == called.keys()


def by_weight(layer: Any, x: Tensor, weight: Tensor) -> Tensor:
    """What PyTorch's own layer of that kind computes with another weight."""
    if isinstance(layer, nn.Embedding):
        return F.embedding(x, weight, layer.padding_idx)
    if isinstance(layer, CONVOLUTIONS):
        return layer._conv_forward(x, weight, layer.bias)
    return F.linear(x, weight, layer.bias)


def moves_bias(adapter: Any) -> bool:
    return not torch.equal(adapter.merged().bias, adapter.bias)


def gradients(adapter: Any, x: Tensor, way: str) -> dict[str, Tensor]:
    """Of what trains, by name, where a loss reaches it."""
    adapter.zero_grad(set_to_none=True)
    output = adapter(x)
    if way == "merged_weight":
        output = by_weight(adapter, x, adapter.merged_weight())
    output.square().sum().backward()
    return {
        name: part.grad
        for name, part in adapter.named_parameters()
        if part.grad is not None and part.grad.abs().sum() > 0
    }


@every_module
def test_follows_a_weight_that_is_tied_later(site: Site) -> None:
    """`self.head.weight = self.embedding.weight` below the line that builds the head."""
    if site.kind != "linear":
        return
    for place in usable(site):
        adapter = place.adapter(host_of(site, place))
        loaded = copy.deepcopy(adapter)
        other = nn.Parameter(torch.randn_like(adapter.weight))
        loaded.load_state_dict(adapter.state_dict() | {"weight": other})
        adapter.weight = other
        assert adapter.state_dict().keys() == loaded.state_dict().keys()
        for x in place.inputs():
            close(adapter(x), loaded(x))
            if site.method["properties"]["identityAtInit"] == "exact":
                close(adapter(x), F.linear(x, other, adapter.bias))


@every_module
def test_scripts_where_it_says_so(site: Site) -> None:
    place = usable(site)[0]
    module = build(site, place).eval()
    perturb(module)
    if not site.facts.get("scripts", False):
        with pytest.raises((RuntimeError, FrontendError)):
            torch.jit.script(module)
        return
    scripted = torch.jit.script(module)
    for x in place.inputs()[:2] if place.replaces else ():
        close(scripted(x), module(x))


@every_module
def test_round_trips(site: Site) -> None:
    place = usable(site)[0]
    host = host_of(site, place)
    perturb(host)
    x = place.inputs()[0]
    other = host_of(site, place)
    other.load_state_dict(host.state_dict())
    assert torch.equal(other(x), host(x))
    twin = copy.deepcopy(host)
    assert torch.equal(twin(x), host(x))
    perturb(twin)
    assert not torch.equal(twin(x), host(x)), "the copy shares parameters"
    stored = io.BytesIO()
    torch.save(host.state_dict(), stored)
    stored.seek(0)
    other.load_state_dict(torch.load(stored))
    assert torch.equal(other(x), host(x))


def in_precision(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Features in another precision; tokens have none."""
    return x.to(dtype) if x.is_floating_point() else x


@every_module
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_other_precisions(site: Site, dtype: torch.dtype) -> None:
    place = usable(site)[0]
    host = host_of(site, place)
    perturb(host)
    x = place.inputs()[0]
    expected = host(x)
    moved = copy.deepcopy(host).to(dtype)
    result = moved(in_precision(x, dtype))
    assert result.dtype == dtype
    if dtype is torch.float64:
        close(result.float(), expected)
    else:
        assert (result.float() - expected).norm() <= 0.05 * expected.norm()
    made = build(site, place, dtype=dtype)
    assert {part.dtype for part in made.parameters()} == {dtype}
    assert place.host(made).to(dtype)(in_precision(x, dtype)).dtype == dtype
    half = copy.deepcopy(host).half()
    assert {part.dtype for part in half.parameters()} == {torch.float16}
    if HALF_ON_CPU:
        result = half(in_precision(x, torch.float16))
        assert result.dtype == torch.float16
        assert (result.float() - expected).norm() <= 0.01 * expected.norm()


@every_module
def test_built_without_memory_then_loaded(site: Site) -> None:
    place = usable(site)[0]
    host = host_of(site, place)
    perturb(host)
    adapter = place.adapter(host)
    empty = build(site, place, device="meta")
    assert all(part.is_meta for part in empty.parameters())
    empty = empty.to_empty(device="cpu").eval()
    empty.load_state_dict(adapter.state_dict())
    trains = [part.requires_grad for part in adapter.parameters()]
    loaded = dict(empty.named_parameters())
    assert [loaded[name].requires_grad for name, _ in adapter.named_parameters()] == trains
    x = place.inputs()[0]
    if place.replaces:
        assert torch.equal(place.host(empty)(x), host(x))
    else:
        assert torch.equal(empty(host.layer(x)), adapter(host.layer(x)))


@every_module
def test_each_example_of_a_batch_stands_alone(site: Site) -> None:
    for place in usable(site)[:2]:
        host = host_of(site, place)
        perturb(host)
        for x in place.inputs():
            whole = host(x)
            assert len(whole) == len(x)
            assert torch.isfinite(whole).all()
            assert host(x[:0]).shape == (0, *whole.shape[1:])
            for index in range(len(x)):
                close(host(x[index : index + 1]), whole[index : index + 1])
