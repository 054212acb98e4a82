"""scripts/unknown_symbols.py on a small package whose import would fail."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/unknown_symbols.py"

PACKAGE = {
    "__init__.py": """
from .config import BaseConfig, Kind
from .tuners import HoseConfig, NewConfig
from .functions import adapt, _private
raise RuntimeError("imported")
""",
    "config.py": """
import enum
from dataclasses import dataclass

class Kind(str, enum.Enum):
    SHORT = "SHORT"
    LONG = "LONG"

@dataclass
class BaseConfig:
    seed: int = 0
    name: str = ""
""",
    "tuners/__init__.py": "from .hose import HoseConfig, NewConfig\n",
    "tuners/hose.py": """
from typing import ClassVar
from ..config import BaseConfig

class HoseConfig(BaseConfig):
    limit: ClassVar[int] = 3
    rank: int = 8
    length: float = 1.0

class NewConfig(BaseConfig):
    rank: int = 8

class HiddenConfig(BaseConfig):
    rank: int = 8
""",
    "functions.py": """
try:
    def adapt(model, config, *, mixed=False, **rest): ...
except ImportError:
    pass

def _private(): ...
""",
}


def symbol(path, *fields, kind="config", **facts):
    return {
        "library": "hoses",
        "kind": kind,
        "qualified": [path],
        "fields": [{"name": each} for each in fields],
        **facts,
    }


def run(tmp_path, *symbols):
    for path, text in PACKAGE.items():
        file = tmp_path / "hoses" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    corpus = tmp_path / "corpus.json"
    corpus.write_text(json.dumps({"symbols": symbols}))
    command = [sys.executable, str(SCRIPT), str(tmp_path / "hoses"), "--corpus", str(corpus)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


KNOWN = [
    symbol("hoses.BaseConfig", "seed", "name"),
    symbol("hoses.Kind", kind="class"),
    symbol("hoses.Kind.SHORT", kind="value"),
    symbol("hoses.Kind.LONG", kind="value"),
    symbol("hoses.HoseConfig", "rank", "length", "seed", "name"),
    symbol("hoses.NewConfig", "rank", "seed", "name"),
    symbol("hoses.tuners.hose.HiddenConfig", "rank", "seed", "name"),
    symbol("hoses.adapt", "model", "config", "mixed", kind="function"),
    symbol("hoses.Gone", removed={"version": "2"}),
]


def test_is_silent_where_all_is_known(tmp_path):
    result = run(tmp_path, *KNOWN)
    assert (result.returncode, result.stdout, result.stderr) == (
        0,
        "hoses: 0 unknown, 0 gone\n",
        "",
    )


def test_names_symbols_arguments_and_members(tmp_path):
    result = run(
        tmp_path,
        symbol("hoses.BaseConfig", "seed"),
        symbol("hoses.Kind", kind="class"),
        symbol("hoses.Kind.SHORT", kind="value"),
        symbol("hoses.HoseConfig", "rank", "seed"),
        symbol("hoses.adapt", "model", "config", kind="function"),
        symbol("hoses.OldConfig", "rank"),
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "Unknown to Litlens:",
        "  hoses.BaseConfig(name=)",
        "  hoses.Kind.LONG",
        "  hoses.HoseConfig(length=)",
        "  hoses.HoseConfig(name=)",
        "  hoses.NewConfig",
        "  hoses.adapt(mixed=)",
        "  hoses.tuners.hose.HiddenConfig",
        "In the corpus and not in the package:",
        "  hoses.OldConfig",
        "hoses: 7 unknown, 1 gone",
    ]


def test_says_what_to_do_where_there_is_no_package(tmp_path):
    command = [sys.executable, str(SCRIPT), str(tmp_path), "--corpus", str(SCRIPT)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "name the folder of the package" in result.stderr
