"""Every snippet of every method, as an editor would expand it, is Python."""

import ast
from typing import Any

import pytest
from applied import COMPLETED
from corpus import FACTS
from snippets import expanded

SNIPPETS = [
    (method, site["symbol"], site["snippet"])
    for method, facts in FACTS.items()
    for site in facts["sites"]
    if "snippet" in site
]
# sites whose use can be written in a constructor
CONSTRUCTED = {
    "linear",
    "conv",
    "embedding",
    "norm",
    "attention",
    "block-output",
    "block-stack",
    "skip",
}


def names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a = $1f(${2:x}, $2)", "a = f(x, x)"),
        ("$2 = ${1:a}[len(${2:b})]", "b = a[len(b)]"),
        ("{${1:k}: ${2|3,4|}}$0", "{k: 3}"),
        (r"${1:\{'a': \$\}}", r"\{'a': $}"),
        ("${1:f(${2:x})}", "f(x)"),
    ],
)
def test_the_expansion_is_an_editors(source: str, text: str) -> None:
    assert expanded(source) == text


@pytest.mark.parametrize("source", ["cost: $ 3", "${1:a", "${1:a} ${1:b}", "${name}"])
def test_what_no_editor_reads_is_refused(source: str) -> None:
    with pytest.raises(ValueError):
        expanded(source)


@pytest.mark.parametrize(("method", "symbol", "snippet"), SNIPPETS, ids=lambda each: each[:40])
def test_a_snippet_is_python(method: str, symbol: str, snippet: str) -> None:
    # a recipe may be written as the configuration itself
    assert names(ast.parse(expanded(snippet))) & {symbol, "LoraConfig"}, (
        f"{method} leaves it unused"
    )


def test_every_method_has_its_completions() -> None:
    insertable = {method for method, facts in FACTS.items() if facts["sites"]}
    assert {case["method"] for case in COMPLETED if case["at"] == "module"} == insertable
    placed = {
        method
        for method, facts in FACTS.items()
        if any(site["kind"] in CONSTRUCTED for site in facts["sites"])
    }
    assert {case["method"] for case in COMPLETED if case["at"] == "init"} == placed


@pytest.mark.parametrize("case", COMPLETED, ids=lambda case: f"{case['label']}-{case['at']}")
def test_a_completed_file_is_python(case: dict[str, Any]) -> None:
    above, rest = case["text"].split("\1")
    snippet, below = rest.split("\2")
    tree = ast.parse(above + expanded(snippet) + below)
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    assert {"GPT", "Block", "MLP"} <= set(classes), "the completion took a class of the file away"
    defined = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    symbols = {site["symbol"] for site in FACTS[case["method"]]["sites"]}
    assert defined & symbols
    if case["at"] == "init":
        assert names(classes["Block"]) & symbols & defined
