"""Trials: the tests of one mutant, in a forked process that compiles the fault.

Nothing is written into the sources, so a checkout is never left with a fault in it. A *warm* trial
is forked from a process that has imported Anyon and collected the tests (`Warm`), and exchanges
the code of a function. What happens while a module is imported needs a *cold* one (`attempt_cold`),
forked from a process that has imported all but Anyon.
"""

from __future__ import annotations

import ast
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import signal
import sys
import types
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tools.mutants.forks import adopt_orphans, run_forked
from tools.mutants.progress import Result
from tools.mutants.reach import OPTIONS

LONGEST_TRIAL_S = 300.0


class Trial(NamedTuple):
    """The fate of a mutant.

    Attributes:
        test: the test that ran last: the one that noticed, if any did.
    """

    result: Result
    test: str = ""


def prepare() -> None:
    """Import what all trials need, and become the parent of all that they leave behind."""
    import hypothesis  # noqa: F401
    import pygit2  # noqa: F401
    import pytest_trio.plugin  # type: ignore[import-untyped]  # noqa: F401
    import schemathesis.pytest.plugin
    import trio  # noqa: F401

    assert schemathesis
    assert not any(name.split(".")[0] == "anyond" for name in sys.modules)
    adopt_orphans()
    gc.collect()
    gc.freeze()  # or each trial looks through all of it, and copies its memory


def attempt_cold(
    module: str,
    path: Path,
    tree: ast.Module,
    tests: dict[str, float],
    spared: Collection[int] = (),
) -> Trial:
    """Import all with a fault in one module, and run tests until one fails.

    Args:
        module: its name, for imports.
        tests: node ids in the order in which they are run, with the seconds that each may take.
        spared: the pids of other children, which live on.

    Raises:
        RuntimeError: pytest did not run them.
    """

    def run(directory: Path) -> int:
        forget_examples(directory)
        code = compile(tree, str(path), "exec", dont_inherit=True)
        sys.meta_path.insert(0, _Finder(module, str(path), code))
        files = dict.fromkeys(test.split("::")[0] for test in tests)
        options = ["-x", *OPTIONS, f"--basetemp={directory / 'tests'}"]
        selection = _Selection(tests, directory / "note")
        return int(pytest.main([*options, *files], plugins=[selection]))

    code, output, note = run_forked(run, LONGEST_TRIAL_S, spared)
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        # An error in a conftest is one of usage, for pytest.
        if "ImportError while loading conftest" in output or "Traceback" in output:
            return Trial(Result.KILLED)
        raise RuntimeError(f"pytest ran nothing:\n{output[-3000:]}")
    return Trial(result_of(code), note)


def result_of(code: int | None) -> Result:
    """The result by the exit code of a trial; None if it took too long."""
    if code is None or code == -signal.SIGALRM:
        return Result.TIMED_OUT
    return Result.SURVIVED if code == 0 else Result.KILLED


def forget_examples(directory: Path) -> None:
    """Keep what fails on a mutant from becoming an example for the real code."""
    from hypothesis import configuration

    configuration.set_hypothesis_home_dir(directory / "hypothesis")


def limit(seconds: float) -> None:
    """End this process after so many seconds; 0 is never."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, module: str, path: str, code: types.CodeType) -> None:
        self._module, self._path, self._code = module, path, code

    def find_spec(
        self, fullname: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: types.ModuleType) -> None:
        exec(self._code, module.__dict__)


class _Selection:
    """Runs some tests in an order, and ends the process when one takes too long."""

    def __init__(self, tests: dict[str, float], note: Path) -> None:
        self._order = {test: n for n, test in enumerate(tests)}
        self._limits = tests
        self._note = note

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._note.write_text(item.nodeid)
        limit(self._limits[item.nodeid])
        try:
            return (yield)
        finally:
            limit(0)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._order]
        items.sort(key=lambda item: self._order[item.nodeid])
