"""A method at every place of our examples and of model patterns: taken out again and run.

The patterns are what makes edits go wrong in real models: initialisers over all parameters, strict
loads, optimisers that count names, recomputation by hand, stages, tabs and Windows line ends.
"""

import importlib.util
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

PATTERNS = sorted((ROOT / "test" / "fixtures" / "patterns").glob("*.py"))
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
OTHERS = [ROOT / "test" / "fixtures" / "python" / name for name in ("branches.py", "zoo.py")]
FILES = {path.name: path for path in [*PATTERNS, *EXAMPLES, *OTHERS]}


def apply() -> list[dict[str, Any]]:
    out = Path(tempfile.mkdtemp(prefix="litlens-patterns-")) / "tried.json"
    command = ["node", "scripts/apply-patterns.mjs", str(out), *map(str, FILES.values())]
    subprocess.run(command, cwd=ROOT, check=True)
    tried: list[dict[str, Any]] = json.loads(out.read_text())
    return tried


TRIED = apply()
EDITED = [case for case in TRIED if "edited" in case]
# recipes and helpers are code of their own, calls beside a training step are not taken out
REMOVABLE = [
    case
    for case in EDITED
    if case["site"].split("@")[1].split(":")[0]
    not in ("free", "model", "training-step", "loss", "generation-step")
]


def name(case: dict[str, Any]) -> str:
    return f"{case['file']}-{case['method']}-{case['site']}"


def original(case: dict[str, Any]) -> str:
    with FILES[case["file"]].open(newline="") as file:
        return file.read()


@pytest.mark.parametrize("file", [path.name for path in [*PATTERNS, *EXAMPLES]])
def test_what_was_put_in_comes_out_without_a_trace(file: str) -> None:
    for case in REMOVABLE:
        if case["file"] == file:
            assert case["removed"] == original(case), name(case)


def load(source: str, tmp_path: Path) -> ModuleType:
    path = tmp_path / f"model_{len(list(tmp_path.iterdir()))}.py"
    path.write_text(source, newline="")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def built(module: ModuleType) -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = module.build()
    return model.eval()


RUNNABLE = [
    case
    for case in EDITED
    if case["file"] in {path.name for path in PATTERNS}
    and "free" not in case["site"]
]


@pytest.mark.parametrize("case", RUNNABLE, ids=name)
def test_the_edited_pattern_runs(case: dict[str, Any], tmp_path: Path) -> None:
    plain = load(original(case), tmp_path)
    module = load(case["edited"], tmp_path)
    base, model = built(plain), built(module)
    start = FACTS[case["method"]]["properties"]["identityAtInit"]
    state = base.state_dict()
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and not set(missing) & set(state)
    before, after = base(*plain.inputs()), model(*module.inputs())
    tolerance = {"exact": 1e-4, "not-applicable": 1e-4, "approximate": 5e-2}.get(start)
    if tolerance is not None:
        torch.testing.assert_close(after, before, rtol=tolerance, atol=tolerance)
    # what else the file does with a model works as before
    uses: Callable[[nn.Module, dict[str, Tensor]], None] | None = getattr(module, "uses", None)
    if uses is not None:
        uses(model, state)
    fresh = {key: part for key, part in model.named_parameters() if key not in state}
    if not fresh or takes_more(case):
        return
    step(model, module.inputs())
    moved = [
        key for key, part in fresh.items() if part.grad is not None and part.grad.abs().sum() > 0
    ]
    assert moved, "nothing of the adapter gets a gradient"


def takes_more(case: dict[str, Any]) -> bool:
    """Whether `forward` gets a parameter, without which the adapter does nothing."""
    sites = FACTS[case["method"]]["sites"]
    return any(case["site"].startswith(site["symbol"]) and "parameters" in site for site in sites)


def step(model: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    output = model.train()(*inputs)
    (
        output * torch.linspace(0.5, 1.5, output.numel()).reshape(output.shape)
    ).square().mean().backward()


def test_the_patterns_meet_every_family() -> None:
    """Of each family that is offered in a pattern at least one method runs there."""
    families = {(case["file"], FACTS[case["method"]]["family"]) for case in RUNNABLE}
    assert {file for file, family in families if family == "low-rank"} == {p.name for p in PATTERNS}
    for pattern in PATTERNS:
        assert len({family for file, family in families if file == pattern.name}) >= 3
    assert len({family for _, family in families}) >= 7


def test_what_cannot_be_sound_is_refused_with_the_reason() -> None:
    refused = {
        (case["file"], case["site"].split(":", 1)[1]): case["disabled"]
        for case in TRIED
        if "disabled" in case
    }
    assert "weight_norm" in refused["stages.py", "Net:head"]
    # a weight that is used directly or shared is for methods that can do with it
    edited = {(case["file"], case["site"].split(":", 1)[1]) for case in EDITED}
    assert {("stages.py", "Net:key"), ("tied_gpt.py", "GPT:lm_head")} <= edited
    assert ("stages.py", "Net:head") in edited, "LoRA goes beside it"
