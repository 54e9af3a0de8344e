"""A scope of systemd for each shim, where a user manager has started the daemon.

Under `KillMode=process` a stop of the daemon's unit leaves shims and agents alone as it is. A scope
of their own keeps them out of the unit's control group as well: what counts memory or kills whole
groups (systemd-oomd) then has one agent in sight, and `systemctl status` shows the daemon only.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import structlog
import trio

from anyond.model.errors import AnyondError
from anyond.procs.capture import capture

log = structlog.get_logger()

_ANSWER_S = 10.0
_MOST_BYTES = 16 * 1024
_ROUNDS = 5
_CALL = (
    "--user",
    "call",
    "org.freedesktop.systemd1",
    "/org/freedesktop/systemd1",
    "org.freedesktop.systemd1.Manager",
)


class Scopes:
    """Moves shims, with all that descends from them, into scopes.

    Args:
        program: the path of busctl; None where there is no manager to be asked, then nothing is
            done.
        environment: by which busctl finds the manager.
    """

    def __init__(self, program: str | None, environment: Mapping[str, str]) -> None:
        self._program = program
        self._environment = environment

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Scopes:
        """Those of the manager that has started this process, if a user manager has."""
        program = None
        group = _group(os.getpid())
        if environ.get("INVOCATION_ID") and group is not None and group.endswith(".service"):
            program = shutil.which("busctl")
        names = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "PATH")
        return cls(program, {name: environ[name] for name in names if name in environ})

    async def move(self, execution_id: str, shim: int) -> None:
        """Move a shim and its descendants; what cannot be moved stays, and works as well.

        After a refusal the manager is asked no more.
        """
        if self._program is None:
            return
        former = _group(shim)
        pids = await trio.to_thread.run_sync(_tree, shim)
        if former is None or not pids or not former.endswith(".service"):
            return  # it has ended, or is elsewhere already
        unit = f"anyon-{execution_id}.scope"
        done = await self._call(
            *("StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", "3"),
            *("Description", "s", f"Execution {execution_id} of Anyon"),
            *("Delegate", "b", "true"),
            *("PIDs", "au", str(len(pids)), *map(str, pids), "0"),
        )
        # What was started while the list was made is in the former group still.
        for _ in range(_ROUNDS):
            left = await trio.to_thread.run_sync(_left, shim, former)
            if not done or not left:
                return
            done = await self._call(
                *("AttachProcessesToUnit", "ssau", unit, "", str(len(left)), *map(str, left))
            )

    async def _call(self, *words: str) -> bool:
        if self._program is None:
            return False
        command = (self._program, *_CALL, *words)
        try:
            answer = await capture(command, self._environment, seconds=_ANSWER_S, most=_MOST_BYTES)
        except AnyondError as error:
            self._give_up(str(error))
            return False
        if answer.code != 0:
            # One that has just ended is no reason; the next one tells whether there is another.
            if "No such process" not in answer.text and "ESRCH" not in answer.text:
                self._give_up(answer.text.strip())
            return False
        return True

    def _give_up(self, reason: str) -> None:
        self._program = None
        log.info("no_scopes", why=reason[:500])


def _tree(pid: int) -> list[int]:
    import psutil  # needed here only, and not at the start of a daemon

    try:
        process = psutil.Process(pid)
        return [pid, *(child.pid for child in process.children(recursive=True))]
    except psutil.Error:
        return []


def _left(shim: int, former: str) -> list[int]:
    return [pid for pid in _tree(shim) if _group(pid) == former]


def _group(pid: int) -> str | None:
    """The control group of a process; None where there are none, or it has ended."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.rpartition(":")[2] for line in reversed(lines)), None)
