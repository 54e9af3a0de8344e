"""The shim: it runs where nothing is installed, and is small."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.paths import ROOT

COSTLY = {
    *("typing", "subprocess", "logging", "asyncio", "dataclasses"),
    *("pathlib", "tempfile", "contextlib"),
}

LOAD = """
import sys
sys.path.append(sys.argv[1])
import anyond.shim.shim
print("\\n".join(sys.modules))
"""

LOAD_ALL = """
import importlib, pkgutil, sys
sys.path.append(sys.argv[1])
import anyond.shim
found = [one.name for one in pkgutil.walk_packages(anyond.shim.__path__, "anyond.shim.")]
for name in found:
    importlib.import_module(name)
print("\\n".join([*found, *sys.modules]))
"""


def loaded_by(program: str) -> set[str]:
    """The modules that an interpreter has loaded for which nothing is installed."""
    command = [sys.executable, "-I", "-S", "-c", program, str(ROOT)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    return set(done.stdout.split())


def of_anyon(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith("anyond.")}


def test_each_module_imports_the_standard_library_and_its_neighbours_only() -> None:
    modules = loaded_by(LOAD_ALL)
    assert "anyond.shim.processes.orphans" in modules
    assert all(name.split(".")[1] == "shim" for name in of_anyon(modules))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a shim asks `ps`")
def test_a_shim_loads_nothing_that_is_installed_and_nothing_that_is_large() -> None:
    """Each execution has a shim, so each module is paid for as often as agents run."""
    modules = loaded_by(LOAD)
    assert all(name.split(".")[1] == "shim" for name in of_anyon(modules))
    assert "anyond.shim.supervisor" in modules
    assert "anyond.shim.spool.files" not in modules
    assert modules & COSTLY == set()
    known = sys.stdlib_module_names | {"anyond", "__main__"}
    assert {name.split(".")[0] for name in modules} <= known
