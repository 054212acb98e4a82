"""What the real server makes of the examples: its code actions applied, its snippets accepted."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from corpus import ROOT

# adapted layer by layer; of the others the layers of a class together
CLOSELY = ("gpt.py", "vit.py", "unet.py", "train.py", "multitask.py")
WIDELY = ("translation.py", "captioner.py", "reranker.py", "music.py", "segmentation.py")


def apply() -> Path:
    out = Path(tempfile.mkdtemp(prefix="litlens-insertions-"))
    closely, widely = (
        [str(ROOT / "examples" / file) for file in each] for each in (CLOSELY, WIDELY)
    )
    command = ["node", "scripts/apply-insertions.mjs", str(out), *closely, "--wide", *widely]
    subprocess.run(command, cwd=ROOT, check=True)
    return out


OUT = apply()
INSERTED: list[dict[str, Any]] = json.loads((OUT / "manifest.json").read_text())
COMPLETED: list[dict[str, Any]] = json.loads((OUT / "completions.json").read_text())


def kind(case: dict[str, Any]) -> str:
    """`linear` of `LoRALinear@linear:Attention:c_attn`."""
    return case["site"].split("@")[1].split(":")[0]


def symbol(case: dict[str, Any]) -> str:
    """`LoRALinear` of `LoRALinear@linear:Attention:c_attn`."""
    return case["site"].split("@")[0]
