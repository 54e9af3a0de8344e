"""A process that has imported Anyon and collected tests, and forks one for each trial."""

from __future__ import annotations

import gc
import json
import marshal
import os
import socket
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import CodeType, FunctionType, TracebackType
from typing import Self

import pytest

from tools.mutants.forks import adopt_orphans, become, run_forked
from tools.mutants.patches import Key, living_functions, patch
from tools.mutants.progress import Result
from tools.mutants.reach import OPTIONS
from tools.mutants.trial import (
    LONGEST_TRIAL_S,
    Trial,
    forget_examples,
    limit,
    result_of,
)

_NOT_PATCHED = 93


class Warm:
    """The other end of it, in the process that chooses the mutants.

    Args:
        tests: files and folders of tests.
        modules: whose functions can be exchanged.

    Attributes:
        pid: of the process.

    Raises:
        RuntimeError: the tests cannot be collected.
    """

    def __init__(self, tests: Sequence[str], modules: Sequence[Path]) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="anyon-mutants-")
        output = Path(self._directory.name, "output")
        self._socket, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            self._socket.close()
            server = _Server(theirs, {str(module.resolve()) for module in modules})
            arguments = [*OPTIONS, "-s", *tests]
            become(lambda: int(pytest.main(arguments, plugins=[server])), output)
        theirs.close()
        self._answers = self._socket.makefile("rb")
        if not self._answers.readline():
            raise RuntimeError(f"The tests cannot be collected:\n{output.read_text()[-3000:]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._answers.close()
        self._socket.close()
        os.waitpid(self.pid, 0)
        self._directory.cleanup()

    def attempt(self, codes: Sequence[CodeType], tests: dict[str, float]) -> Trial | None:
        """Exchange functions, and run tests until one fails.

        Args:
            tests: node ids in the order in which they are run, with the seconds that each may take.

        Returns:
            None if a function cannot be exchanged.
        """
        request = [marshal.dumps(code).hex() for code in codes], tests
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        line = self._answers.readline()
        if not line:
            raise RuntimeError("The process that has collected the tests has ended.")
        code, test = json.loads(line)
        if code == _NOT_PATCHED:
            return None
        return Trial(Result(code), test)


class _Server:
    """A plugin of pytest that forks, instead of running what was collected."""

    def __init__(self, requests: socket.socket, paths: set[str]) -> None:
        self._requests = requests
        self._paths = paths

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("not all could be collected")
        adopt_orphans()
        items = {item.nodeid: item for item in session.items}
        living = living_functions(self._paths)
        gc.collect()
        gc.freeze()
        with self._requests.makefile("rwb") as stream:
            stream.write(b"ready\n")
            stream.flush()
            for line in stream:
                codes, tests = json.loads(line)
                functions = [marshal.loads(bytes.fromhex(code)) for code in codes]
                answer = _try(session, items, functions, living, tests)
                stream.write(json.dumps(answer).encode() + b"\n")
                stream.flush()
        return True


def _try(
    session: pytest.Session,
    items: dict[str, pytest.Item],
    functions: list[CodeType],
    living: dict[Key, list[FunctionType]],
    tests: dict[str, float],
) -> tuple[str | int, str]:
    def run(directory: Path) -> int:
        # Before the first test asks where its files go.
        os.environ["TMPDIR"] = tempfile.tempdir = str(directory)
        forget_examples(directory)
        if not patch(functions, living):
            return _NOT_PATCHED
        chosen = [items[test] for test in tests]
        for item, following in pairwise([*chosen, None]):
            assert item is not None
            (directory / "note").write_text(item.nodeid)
            limit(tests[item.nodeid])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            limit(0)
            if session.testsfailed:
                return 1
        return 0

    code, _, note = run_forked(run, LONGEST_TRIAL_S)
    return (code, "") if code == _NOT_PATCHED else (result_of(code).value, note)
