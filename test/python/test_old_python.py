"""Inserted Python is imported by Python 3.8 as well, as far as PyTorch 1.13 and 2.x are."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "corpus" / "methods"
FILES = sorted(ROOT.glob("*/*.py"))

# What can be subscripted from 3.9 on: `list[int]`, and what collections.abc has.
BUILTINS = {"dict", "frozenset", "list", "set", "tuple", "type"}


def evaluated_annotations(tree: ast.Module) -> Iterator[ast.expr]:
    """Annotations that Python evaluates when it reads the file, which those of locals are not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            given = node.args
            every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
            yield from (each.annotation for each in every if each and each.annotation)
            if node.returns:
                yield node.returns
        elif isinstance(node, (ast.ClassDef, ast.Module)):
            yield from (each.annotation for each in node.body if isinstance(each, ast.AnnAssign))


def is_new(node: ast.AST, subscripted: set[str]) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.BitOr)
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in subscripted
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_annotations_that_python_3_8_cannot_evaluate_stand_in_quotes(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "collections.abc"
        for alias in node.names
    }
    subscripted = BUILTINS | imported
    values = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    found = [
        f"line {each.lineno}: {ast.unparse(each)}"
        for each in [*evaluated_annotations(tree), *values]
        if any(is_new(part, subscripted) for part in ast.walk(each))
    ]
    assert found == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_functions_are_called_as_python_3_8_has_them(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    strict = [
        f"line {call.lineno}: {ast.unparse(call)}"
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "zip" and call.keywords
    ]
    assert strict == []
    imported = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "itertools"
        for alias in node.names
    }
    assert not imported & {"batched", "pairwise"}
