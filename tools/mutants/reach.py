"""Reach: which test executes which lines, so that a mutant is tried with few of them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import coverage
import pytest

from tools.mutants.forks import run_forked
from tools.mutants.progress import digest

OPTIONS = ("-p", "no:cacheprovider", "--hypothesis-seed=0")
MEASURE_TIMEOUT_S = 1200.0


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

    def tests(self, path: str, lines: Iterable[int]) -> set[str]:
        """The tests that execute any of these lines."""
        return set().union(*(self.lines.get((path, line), set()) for line in lines))

    def is_imported(self, path: str, lines: Iterable[int]) -> bool:
        """Return whether any of these lines is executed when its module is imported."""
        return any((path, line) in self.imported for line in lines)


def measure(tests: Sequence[str], modules: Sequence[Path], remembered: Path) -> Reach:
    """Run all tests once on the sources as they are, but for those whose reach is remembered.

    Args:
        tests: files and folders.
        remembered: where the reach is written, a file of tests each.

    Raises:
        RuntimeError: they cannot be collected, or take too long.
    """
    # What a test reaches is taken to depend on its file, and on the lines that are asked about.
    files = sorted({file for path in tests for file in _test_files(Path(path))})
    sources = digest(*modules)
    known = {file: remembered / f"{digest(file)}-{sources}.json" for file in files}
    missing = [file for file, record in known.items() if not record.exists()]
    if missing:
        remembered.mkdir(parents=True, exist_ok=True)
        found = _run(missing, modules)
        for file in missing:
            known[file].write_text(json.dumps(found[str(file)]))
    reach = Reach({}, {}, set())
    for record in known.values():
        failed, seconds, hits = json.loads(record.read_text())
        if failed:  # it cannot notice anything, and is run again the next time
            print(f"left out, since they fail without a fault: {failed}", file=sys.stderr)
            record.unlink()
        reach.seconds.update(seconds)
        for path, line, test in hits:
            if test:
                reach.lines.setdefault((path, line), set()).add(test)
            else:
                reach.imported.add((path, line))
    return reach


def _test_files(path: Path) -> Iterator[Path]:
    yield from path.rglob("test_*.py") if path.is_dir() else [path]


Record = tuple[list[str], dict[str, float], list[tuple[str, int, str]]]
"""Tests that have failed, and the seconds and the lines of those that have not."""


def _run(files: Sequence[Path], modules: Sequence[Path]) -> dict[str, Record]:
    def run(directory: Path) -> int:
        observer = _Observer(modules)
        options = [*OPTIONS, f"--basetemp={directory / 'tests'}"]
        code = int(pytest.main([*options, *map(str, files)], plugins=[observer]))
        observer.stop()
        reached = {str(file): observer.record(str(file)) for file in files}
        (directory / "note").write_text(json.dumps(reached))
        return code

    code, output, note = run_forked(run, MEASURE_TIMEOUT_S)
    known = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
    if code not in known:
        raise RuntimeError(f"The tests do not run without a fault ({code}):\n{output[-3000:]}")
    found: dict[str, Record] = json.loads(note)
    return found


class _Observer:
    """Notes which test executes which lines, also in other threads."""

    def __init__(self, modules: Sequence[Path]) -> None:
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()
        self._files = [str(module.resolve()) for module in modules]
        self._lines = coverage.Coverage(data_file=None, config_file=False, include=self._files)
        self._lines.start()

    def stop(self) -> None:
        """There are no more tests."""
        self._lines.stop()
        data = self._lines.get_data()
        self._hits = [
            (path, line, test)
            for path in self._files
            for line, tests in data.contexts_by_lineno(path).items()
            for test in tests
        ]

    def record(self, file: str) -> Record:
        """The results of the tests of one file, and the lines of imports."""
        failed = sorted(test for test in self._failed if test.split("::")[0] == file)
        passed = {
            test: seconds
            for test, seconds in self._seconds.items()
            if test.split("::")[0] == file and test not in self._failed
        }
        return failed, passed, [hit for hit in self._hits if hit[2] in passed or not hit[2]]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._lines.switch_context(item.nodeid)
        began = time.monotonic()
        try:
            return (yield)
        finally:
            self._seconds[item.nodeid] = time.monotonic() - began
            self._lines.switch_context("")
