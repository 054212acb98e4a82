"""The methods of the corpus as Python sees them: facts from method.yaml, classes from the files."""

import ast
import importlib
import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
METHODS = ROOT / "corpus" / "methods"


def load(path: Path) -> dict[str, Any]:
    """The public names of one Python file. Those of shared/ are one module for all importers."""
    if path.parent.name == "shared":
        return public(importlib.import_module(f"shared.{path.stem}"))
    name = f"corpus_{path.parent.name}_{path.stem}".replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return public(module)


def public(module: ModuleType) -> dict[str, Any]:
    return {key: value for key, value in vars(module).items() if not key.startswith("_")}


def evaluate(expression: str | int, names: dict[str, Any]) -> Any:
    """The value of an expression of method.yaml, by Python itself."""
    tree = ast.parse(str(expression), mode="eval")
    functions: dict[str, Callable[..., Any]] = {
        "min": min, "max": max, "int": int, "ceil": math.ceil, "floor": math.floor, "abs": abs,
    }  # fmt: skip
    for node in ast.walk(tree):
        assert not isinstance(node, (ast.Attribute, ast.Lambda)), expression
    return eval(compile(tree, "method.yaml", "eval"), {"__builtins__": {}}, functions | names)


@dataclass(frozen=True)
class Site:
    """One place a method can go to."""

    method: dict[str, Any]
    facts: dict[str, Any]
    symbol: Any

    @property
    def kind(self) -> str:
        return self.facts["kind"]

    @property
    def place(self) -> str:
        """Its kind, with the class where that is not the usual one: "conv1d"."""
        layer: str = self.facts.get("adapts", "")
        return layer.rpartition(".")[2].lower() or self.kind

    @property
    def defaults(self) -> dict[str, Any]:
        return {item["name"]: item["default"] for item in self.method.get("hyperparameters", [])}

    @property
    def small(self) -> dict[str, Any]:
        """What is written for layers that are small or of unknown size."""
        items = self.method.get("hyperparameters", [])
        return {item["name"]: item["small"] for item in items if "small" in item}

    @property
    def variants(self) -> list[dict[str, Any]]:
        """Hyperparameters to try: defaults, values for small layers, each offered value of each."""
        tried = [self.defaults, self.defaults | self.small]
        for item in self.method.get("hyperparameters", []):
            for choice in item.get("choices", []):
                tried.append(self.defaults | {item["name"]: choice})
        return tried

    def accepts(self, names: dict[str, Any]) -> bool:
        return all(evaluate(rule, names) for rule in self.facts.get("requires", []))


def read_methods() -> dict[str, dict[str, Any]]:
    folders = sorted(path.parent for path in METHODS.glob("*/method.yaml"))
    """Every method; one that is only described has no sites."""
    return {
        path.name: {"sites": []} | yaml.safe_load((path / "method.yaml").read_text())
        for path in folders
    }


def read_python(method: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted((METHODS / method).glob("*.py")):
        found |= load(path)
    return found


FACTS = read_methods()
SHARED = read_python("shared")
PYTHON = {name: SHARED | read_python(name) for name in FACTS}
SITES = [
    Site(facts, site, PYTHON[name].get(site["symbol"]))
    for name, facts in FACTS.items()
    for site in facts.get("sites", [])
]
