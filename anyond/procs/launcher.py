"""How shims are started, found again, attached to and, when they died, finalized for them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from anyond.model.environment import personal
from anyond.model.errors import Conflict, Invalid, ToolFailed, Unavailable
from anyond.model.launch import Launch
from anyond.model.records import Exit
from anyond.open_files import demand_room, inherited
from anyond.procs import lost_execution
from anyond.procs.address import Address
from anyond.procs.launch_spec import final_environment, find_program
from anyond.procs.orphans import end_orphans
from anyond.procs.shim_connection import ShimConnection
from anyond.procs.shim_state import Lock, last_words, read_run, why_lost
from anyond.procs.spool import Spool

SHIM = str(Path(__file__).with_name("shim.py").absolute())

START = 30.0
"""Seconds that a shim may take to start its program, on a machine that is very busy."""

ANSWER = 30.0
"""Seconds that a live shim may take to accept us and to answer."""


@dataclass(frozen=True)
class Absent:
    """It was never started, and from now on it will not be, unless by `start`."""


@dataclass(frozen=True)
class Alive:
    """Its shim lives."""


@dataclass(frozen=True)
class Ended:
    """It is over, and how is on record."""

    exit: Exit


@dataclass(frozen=True)
class Lost:
    """Its shim died before it could write down how it ended; `reason` is for the person."""

    reason: str


Found = Absent | Alive | Ended | Lost

_left_behind: list[trio.Process] = []
"""Shims that outlived their launcher; kept, so that Python does not complain that they do."""


class Launcher:
    """The only one who starts agents. Use `Launcher.open`.

    Args:
        root: the directory of the spools.
        nursery: reaps the shims, and sends what they are told.
    """

    def __init__(self, root: Path, nursery: trio.Nursery, address: Address) -> None:
        self.root = root
        self._nursery = nursery
        self._address = address
        self._starting: set[str] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, root: Path) -> AsyncIterator[Launcher]:
        """A launcher for the spools in `root`, which is made 0700 if it is not there.

        On leaving, all connections are dropped; the programs go on.
        """
        os.makedirs(root, mode=0o700, exist_ok=True)
        _left_behind[:] = [process for process in _left_behind if process.poll() is None]
        with Address(root) as address:
            async with trio.open_nursery() as nursery:
                yield cls(root, nursery, address)
                nursery.cancel_scope.cancel()

    def spool(self, execution_id: str) -> Spool:
        """The spool of an execution, which need not exist.

        Raises:
            Invalid: that is no id.
        """
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", execution_id):
            raise Invalid("execution", f"{execution_id!r} is not an id.")
        return Spool(self.root / execution_id)

    async def start(self, execution_id: str, launch: Launch, *, limit: int) -> ShimConnection:
        """Start a program under a shim of its own, and connect to it.

        It cannot be cancelled half-way: it either runs and is returned, or does not run.

        Args:
            limit: bytes that the log may have before its middle is left out.

        Raises:
            ProgramMissing: the program is not there.
            ToolFailed: it is there, but cannot be started.
            Conflict: an execution of that id was started before.
            Unavailable: the disk or the system refuses; nearly all descriptors are in use.
        """
        demand_room()
        environment = final_environment(launch)
        spec = {
            "id": execution_id,
            "program": find_program(launch, environment),
            "argv": launch.argv,
            "cwd": launch.cwd,
            "env": environment,
            "stdin": launch.stdin,
            "limit": limit,
            "open_files": inherited(),
            "left_running": launch.left_running,
        }
        path = self.spool(execution_id).path
        self._starting.add(execution_id)
        try:
            with trio.CancelScope(shield=True):
                self._make_spool(execution_id, path, spec)
                pid = await self._start_shim(execution_id, launch, path)
                self._starting.discard(execution_id)  # from now on its lock speaks for it
                running = await self._connect(execution_id, pid)
        except OSError as error:
            raise Unavailable(f"{launch.argv[0]} was not started: {error.strerror}.") from error
        finally:
            self._starting.discard(execution_id)
        return running

    def look(self, execution_id: str) -> Found:
        """What has become of an execution.

        If it was never started (its launcher died too early), its directory is removed, so that
        a shim that is still on its way finds nothing to start.
        """
        spool = self.spool(execution_id)
        if execution_id in self._starting:
            return Alive()
        exit_ = spool.exit()
        if exit_ is not None:
            return Ended(exit_)
        with Lock(spool.path) as lock:
            if not lock.taken():
                return Alive()
            exit_ = spool.exit()  # it may have ended while we looked
            if exit_ is not None:
                return Ended(exit_)
            if (spool.path / "run.json").exists():
                return Lost(why_lost(spool.path))
            shutil.rmtree(spool.path, ignore_errors=True)
            return Absent()

    async def attach(self, execution_id: str) -> ShimConnection:
        """Connect to a live shim. On return all that former connections sent is executed.

        If the shim has ended meanwhile, the first `news` says so.

        Raises:
            Unavailable: it was never started.
            TimedOut: it does not answer.
        """
        running = await self._connect(execution_id, 0)
        try:
            await running.synchronize(ANSWER)
            run = read_run(self.spool(execution_id).path)
            running.pid = run.pid if run is not None else 0
        except BaseException:
            await running.aclose()
            raise
        return running

    async def finalize_lost(self, execution_id: str, reason: str) -> Exit:
        """Kill what a dead shim left behind, mend its spool, and write down that it is over.

        It cannot be cancelled half-way.

        Returns:
            How it ended: with `reason` as the error, unless its end is on record already.

        Raises:
            Conflict: its shim lives.
            Unavailable: the disk does not take the exit.
        """
        return await trio.to_thread.run_sync(
            lost_execution.finalize, execution_id, self.spool(execution_id), reason
        )

    async def end_services(self, execution_id: str) -> None:
        """End what an execution that is over has left running on purpose."""
        await trio.to_thread.run_sync(end_orphans, execution_id, None)

    # ------------------------------------------------------------ starting

    def _make_spool(self, execution_id: str, path: Path, spec: dict[str, Any]) -> None:
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            self._starting.discard(execution_id)
            if not isinstance(self.look(execution_id), Absent):
                raise Conflict(
                    "already_started", f"Execution {execution_id} was started before."
                ) from None
            self._starting.add(execution_id)
            path.mkdir(mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        for name, content in (("lock", ""), ("shim.err", ""), ("spec.json", json.dumps(spec))):
            with os.fdopen(os.open(path / name, flags, 0o600), "w") as file:
                file.write(content)

    async def _start_shim(self, execution_id: str, launch: Launch, path: Path) -> int:
        with (path / "shim.err").open("ab") as complaints:
            process = await trio.lowlevel.open_process(
                [sys.executable, "-I", "-S", SHIM, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                cwd="/",
                env=personal(os.environ),
                start_new_session=True,
            )
        self._nursery.start_soon(_reap, process)
        assert process.stdout is not None
        line = b""
        with trio.move_on_after(START):
            async with process.stdout:
                while not line.endswith(b"\n") and (data := await process.stdout.receive_some()):
                    line += data
        word, _, rest = line.decode().partition(" ")
        if word == "ready":
            return int(rest)
        if word == "failed":
            message = json.loads(rest)
        else:
            process.kill()
            message = f"its shim did not start: {last_words(path) or 'no answer'}"
            await self.finalize_lost(execution_id, message)
        raise ToolFailed(launch.argv[0], f"{launch.argv[0]} was not started: {message}.")

    async def _connect(self, execution_id: str, pid: int) -> ShimConnection:
        """A connection; if the shim has ended meanwhile, one that says so at once."""
        deadline = trio.current_time() + ANSWER
        while True:
            sock = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
            try:
                await sock.connect(self._address.of(execution_id))
                break
            except OSError as error:
                sock.close()
                found = self.look(execution_id)
                if isinstance(found, Absent) or trio.current_time() > deadline:
                    message = f"The shim of execution {execution_id} cannot be reached."
                    raise Unavailable(message) from error
                if not isinstance(found, Alive):
                    sock, other = trio.socket.socketpair()
                    other.close()
                    break
            except BaseException:
                sock.close()
                raise
            await trio.sleep(0.01)  # it has the lock, but has not opened its door yet
        running = ShimConnection(execution_id, pid, trio.SocketStream(sock))
        self._nursery.start_soon(running.send_frames)
        return running


async def _reap(process: trio.Process) -> None:
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            _left_behind.append(process)
