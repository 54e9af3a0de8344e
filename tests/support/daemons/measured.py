"""The coverage of what the tests start, while `make coverage` runs.

A daemon is measured because its environment says so. A shim asks neither the environment nor the
packages around it (`-I -S`), so the interpreter that it is started with is one that runs it under
coverage instead.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.paths import ROOT

_INTERPRETER = "ANYON_TEST_INTERPRETER"
_WRAPPER = """#!/bin/sh
case "$1 $2 $3" in
"-I -S {shim}") shift 2 ;;
*) exec {python} "$@" ;;
esac
export COVERAGE_FILE={data} COVERAGE_RCFILE={settings}
exec {python} -m coverage run --source {source} "$@"
"""


def is_measured() -> bool:
    return "COVERAGE_PROCESS_CONFIG" in os.environ and "COVERAGE_FILE" in os.environ


def variables() -> Mapping[str, str]:
    """What the environment of a daemon needs besides."""
    if not is_measured():
        return {}
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("COVERAGE_") or name == _INTERPRETER
    }


def save() -> None:
    """Write what this process has measured."""
    if not is_measured():
        return
    import coverage  # here, since it is slow to load and seldom needed

    if (measurement := coverage.Coverage.current()) is not None:
        measurement.save()


def measure_shims() -> None:
    """Have this process, and those that it starts, start shims that are measured."""
    if not is_measured():
        return
    if _INTERPRETER not in os.environ:
        path = Path(tempfile.mkdtemp(prefix="anyon-coverage-")) / "python"
        text = _WRAPPER.format(
            shim=shlex.quote(str(ROOT / "anyond" / "shim" / "shim.py")),
            python=shlex.quote(sys.executable),
            data=shlex.quote(os.environ["COVERAGE_FILE"]),
            source=shlex.quote(str(ROOT / "anyond")),
            settings=shlex.quote(str(ROOT / "pyproject.toml")),
        )
        path.write_text(text)
        path.chmod(0o755)
        os.environ[_INTERPRETER] = str(path)
    sys.executable = os.environ[_INTERPRETER]
