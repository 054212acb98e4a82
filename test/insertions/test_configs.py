"""Every edit of a configuration is Python, and leaves the rest of the file as it was."""

import ast
import json
import subprocess
import tempfile
from pathlib import Path

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
