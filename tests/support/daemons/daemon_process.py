"""How the tests start a daemon or a command: forked from a template, or the program itself.

Daemons are forked while `allow` allows it: benchmarks and campaigns use the same helpers, and a
test that is about the start of a daemon wants the real one (the marker `cold_start`).
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

import trio

from tests.support.daemons import measured
from tests.support.paths import ROOT

READ_AT_THE_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_", "SSL_", "OPENSSL_")
"""How the names of variables begin that an interpreter or its libraries read as they start."""


class DaemonProcess(Protocol):
    """What both are: the part of `trio.Process` that tests use."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    async def wait(self) -> int: ...

    def send_signal(self, sig: signal.Signals) -> None: ...

    def kill(self) -> None: ...


class ForkedDaemon:
    """A daemon that the template has forked.

    Args:
        channel: where its pid came from, and its exit code will.
    """

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self._channel = channel
        self._channel.setblocking(False)
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code (negative: a signal); None while it runs."""
        if self._code is None:
            with suppress(BlockingIOError):
                line = self._channel.recv(16)
                assert line, "the template of the daemons has ended"
                self._code = int(line)
                self._channel.close()
        return self._code

    async def wait(self) -> int:
        while (code := self.poll()) is None:
            await trio.lowlevel.wait_readable(self._channel)
        return code

    def wait_blocking(self) -> int:
        self._channel.setblocking(True)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, sig: signal.Signals) -> None:
        """Nothing happens once the end is known, as in `subprocess`."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Template:
    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.support.daemons.daemon_template",
                    str(theirs.fileno()),
                ],
                # No locale and no home, as the daemons of tests.
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": str(ROOT),
                    **measured.variables(),
                },
                cwd="/",
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self._socket.close)

    def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        cwd: Path,
        out: IO[Any],
        err: IO[Any],
    ) -> ForkedDaemon:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {"arguments": arguments, "environment": dict(environment), "cwd": str(cwd)}
        fds = [out.fileno(), err.fileno(), theirs.fileno()]
        with theirs:
            socket.send_fds(self._socket, [json.dumps(request).encode()], fds)
        return ForkedDaemon(int(ours.recv(16)), ours)


_templates: list[_Template] = []
_allowed = False


def allow(allowed: bool) -> None:
    """Whether daemons are forked from now on, where that can be."""
    global _allowed  # noqa: PLW0603  # one run of tests, one answer at a time
    _allowed = allowed and sys.platform == "linux"


def is_allowed() -> bool:
    """Whether daemons may begin where a start has already been."""
    return _allowed


def _template_for(environment: Mapping[str, str]) -> _Template | None:
    own = {
        name for name, value in environment.items() if (name, value) != ("PYTHONPATH", str(ROOT))
    }
    if not _allowed or any(name.startswith(READ_AT_THE_START) for name in own):
        return None
    if not _templates:
        _templates.append(_Template())
    return _templates[0]


async def start_daemon(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    cwd: Path,
    log: IO[bytes],
    through: Sequence[str] = (),
    pass_fds: Sequence[int] = (),
) -> DaemonProcess:
    """`anyond` with these arguments, its output in `log`.

    Args:
        through: a program with arguments that becomes the daemon's command line by exec.
        pass_fds: descriptors that it inherits.
    """
    template = None if through or pass_fds else _template_for(environment)
    if template is not None:
        return template.start(arguments, environment, cwd, log, log)
    return await trio.lowlevel.open_process(
        [*through, sys.executable, "-m", "anyond", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=cwd,
        pass_fds=pass_fds,
    )


def run_anyon(
    *arguments: str, environment: Mapping[str, str], cwd: Path
) -> subprocess.CompletedProcess[str]:
    """`anyon` with these arguments, and all it says; blocks until it ends."""
    template = _template_for(environment)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        if template is None:
            command = [sys.executable, "-m", "anyond", *arguments]
            code = subprocess.run(
                command, env=environment, cwd=cwd, stdout=out, stderr=err, check=False
            ).returncode
        else:
            code = template.start(arguments, environment, cwd, out, err).wait_blocking()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())
