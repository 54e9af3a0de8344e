"""Other daemons are measured by what assumes nothing of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.peers import agent
from benchmarks.root import ROOT


def test_nothing_of_ours_is_imported() -> None:
    modules = sorted((ROOT / "benchmarks" / "peers").glob("[a-z]*.py"))
    names = [f"benchmarks.peers.{module.stem}" for module in modules]
    assert len(names) > 5
    look = (
        f"import sys, {', '.join([*names, 'benchmarks.peers.__main__'])}\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'anyond'])"
    )
    found = subprocess.run(
        [sys.executable, "-c", look],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"


def test_the_fake_agent_notes_its_start_and_changes_what_it_is_asked_to(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for n in range(10):
        file = tree / "a" / f"b{n}" / "c.py"
        file.parent.mkdir(parents=True)
        file.write_text("value = 1\n")
    place = tmp_path / "place"
    argv = [str(agent.write(place))]
    output = subprocess.run(
        argv, cwd=tree, input="change 5", capture_output=True, text=True, check=True
    )
    assert len(agent.starts(place)) == 1
    changed = [file for file in tree.glob("*/*/*.py") if "changed = 1" in file.read_text()]
    assert len(changed) == 5
    kinds = [json.loads(line)["type"] for line in output.stdout.splitlines()]
    assert kinds == ["system", "assistant", "result"]
