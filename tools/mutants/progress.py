"""Progress: the results so far, so that a check goes on where it was interrupted."""

from __future__ import annotations

import json
from enum import Enum
from hashlib import sha256
from pathlib import Path


class Result(Enum):
    """The result of the tests of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    NOT_REACHED = "not reached"


_ALIVE = (Result.SURVIVED, Result.NOT_REACHED)


class Progress:
    """A file of results, a line each.

    A mutant stays killed while its module is as it was; that one survived counts only while the
    tests are as they were, too.

    Args:
        file: is made if it is not there.
        tests: a digest of the tests.
    """

    def __init__(self, file: Path, tests: str) -> None:
        self._file = file
        self._tests = tests
        self._results: dict[tuple[str, str], tuple[Result, str]] = {}
        if file.exists():
            for line in file.read_text().splitlines():
                name, module, result, of_tests = json.loads(line)
                self._results[name, module] = (Result(result), of_tests)

    def result(self, name: str, module: str) -> Result | None:
        """The knowledge about a mutant; `module` is the digest of its source."""
        result, tests = self._results.get((name, module), (None, ""))
        if result in _ALIVE and tests != self._tests:
            return None
        return result

    def add(self, name: str, module: str, result: Result) -> None:
        """Write a result down."""
        self._results[name, module] = (result, self._tests)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as out:
            out.write(json.dumps([name, module, result.value, self._tests]) + "\n")


def digest(*paths: Path) -> str:
    """Of the contents of files, and of all Python files in directories."""
    found = sha256()
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            found.update(file.read_bytes())
    return found.hexdigest()
