"""Reports what an installed library has and corpus/symbols does not know.

`npm run unknown-symbols`, or with `-- path` the package in a folder; the default is the PEFT of
this Python. The library's source is read with `ast`; nothing of it is imported or run.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Module:
    """What a module binds at its top level: definitions, and names that it takes from others."""

    definitions: dict[str, ast.ClassDef | ast.FunctionDef] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)


class Package:
    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.modules: dict[str, Module] = {}
        for path in sorted(folder.rglob("*.py")):
            parts = list(path.relative_to(folder.parent).with_suffix("").parts)
            is_package = parts[-1] == "__init__"
            dotted = parts[:-1] if is_package else parts
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
            module = self.modules.setdefault(".".join(dotted), Module())
            for node in statements(tree.body):
                if isinstance(node, ast.ImportFrom):
                    source = absolute(node, dotted if is_package else dotted[:-1])
                    for name in node.names:
                        module.imported[name.asname or name.name] = (source, name.name)
                else:
                    module.definitions[node.name] = node

    def find(self, module: str, name: str) -> tuple[str, ast.ClassDef | ast.FunctionDef] | None:
        """The definition of `name` in `module`, and its module; follows the package's imports."""
        seen: set[tuple[str, str]] = set()
        while (module, name) not in seen and module in self.modules:
            seen.add((module, name))
            found = self.modules[module]
            if name in found.definitions:
                return module, found.definitions[name]
            if name not in found.imported:
                return None
            module, name = found.imported[name]
        return None

    def exports(self) -> dict[str, tuple[str, ast.ClassDef | ast.FunctionDef]]:
        """Public definitions: what the top exports, and configurations wherever they are."""
        top = self.modules.get(self.name, Module())
        found = {}
        for name in [*top.definitions, *top.imported]:
            definition = self.find(self.name, name)
            if definition is not None and not name.startswith("_"):
                found[f"{self.name}.{name}"] = definition
        known = {id(node) for _, node in found.values()}
        for path, module in self.modules.items():
            for name, node in module.definitions.items():
                if name.endswith("Config") and not name.startswith("_") and id(node) not in known:
                    found[f"{path}.{name}"] = (path, node)
        return found

    def arguments(self, module: str, node: ast.ClassDef | ast.FunctionDef) -> list[str]:
        """Arguments of a function or a class; of a dataclass its fields, inherited ones too."""
        if isinstance(node, ast.FunctionDef):
            return parameters(node)
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
                return parameters(statement)
        own = [
            statement.target.id
            for statement in node.body
            if isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and not ast.unparse(statement.annotation).startswith("ClassVar")
        ]
        inherited: list[str] = []
        for base in node.bases:
            found = self.find(module, ast.unparse(base))
            if found is not None:
                inherited += self.arguments(*found)
        return [*own, *(name for name in inherited if name not in own)]


def statements(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.ImportFrom]:
    """Definitions and imports, those under `if` and `try` included."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If | ast.Try):
            yield from statements([*node.body, *node.orelse])


def absolute(node: ast.ImportFrom, package: list[str]) -> str:
    """`from ..b import c` in a.d.e is of a.b."""
    if node.level == 0:
        return node.module or ""
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def parameters(node: ast.FunctionDef) -> list[str]:
    names = [each.arg for each in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]]
    return [name for name in names if name not in ("self", "cls")]


def members(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    """Members of an enumeration."""
    if isinstance(node, ast.FunctionDef) or not any(
        "Enum" in ast.unparse(base) for base in node.bases
    ):
        return []
    return [
        target.id
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]


def report(package: Package, symbols: list[dict]) -> tuple[list[str], list[str]]:
    """What the corpus does not know of the package, and what it knows and the top lacks."""
    known = {path: symbol for symbol in symbols for path in symbol["qualified"]}
    exports = package.exports()
    unknown = []
    for path, (module, node) in exports.items():
        symbol = known.get(path)
        if symbol is None:
            unknown.append(path)
            continue
        fields = {each["name"] for each in symbol["fields"]}
        documented = symbol["kind"] in ("config", "function") or fields
        if documented and not members(node):
            unknown += [
                f"{path}({name}=)" for name in package.arguments(module, node) if name not in fields
            ]
        unknown += [f"{path}.{name}" for name in members(node) if f"{path}.{name}" not in known]
    gone = [
        path
        for path, symbol in known.items()
        if path.count(".") == 1 and path not in exports and "removed" not in symbol
    ]
    return unknown, gone


def folder_of(package: str) -> Path:
    """The folder of a package, by its path or its name in this Python; finding does not run it."""
    if (Path(package) / "__init__.py").is_file():
        return Path(package).resolve()
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or spec.origin is None:
        sys.exit(f"{package} is no package with an __init__.py; name the folder of the package.")
    return Path(spec.origin).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", nargs="?", default="peft", help="folder or name of the package")
    parser.add_argument(
        "--corpus", type=Path, default=ROOT / "dist/corpus.json", help="the compiled corpus"
    )
    options = parser.parse_args()
    if not options.corpus.is_file():
        sys.exit(f"{options.corpus} does not exist; run npm run build first.")
    package = Package(folder_of(options.package))
    symbols = json.loads(options.corpus.read_text(encoding="utf-8"))["symbols"]
    unknown, gone = report(package, [each for each in symbols if each["library"] == package.name])
    for title, paths in (
        ("Unknown to Litlens:", unknown),
        ("In the corpus and not in the package:", gone),
    ):
        if paths:
            print(title, *(f"  {path}" for path in paths), sep="\n")
    print(f"{package.name}: {len(unknown)} unknown, {len(gone)} gone")


if __name__ == "__main__":
    main()
