"""Every code action on every example, applied by the real server: the edited model is run in PyTorch.

It loads the unedited model's state dict, gives its output where the method starts as the identity,
and after "Train only the adapters" learns with nothing moving but the adapter.
"""

import importlib.util
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from corpus import FACTS, ROOT
from torch import Tensor, nn

Example = tuple[Callable[[ModuleType], nn.Module], Callable[[], tuple[Tensor, ...]]]


def ids() -> tuple[Tensor, ...]:
    return (torch.arange(24).reshape(2, 12) % 17,)


def images() -> tuple[Tensor, ...]:
    return (torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)),)


def noised() -> tuple[Tensor, ...]:
    return (*images(), torch.tensor([3, 40]))


# (file, class) → how to build it small, and what it eats
EXAMPLES: dict[tuple[str, str], Example] = {
    ("gpt.py", "GPT"): (
        lambda m: m.GPT(m.GPTConfig(vocab_size=17, block_size=64, n_layer=2, n_head=4, n_embd=128)),
        ids,
    ),
    ("vit.py", "VisionTransformer"): (
        lambda m: m.VisionTransformer(16, 4, classes=128, dim=128, depth=2, heads=4),
        images,
    ),
    ("unet.py", "UNet"): (lambda m: m.UNet(widths=(128, 128), time_dim=128), noised),
    ("unet.py", "SmallUNet"): (lambda m: m.SmallUNet(width=128, time_dim=128), noised),
}
ROOTS = {file: [root for name, root in EXAMPLES if name == file] for file, _ in EXAMPLES}


def insertions() -> list[dict[str, Any]]:
    out = Path(tempfile.mkdtemp(prefix="litlens-insertions-"))
    files = [str(ROOT / "examples" / file) for file in (*ROOTS, "train.py")]
    command = ["node", "scripts/apply-insertions.mjs", str(out), *files]
    subprocess.run(command, cwd=ROOT, check=True)
    return json.loads((out / "manifest.json").read_text())


INSERTED = insertions()
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
    return result[0] if isinstance(result, tuple) else result


def kind(case: dict[str, Any]) -> str:
    """`linear` of `LoRALinear@linear:Attention:c_attn`."""
    return case["site"].split("@")[1].split(":")[0]


FREE = [case for case in INSERTED if kind(case) == "free" and case["file"] == "gpt.py"]
TRAINING = [case for case in INSERTED if kind(case) in ("training-step", "loss")]
CASES = [
    (case, root)
    for case in INSERTED
    for root in ROOTS.get(case["file"], [])
    if kind(case) != "free"
]
NAMES = [f"{case['file']}-{root}-{case['method']}-{case['site']}" for case, root in CASES]


def test_something_is_offered_for_every_family() -> None:
    offered = {(case["file"], case["method"]) for case in INSERTED}
    wanted = {("gpt.py", m) for m in ("lora", "dora", "bone", "houlsby", "compacter")}
    wanted |= {("gpt.py", "prompt-tuning"), ("gpt.py", "proxy-tuning"), ("unet.py", "scedit")}
    wanted |= {("vit.py", m) for m in ("lora", "houlsby", "compacter", "prompt-tuning")}
    assert wanted <= offered, wanted - offered


@pytest.mark.parametrize(("case", "root"), CASES, ids=NAMES)
def test_the_edited_model(case: dict[str, Any], root: str) -> None:
    file = case["file"]
    facts = FACTS[case["method"]]
    original = build(ROOT / "examples" / file, file, root)
    state = original.state_dict()
    edited = build(case["edited"], file, root)

    # the unedited checkpoint loads: nothing of it is left over, only the adapter is missing
    missing, unexpected = edited.load_state_dict(state, strict=False)
    assert not unexpected
    assert not set(missing) & set(state)
    before, after = output(original, file, root), output(edited, file, root)
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
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(2):
        optimiser.zero_grad()
        output(model, file, root).square().mean().backward()
        optimiser.step()
    moved = {
        name for name, value in model.state_dict().items() if not torch.equal(value, kept[name])
    }
    assert moved and moved <= trains
    model.eval()
    assert not torch.allclose(output(model, file, root), after)


@pytest.mark.parametrize("case", FREE, ids=lambda case: case["site"])
def test_a_helper_stands_in_the_file(case: dict[str, Any]) -> None:
    module = load(case["edited"])
    assert hasattr(module, case["site"].split("@")[0])
    assert hasattr(module, "GPT")


@pytest.mark.parametrize("case", TRAINING, ids=lambda case: case["site"])
def test_the_edited_training_script(case: dict[str, Any], tmp_path: Path) -> None:
    """The script trains the example GPT, with the method's own layers in it where it has some."""
    model = case.get("beside", ROOT / "examples" / "gpt.py")
    (tmp_path / "gpt.py").write_text(Path(model).read_text())
    script = tmp_path / "train.py"
    script.write_text(Path(case["edited"]).read_text())
    code = "import train; losses = train.train(steps=4, width=128); assert all(x == x for x in losses)"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, check=True)


def test_proxy_tuned_generation() -> None:
    case = next(case for case in INSERTED if case["method"] == "proxy-tuning")
    model, expert, antiexpert = (build(case["edited"], "gpt.py", "GPT") for _ in range(3))
    start = torch.tensor([[1, 2, 3]])

    def generated(**models: nn.Module) -> Tensor:
        torch.manual_seed(3)
        return model.generate(start, 8, **models)

    # base == antiexpert: the expert's own distribution; and without the pair the model itself
    assert torch.equal(generated(), generated(expert=expert, antiexpert=antiexpert))
    with torch.no_grad():
        expert.lm_head.weight.copy_(torch.randn_like(expert.lm_head.weight))
    steered = generated(expert=expert, antiexpert=antiexpert)
    torch.manual_seed(3)
    assert torch.equal(steered, expert.generate(start, 8))
