"""Code actions on every example, applied by the real server: the edited model is run in PyTorch.

It loads the unedited model's state dict, gives its output where the method starts as the identity,
and after "Train only the adapters" learns with nothing moving but the adapter.
"""

import functools
import importlib.util
import inspect
import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from applied import INSERTED, kind, symbol
from corpus import FACTS, ROOT
from torch import Tensor, nn

Example = tuple[Callable[[ModuleType], nn.Module], Callable[[], tuple[Tensor, ...]]]


def ids() -> tuple[Tensor, ...]:
    return (torch.arange(24).reshape(2, 12) % 17,)


def images() -> tuple[Tensor, ...]:
    return (torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)),)


def sentences() -> tuple[Tensor, ...]:
    source = torch.arange(20).reshape(2, 10) % 16 + 1
    source[1, 7:] = 0  # padding
    return source, *ids()


def captions() -> tuple[Tensor, ...]:
    return *images(), *ids()


def notes() -> tuple[Tensor, ...]:
    return (torch.arange(72).reshape(2, 12, 3) % 31,)


def noised() -> tuple[Tensor, ...]:
    return (*images(), torch.tensor([3, 40]))


# (file, class) → how to build it small, and what it eats
EXAMPLES: dict[tuple[str, str], Example] = {
    ("gpt.py", "GPT"): (
        lambda m: m.GPT(m.GPTConfig(vocab_size=128, block_size=64, n_layer=2, n_head=4, n_embd=128)),
        ids,
    ),
    ("vit.py", "VisionTransformer"): (
        lambda m: m.VisionTransformer(16, 4, classes=128, dim=128, depth=2, heads=4),
        images,
    ),
    ("unet.py", "UNet"): (lambda m: m.UNet(widths=(128, 128), time_dim=128), noised),
    ("unet.py", "SmallUNet"): (lambda m: m.SmallUNet(width=128, time_dim=128), noised),
    ("translation.py", "Translator"): (
        lambda m: m.Translator(128, d_model=128, n_heads=4, n_layers=2, d_ff=256, max_len=32),
        sentences,
    ),
    ("captioner.py", "Captioner"): (
        lambda m: m.Captioner(
            128, 16, 4, vision_dim=128, text_dim=128, depth=2, heads=4, max_len=64
        ),
        captions,
    ),
    ("reranker.py", "ReRanker"): (
        lambda m: m.ReRanker(17, hidden_size=128, num_layers=2, num_heads=4, max_length=32),
        sentences,
    ),
    ("music.py", "MusicTransformer"): (
        lambda m: m.MusicTransformer(dim=128, n_layers=2, n_heads=4, max_len=128),
        notes,
    ),
    ("segmentation.py", "SegmentationNet"): (
        lambda m: m.SegmentationNet(classes=8, width=32),
        images,
    ),
}
ROOTS = {file: [root for name, root in EXAMPLES if name == file] for file, _ in EXAMPLES}


numbers = itertools.count()


def load(path: str | Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"edited_{next(numbers)}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def build(path: str | Path, file: str, root: str) -> nn.Module:
    torch.manual_seed(0)
    return EXAMPLES[file, root][0](load(path)).eval()


def output(model: nn.Module, file: str, root: str) -> Tensor:
    result = model(*EXAMPLES[file, root][1]())
    parts = result if isinstance(result, tuple) else (result,)
    return torch.cat(
        [part.flatten(1) if part.ndim > 1 else part for part in parts if part is not None], -1
    )


@functools.cache
def original(file: str, root: str) -> tuple[dict[str, Tensor], Tensor]:
    """State dict and output of the unedited model."""
    model = build(ROOT / "examples" / file, file, root)
    with torch.no_grad():
        return model.state_dict(), output(model, file, root)


def prompted(model: nn.Module) -> None:
    """Gives a model what its new parameters take; who calls it does not know them yet."""
    generator = torch.Generator().manual_seed(2)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    for part in list(model.modules()):
        given: dict[str, Any] = {}
        for name in set(inspect.signature(part.forward).parameters) & {"examples", "persona"}:
            prefix = getattr(part, "in_context" if name == "examples" else "persona_plug", None)
            if name == "examples" and prefix is not None:
                width = prefix.queries.shape[1]
                given[name] = normal(2, 3, 5, 768), normal(2, 3, 4, width), normal(2, 3, 1, width)
            elif prefix is not None:
                given[name] = normal(2, 768), normal(2, 3, 768), torch.ones(2, 3)
        if given:
            part.forward = functools.partial(part.forward, **given)


FREE = [case for case in INSERTED if kind(case) == "free"]
GENERATING = [case for case in INSERTED if kind(case) == "generation-step"]
SCRIPTS = ("train.py", "multitask.py")
TRAINING = [case for case in INSERTED if case["file"] in SCRIPTS]
BUILT = [case for case in INSERTED if "@model:VisionTransformer:model" in case["site"]]
CASES = [
    (case, root)
    for case in INSERTED
    for root in ROOTS.get(case["file"], [])
    if kind(case) not in ("free", "generation-step")
]
NAMES = [f"{case['file']}-{root}-{case['method']}-{case['site']}" for case, root in CASES]


def test_every_site_of_every_method_is_inserted() -> None:
    """A place kind that no example has would leave a site untried."""
    declared = {
        (method, site["symbol"], site["kind"])
        for method, facts in FACTS.items()
        for site in facts["sites"]
        # no example has nn.MultiheadAttention, weight_norm, convolutions over other than two
        # dimensions, or such with channels that LoKr surely divides: the patterns have these
        if site["kind"] not in ("attention", "beside")
        and "adapts" not in site
        and site["symbol"] != "LoKrConv2d"
    }
    inserted = {(case["method"], symbol(case), kind(case)) for case in INSERTED}
    assert inserted == declared
    executed = [case for case, _ in CASES] + BUILT + TRAINING + FREE + GENERATING
    assert {(case["method"], symbol(case), kind(case)) for case in executed} == declared


def test_every_example_is_adapted_in_every_manner_it_has() -> None:
    offered = {(case["file"], kind(case)) for case in INSERTED}
    layers = {"linear", "block-input", "block-output", "block-stack", "model"}
    transformers = ["gpt", "vit", "translation", "captioner", "reranker", "music"]
    wanted = {(f"{file}.py", each) for file in transformers for each in layers}
    wanted |= {("unet.py", "skip"), ("segmentation.py", "skip"), ("segmentation.py", "model")}
    wanted |= {("gpt.py", "generation-step"), ("captioner.py", "generation-step")}
    wanted |= {(script, each) for script in SCRIPTS for each in ("training-step", "loss", "model")}
    assert wanted <= offered, wanted - offered


@pytest.mark.parametrize(("case", "root"), CASES, ids=NAMES)
def test_the_edited_model(case: dict[str, Any], root: str) -> None:
    file = case["file"]
    facts = FACTS[case["method"]]
    state, before = original(file, root)
    edited = build(case["edited"], file, root)

    # the unedited checkpoint loads: nothing of it is left over, only the adapter is missing
    missing, unexpected = edited.load_state_dict(state, strict=False)
    assert not unexpected
    assert not set(missing) & set(state)
    with torch.no_grad():
        after = output(edited, file, root)
    assert before.shape == after.shape and after.isfinite().all()
    start = facts["properties"]["identityAtInit"]
    if start in ("exact", "not-applicable"):
        torch.testing.assert_close(after, before, rtol=0, atol=1e-5)
    elif start == "approximate":
        torch.testing.assert_close(after, before, rtol=0, atol=2e-2)

    if not missing:
        return  # the adapter is in another model of this file, or the method adds no parameters
    assert root in case["trained"], "no action to train only the adapters"
    model = build(case["trained"][root], file, root)
    model.load_state_dict(state, strict=False)
    parameters = model.state_dict(keep_vars=True)  # shared ones under each of their names
    trains = {name for name, parameter in parameters.items() if parameter.requires_grad}
    assert trains and not trains & set(state)
    # statistics of a batch norm follow the data; all else stays but for the adapter
    kept = {
        name: part.detach().clone()
        for name, part in parameters.items()
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    }
    model.train()
    prompted(model)
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(2):
        optimiser.zero_grad()
        output(model, file, root).square().mean().backward()
        optimiser.step()
    now = model.state_dict()
    moved = {name for name, part in kept.items() if not torch.equal(now[name], part)}
    assert moved and moved <= trains
    model.eval()
    assert not torch.allclose(output(model, file, root), after)


@pytest.mark.parametrize("case", FREE, ids=lambda case: case["site"])
def test_a_helper_stands_in_the_file(case: dict[str, Any]) -> None:
    module = load(case["edited"])
    assert hasattr(module, symbol(case))
    assert hasattr(module, "GPT")


@pytest.mark.parametrize("case", BUILT, ids=lambda case: case["site"])
def test_the_edited_line_that_builds_a_model(case: dict[str, Any]) -> None:
    """The script loads its checkpoint and trains on; nothing moves but what is meant to."""
    module = load(case["edited"])
    torch.manual_seed(0)
    build_plain = load(ROOT / "examples" / "vit.py").VisionTransformer
    checkpoint = build_plain(16, 4, classes=8, dim=64, depth=2, heads=4).state_dict()
    images, labels = images_of(8), torch.arange(8)
    model, losses = module.fine_tune(images, labels, checkpoint, steps=12)
    assert losses[-1] < losses[0]
    # a model that was put into another one has its names behind those of that one
    now = dict(model.named_parameters())
    inner = {key: now.get(f"vit.{key}", now.get(key)) for key in checkpoint}
    moved = {key for key, part in checkpoint.items() if not torch.equal(inner[key], part)}
    if case["method"] == "hst":
        assert type(model).__name__ == "HierarchicalSideNetwork"
        assert moved and all(".norm" in key for key in moved), moved
    trains = {key for key in checkpoint if inner[key].requires_grad}
    assert moved <= trains


def images_of(count: int) -> Tensor:
    return torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(3))


CALLS = {
    "train.py": "losses = script.train(steps=4, width=128)",
    "multitask.py": """
layer = "blocks.0.attn.c_proj"
loras = {layer: [(torch.randn(2, 128), torch.randn(128, 2) / 9, 0.5) for _ in range(3)]}
losses, _ = script.train(loras, steps=4, width=128)
""",
}


@pytest.mark.parametrize("case", TRAINING, ids=lambda case: f"{case['file']}-{case['site']}")
def test_the_edited_training_script(case: dict[str, Any], tmp_path: Path) -> None:
    """The script trains the example GPT, with the method's own layers in it where it has some."""
    model = case.get("beside", ROOT / "examples" / "gpt.py")
    (tmp_path / "gpt.py").write_text(Path(model).read_text())
    (tmp_path / "script.py").write_text(Path(case["edited"]).read_text())
    code = f"import script, torch\n{CALLS[case['file']]}\nassert all(x == x for x in losses)"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize("case", GENERATING, ids=lambda case: case["file"])
def test_steered_generation(case: dict[str, Any]) -> None:
    """The one method that does is proxy-tuning: base + alpha (expert - antiexpert)."""
    assert case["method"] == "proxy-tuning"
    file = case["file"]
    root, name = {"gpt.py": ("GPT", "generate"), "captioner.py": ("Captioner", "caption")}[file]
    model, expert, antiexpert = (build(case["edited"], file, root) for _ in range(3))
    *given, start = EXAMPLES[file, root][1]()
    state, before = original(file, root)
    model.load_state_dict(state)
    assert torch.equal(output(model, file, root), before)

    def generated(by: nn.Module, **models: nn.Module) -> Tensor:
        torch.manual_seed(3)
        return getattr(by, name)(*given, start, 8, **models)

    antiexpert.load_state_dict(state)
    # base == antiexpert: the expert's own distribution; and without the pair the model itself
    assert torch.equal(generated(model), generated(model, expert=antiexpert, antiexpert=antiexpert))
    with torch.no_grad():
        for parameter in expert.parameters():
            parameter.add_(torch.randn_like(parameter))
    steered = generated(model, expert=expert, antiexpert=antiexpert)
    assert torch.equal(steered, generated(expert))
    assert not torch.equal(steered, generated(model))
