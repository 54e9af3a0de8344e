"""Groups: which modules are mutated together, and which tests ought to notice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Group(NamedTuple):
    """Modules of one subject.

    Attributes:
        name: for `--only`.
        modules: files, or folders (all modules right in them).
        tests: what pytest is given; the narrowest that ought to notice every fault.
        sample: how many mutants are tried unless `--sample` says otherwise; None is all of them.
        without: modules in these folders that only declare or describe.
    """

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    sample: int | None = None
    without: tuple[str, ...] = ()

    def files(self) -> Iterator[Path]:
        """All its modules, sorted."""
        for named in self.modules:
            path = Path(named)
            for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
                if file.name != "__init__.py" and str(file) not in self.without:
                    yield file


GROUPS = (
    Group(
        "machines",
        ("anyond/machines",),
        ("tests/machines",),
        sample=200,
        # The page of the tables is compared by `make check`.
        without=("anyond/machines/document.py",),
    ),
    Group("store", ("anyond/store/engine",), ("tests/store/engine",), sample=40),
    Group("inbox", ("anyond/actors/core.py",), ("tests/actors/test_core.py",), sample=30),
    Group(
        "actors",
        (
            "anyond/actors/attempt.py",
            "anyond/actors/attempts.py",
            "anyond/actors/execution",
        ),
        ("tests/actors",),
        sample=60,
    ),
    Group(
        "merging",
        (
            "anyond/git/merging",
            "anyond/operations/branch/merging.py",
            "anyond/operations/branch/rebasing.py",
        ),
        (
            "tests/git/merging",
            "tests/operations/branch",
        ),
        sample=60,
    ),
    Group(
        "recovery",
        ("anyond/operations/run", "anyond/actors/owner_check.py"),
        (
            "tests/actors",
            "tests/operations/run",
            "tests/operations/turn/test_notifications.py",
            "tests/operations/workspace/test_copied_data.py",
        ),
        sample=60,
    ),
)
