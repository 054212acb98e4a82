"""Every quick fix of a rule leaves Python, and every statement that it does not speak of as it was."""

import ast
import json
import subprocess
import tempfile
from pathlib import Path

from corpus import ROOT


def test_every_quick_fix_is_python() -> None:
    out = Path(tempfile.mkdtemp(prefix="litlens-fixes-")) / "tried.json"
    subprocess.run(["node", "scripts/apply-fixes.mjs", str(out)], cwd=ROOT, check=True)
    tried = json.loads(out.read_text())
    assert len(tried) > 100
    for case in tried:
        before, after = (ast.parse(case[key], case["rule"]).body for key in ("text", "edited"))
        # comments may be all that changes
        assert case["text"] != case["edited"], case
        assert len(before) == len(after), case
        changed = [a for a, b in zip(before, after) if ast.dump(a) != ast.dump(b)]
        # an import and the uses of its name change together; else it is one statement, or two that change places
        named = any(isinstance(each, (ast.Import, ast.ImportFrom)) for each in changed)
        assert named or len(changed) <= 2, case
