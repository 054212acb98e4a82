"""Every edit of a configuration is Python, and leaves the rest of the file as it was."""

import ast
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import torch
from corpus import ROOT

FILES = sorted((ROOT / "test" / "fixtures" / "configs").glob("*.py"))


def test_every_edit_of_a_configuration_is_python() -> None:
    out = Path(tempfile.mkdtemp(prefix="litlens-configs-")) / "tried.json"
    command = ["node", "scripts/apply-configs.mjs", str(out), *map(str, FILES)]
    subprocess.run(command, cwd=ROOT, check=True)
    tried = json.loads(out.read_text())
    assert len(tried) > 60
    for case in tried:
        tree = ast.parse(case["edited"], case["title"])
        bound = {
            alias.asname or alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        }
        # each configuration is imported, and no import is left without a use
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert {name for name in names if name.endswith("Config")} <= bound, case["title"]
        assert "Net" in names and "# where it goes" in case["edited"], case["title"]


MODEL = '''import torch
import torch.nn as nn
from peft import {config}, get_peft_model


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(64, 64)
        self.second = nn.Linear(64, 32)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


model = Net()
model = get_peft_model(model, {config}({arguments}target_modules=["first"]))
'''

# configuration, its arguments, how many parameters PEFT trains in a layer of 64 x 64, whether it starts as the layer
SAME = [
    ("LoraConfig", "r=4, ", 4 * 128, True),
    ("LoraConfig", "r=4, use_dora=True, ", 4 * 128 + 64, True),
    ("LoHaConfig", "r=4, ", 2 * 4 * 128, True),
    ("GraloraConfig", "r=8, ", 8 * 128, True),
    ("DeloraConfig", "r=4, ", 4 * 128 + 1, True),
    ("MissConfig", "r=16, ", 16 * 64, True),
    ("OFTConfig", "use_cayley_neumann=False, ", 2 * 32 * 31 // 2, True),
    ("BOFTConfig", "", 64 * 4 + 64, True),
    ("HRAConfig", "", 8 * 64, True),
    ("FourierFTConfig", "n_frequency=50, ", 50, False),
    ("IA3Config", "feedforward_modules=[], ", 64, True),
    ("ShiraConfig", "r=2, ", 2 * 128, True),
    ("LoraConfig", "r=4, use_rslora=True, ", 4 * 128, True),
    ("VeraConfig", "r=16, ", 64 + 16, True),
    ("RandLoraConfig", "r=16, ", 4 * (16 + 64), True),
    ("LoKrConfig", "r=4, decompose_factor=4, ", 4 * 4 + 4 * (16 + 16), True),
    ("MissConfig", 'r=16, init_weights="bat", ', 64 * 16, True),
    ("WaveFTConfig", "n_frequency=50, ", 50, True),
    ("C3AConfig", "block_size=16, ", 64 * 64 // 16, False),
    ("VBLoRAConfig", "r=4, num_vectors=16, vector_length=16, ", 16 * 4 * 8 + 16 * 16, False),
    ("RoadConfig", "", 2 * 32, True),
]


def test_inserted_configurations_train_what_those_of_peft_train(tmp_path: Path) -> None:
    files = []
    for index, (config, arguments, _, _) in enumerate(SAME):
        files.append(tmp_path / f"case{index}.py")
        files[-1].write_text(MODEL.format(config=config, arguments=arguments))
    out = tmp_path / "tried.json"
    subprocess.run(["node", "scripts/apply-configs.mjs", str(out), *map(str, files)], cwd=ROOT, check=True)
    edited = {
        case["file"]: case["edited"]
        for case in json.loads(out.read_text())
        if case["title"].startswith("Insert ")
    }
    assert sorted(edited) == sorted(path.name for path in files)
    for path, (config, _, trained, identity) in zip(files, SAME):
        scope: dict[str, Any] = {"__name__": "inserted"}
        exec(compile(edited[path.name], path.name, "exec"), scope)  # noqa: S102
        model = scope["model"]
        names = {name: p.numel() for name, p in model.named_parameters() if p.requires_grad}
        assert sum(names.values()) == trained, (config, names)
        x = torch.randn(3, 64)
        plain = scope["Net"]()
        plain.load_state_dict(model.state_dict(), strict=False)
        assert torch.allclose(model(x), plain(x), atol=1e-5) == identity, config
        model(x).sum().backward()
        assert all(p.grad is not None for p in model.parameters() if p.requires_grad), config
