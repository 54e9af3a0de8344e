"""The shim: it runs where nothing is installed, and is small."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import anyond.shim

ROOM = Path(anyond.shim.__file__).parent
MODULES = sorted(ROOM.rglob("*.py"))
WITHOUT_PROC = {"orphans.py": {"psutil"}}  # only where there is no /proc, and not in a shim
COSTLY = {"typing", "subprocess", "logging", "asyncio", "dataclasses", "pathlib", "tempfile"}

LOAD = """
import sys
sys.path.append(sys.argv[1])
import anyond.shim.shim
print("\\n".join(sys.modules))
"""


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_each_module_imports_the_standard_library_and_its_neighbours_only(path: Path) -> None:
    strange = {
        name
        for name in imported(path)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("anyond.shim.")
    }
    assert strange == WITHOUT_PROC.get(path.name, set())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a shim asks `ps`")
def test_a_shim_loads_nothing_that_is_installed_and_nothing_that_is_large() -> None:
    """Each execution has a shim, so each module is paid for as often as agents run."""
    command = [sys.executable, "-I", "-S", "-c", LOAD, str(ROOM.parent.parent)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    loaded = set(done.stdout.split())
    resources = {name for name in loaded if name.startswith("anyond.")}
    assert {name for name in resources if name.split(".")[1] != "shim"} == set()
    assert "anyond.shim.supervisor" in loaded
    assert loaded & COSTLY == set()
    assert {name.split(".")[0] for name in loaded} <= sys.stdlib_module_names | {
        "anyond",
        "__main__",
    }
