"""The training script with an adapter all over its model: it trains, saves and resumes that."""

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from corpus import ROOT
from torch import nn

OUT = Path(tempfile.mkdtemp(prefix="litlens-whole-model-"))
subprocess.run(["node", "scripts/apply-whole-model.mjs", str(OUT)], cwd=ROOT, check=True)
SCRIPTS = sorted(OUT.glob("*.py"))
WIDTH = 128


def test_every_linear_method_goes_over_a_model() -> None:
    assert {path.stem for path in SCRIPTS} > {"lora-LoRALinear", "ia3-IA3Linear", "bone-BoneLinear"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_script_trains_saves_and_resumes_the_adapter_alone(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "gpt", load(ROOT / "examples" / "gpt.py"))
    script = load(path)
    seen: dict[str, Any] = {}

    class Watched(torch.optim.AdamW):
        def __init__(self, parameters: list[nn.Parameter], **more: Any) -> None:
            seen["given"] = parameters
            seen["before"] = [each.detach().clone() for each in parameters]
            super().__init__(parameters, **more)

    monkeypatch.setattr(torch.optim, "AdamW", Watched)
    resume = script.resume_adapter

    def watched_resume(model: nn.Module, *rest: Any) -> None:
        seen["model"] = model
        resume(model, *rest)
        seen["base"] = {name: each.detach().clone() for name, each in model.state_dict().items()}

    monkeypatch.setattr(script, "resume_adapter", watched_resume)
    losses = script.train(steps=6, width=WIDTH)
    assert all(loss == loss for loss in losses)
    model, given = seen["model"], seen["given"]

    # the optimiser holds exactly what trains, that has moved, and nothing else has
    trains = {name for name, each in model.named_parameters() if each.requires_grad}
    assert {id(each) for each in given} == {
        id(each) for each in model.parameters() if each.requires_grad
    }
    state = model.state_dict(keep_vars=True)
    plain = script.GPT(model.config).state_dict().keys()
    assert trains and plain <= state.keys()
    moved = {name for name, each in state.items() if not torch.equal(each, seen["base"][name])}
    adapter = {name for name in state if name not in plain}
    assert moved and moved <= adapter | trains

    # the file holds the adapter alone; a second run starts from it
    saved = torch.load(tmp_path / "adapter.pt", map_location="cpu")
    assert trains <= saved.keys() <= adapter | trains
    script.train(steps=0, width=WIDTH)
    for name, each in seen["model"].state_dict().items():
        if name in saved:
            assert torch.equal(each, saved[name]), name


def load(path: Path) -> Any:
    name = f"whole_{path.stem.replace('-', '_')}_{len(sys.modules)}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
