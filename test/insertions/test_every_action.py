"""Every adapter offered in every model file of the tests: Python accepts the file, and all else in it stays.

What the edits do when they run is for the other tests of this folder, which choose among them.
"""

import ast
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus import FACTS, ROOT

FILES = sorted(
    path
    for folder in ("examples", "test/fixtures/patterns", "test/fixtures/python", "test/fixtures/resemblance")
    for path in (ROOT / folder).glob("*.py")
)


def offered() -> Iterator[dict[str, Any]]:
    out = Path(tempfile.mkdtemp(prefix="litlens-every-action-")) / "actions.jsonl"
    command = ["node", "scripts/apply-every-action.mjs", str(out), *map(str, FILES)]
    subprocess.run(command, cwd=ROOT, check=True)
    with out.open() as lines:
        yield from map(json.loads, lines)
    out.unlink()


def applied(before: str, edits: list[dict[str, Any]]) -> str:
    """The text after edits that follow one another, of which each takes but a piece of a line."""
    at, pieces = 0, []
    for edit in edits:
        assert at <= edit["from"] <= edit["to"], "edits overlap"
        taken = before[edit["from"] : edit["to"]]
        assert len(taken) < 80 and "\n" not in taken, f"takes {taken!r}"
        pieces += [before[at : edit["from"]], edit["text"]]
        at = edit["to"]
    return "".join([*pieces, before[at:]])


def test_every_action_leaves_python_in_the_manner_of_the_file() -> None:
    texts = {str(path): path.read_bytes().decode() for path in FILES}
    wrong: list[str] = []
    met: set[str] = set()
    sites: set[tuple[str, str]] = set()
    count = 0
    for action in offered():
        before = texts[action["file"]]
        met.add(action["file"])
        sites.add((action["method"], action["site"].split("@")[0]))
        count += 1
        try:
            after = applied(before, action["edits"])
            assert after != before, "nothing changes"
            ast.parse(after)
            lone = after.replace("\r\n", "").count("\n")
            assert lone == (0 if "\r\n" in before else after.count("\n")), "mixed line ends"
        except (AssertionError, SyntaxError) as error:
            wrong.append(f"{action['file']} {action['method']} {action['site']}: {error}")
    assert not wrong, "\n".join(wrong[:20])
    assert met >= {str(path) for path in FILES if "resemblance" not in str(path)}
    assert count > 20_000
    declared = {(method, site["symbol"]) for method, facts in FACTS.items() for site in facts["sites"]}
    assert sites >= declared, f"offered nowhere: {sorted(declared - sites)}"
