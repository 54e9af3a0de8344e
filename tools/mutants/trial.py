"""Trials: pytest in a process forked from one that has imported everything but Anyon.

Nothing is written into the sources: a forked process compiles the one module from the changed tree
when it is imported. So a trial costs no start of an interpreter, and a checkout is never left with
a fault in it. What a trial starts ends with it, also when it hangs.
"""

from __future__ import annotations

import ast
import ctypes
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
import pytest

if TYPE_CHECKING:
    from _typeshed import TraceFunction

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
LONGEST_TRIAL_S = 300.0
_OPTIONS = ("-x", "-p", "no:cacheprovider", "--hypothesis-seed=0")


class Result(Enum):
    """The result of the tests of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    NOT_REACHED = "not reached"


class Reach(NamedTuple):
    """The tests, and the lines of the modules that each executes.

    Attributes:
        seconds: how long each takes, by node id.
        lines: the tests that execute a line, by path and line.
        imported: the lines that are executed when a module is imported.
    """

    seconds: dict[str, float]
    lines: dict[tuple[str, int], set[str]]
    imported: set[tuple[str, int]]

    def tests(self, path: str, lines: tuple[int, int]) -> list[str]:
        """The tests that execute any of these lines, the fastest first."""
        places = [(path, line) for line in range(lines[0], lines[1] + 1)]
        if any(place in self.imported for place in places):
            found = set(self.seconds)
        else:
            found = set().union(*(self.lines.get(place, set()) for place in places))
        return sorted(found, key=lambda test: (self.seconds[test], test))


def prepare() -> None:
    """Import what all trials need, and become the parent of all that they leave behind."""
    import hypothesis  # noqa: F401
    import pygit2  # noqa: F401
    import pytest_trio.plugin  # type: ignore[import-untyped]  # noqa: F401
    import schemathesis.pytest.plugin
    import trio  # noqa: F401

    assert schemathesis
    assert not any(name.split(".")[0] == "anyond" for name in sys.modules)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    gc.collect()
    gc.freeze()  # or each trial looks through all of it, and copies its memory


def measure(paths: Sequence[str], modules: Sequence[Path], timeout_s: float) -> Reach:
    """Run all tests below `paths` on the sources as they are.

    Raises:
        RuntimeError: one of them fails, or they take longer than `timeout_s`.
    """
    with tempfile.TemporaryDirectory(prefix="anyon-mutants-") as directory:
        report = Path(directory, "reach.json")

        def run(arguments: Sequence[str]) -> int:
            tracer = _Tracer({str(module.resolve()) for module in modules})
            code = int(pytest.main([*arguments, *paths], plugins=[tracer]))
            report.write_text(json.dumps([tracer.seconds, [*tracer.hits]]))
            return code

        code, output = _forked(run, timeout_s)
        if code != 0:
            raise RuntimeError(f"The tests fail without a fault ({code}):\n{output[-3000:]}")
        seconds, hits = json.loads(report.read_text())
    lines: dict[tuple[str, int], set[str]] = {}
    imported = set()
    for path, line, test in hits:
        if test:
            lines.setdefault((path, line), set()).add(test)
        else:
            imported.add((path, line))
    return Reach(seconds, lines, imported)


def attempt(module: str, path: Path, tree: ast.Module, tests: dict[str, float]) -> Result:
    """Run tests on a module with a fault in it, until one fails.

    Args:
        module: its name, for imports.
        tests: node ids in the order in which they are run, with the seconds that each may take.

    Raises:
        RuntimeError: pytest did not run them.
    """
    if not tests:
        return Result.NOT_REACHED

    def run(arguments: Sequence[str]) -> int:
        code = compile(tree, str(path), "exec")
        sys.meta_path.insert(0, _Finder(module, str(path), code))
        files = dict.fromkeys(test.split("::")[0] for test in tests)
        return int(pytest.main([*arguments, *files], plugins=[_Selection(tests)]))

    code, output = _forked(run, LONGEST_TRIAL_S)
    if code is None or code == -signal.SIGALRM:
        return Result.TIMED_OUT
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        # An error in a conftest is one of usage, for pytest.
        if "ImportError while loading conftest" in output or "Traceback" in output:
            return Result.KILLED
        raise RuntimeError(f"pytest ran nothing:\n{output[-3000:]}")
    return Result.SURVIVED if code == 0 else Result.KILLED


def _forked(run: Callable[[Sequence[str]], int], timeout_s: float) -> tuple[int | None, str]:
    """Its exit code (None: it took too long) and what it printed."""
    with _directory() as directory:
        output = directory / "output"
        pid = os.fork()
        if pid == 0:
            _become_trial(run, directory, output)
        deadline = time.monotonic() + timeout_s
        code: int | None = None
        while time.monotonic() < deadline:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                break
            time.sleep(0.02)
        _end_descendants()
        return code, output.read_text(errors="replace") if output.exists() else ""


@contextmanager
def _directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="anyon-mutants-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _become_trial(run: Callable[[Sequence[str]], int], directory: Path, output: Path) -> None:
    code = 1
    try:
        os.setsid()
        if sys.platform == "linux":  # it ends with whoever waits for it
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for standard in (1, 2):
            os.dup2(descriptor, standard)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        from hypothesis import configuration

        # What fails on a mutant is no example for the real code.
        configuration.set_hypothesis_home_dir(directory / "hypothesis")
        code = run([*_OPTIONS, f"--basetemp={directory / 'tests'}"])
        sys.stdout.flush()
    finally:
        os._exit(code)


def _end_descendants() -> None:
    """Kill and reap all that a trial has left, however deep."""
    while left := psutil.Process().children(recursive=True):
        for process in left:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                time.sleep(0.01)
                break


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

    def __init__(self, tests: dict[str, float]) -> None:
        self._order = {test: n for n, test in enumerate(tests)}
        self._limits = tests

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, self._limits[item.nodeid])
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._order]
        items.sort(key=lambda item: self._order[item.nodeid])


class _Tracer:
    """Notes which test executes which lines, also in other threads."""

    def __init__(self, files: set[str]) -> None:
        self.seconds: dict[str, float] = {}
        self.hits: set[tuple[str, int, str]] = set()
        self._files = files
        self._test = ""
        threading.settrace(self._enter)
        sys.settrace(self._enter)

    def _enter(self, frame: types.FrameType, event: str, argument: Any) -> TraceFunction | None:
        if frame.f_code.co_filename not in self._files:
            return None
        return self._step(frame, event, argument)

    def _step(self, frame: types.FrameType, event: str, argument: Any) -> TraceFunction | None:
        self.hits.add((frame.f_code.co_filename, frame.f_lineno, self._test))
        return self._step

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._test, began = item.nodeid, time.monotonic()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.monotonic() - began
            self._test = ""
