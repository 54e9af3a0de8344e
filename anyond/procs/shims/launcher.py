"""Starting shims, finding them again, attaching to them, and finalizing for dead ones."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import trio
from msgspec import Struct

from anyond.model.errors import Unavailable
from anyond.model.launch import Launch
from anyond.model.records import Exit, LaunchedProcesses
from anyond.model.refusals.requests import Invalid
from anyond.model.refusals.runs import AlreadyStarted
from anyond.open_files import demand_room, inherited
from anyond.procs.address import Address
from anyond.procs.identity import identify
from anyond.procs.launch_spec import final_environment, find_program
from anyond.procs.shims import lost_execution, shim_start
from anyond.procs.shims.scopes import Scopes
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.procs.shims.shim_state import Lock, why_lost, why_unknown, withdraw
from anyond.procs.shims.shim_watch import ShimWatch
from anyond.procs.spools.spool import Spool
from anyond.shim.processes.orphans import end_orphans
from anyond.shim.processes.peers import is_foreign
from anyond.shim.processes.process_table import boot_id
from anyond.shim.protocol import PROTOCOL, refusal
from anyond.shim.spool.files import Spec

ANSWER = 30.0
"""Seconds that a live shim may take to accept us and to answer."""


class Absent(Struct, frozen=True):
    """It was never started, and from now on it will not be, unless by `start`."""


class Alive(Struct, frozen=True):
    """Its shim lives."""


class Ended(Struct, frozen=True):
    """It is over, and how is on record."""

    exit: Exit


class Lost(Struct, frozen=True):
    """Its shim died before it could write down how it ended; `reason` is for the person."""

    reason: str


Found = Absent | Alive | Ended | Lost


class Launcher:
    """The only one who starts agents. Use `Launcher.open`.

    Args:
        root: the directory of the spools.
        nursery: reaps the shims, and sends what they are told.
        watch: reads what they report.
    """

    def __init__(
        self, root: Path, nursery: trio.Nursery, address: Address, watch: ShimWatch
    ) -> None:
        self.root = root
        self._watch = watch
        self._nursery = nursery
        self._address = address
        self._starting: set[str] = set()
        self._real_root = os.path.realpath(root)
        self._scopes = Scopes.of(os.environ)

    @classmethod
    @asynccontextmanager
    async def open(cls, root: Path) -> AsyncIterator[Launcher]:
        """A launcher for the spools in `root`, which is made 0700 if it is not there.

        On leaving, all connections are dropped; the programs go on.
        """
        os.makedirs(root, mode=0o700, exist_ok=True)
        shim_start.forget_ended()
        with Address(root) as address:
            async with ShimWatch.open() as watch, trio.open_nursery() as nursery:
                yield cls(root, nursery, address, watch)
                nursery.cancel_scope.cancel()

    def spool(self, execution_id: str) -> Spool:
        """The spool of an execution, which need not exist.

        Raises:
            Invalid: that is no id.
        """
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", execution_id):
            raise Invalid("execution", f"{execution_id!r} is not an id.")
        return Spool(self.root / execution_id)

    async def start(
        self,
        execution_id: str,
        launch: Launch,
        *,
        limit: int,
        key: str = "",
        record: Callable[[], Awaitable[object]] | None = None,
    ) -> ShimConnection:
        """Start a program under a shim of its own, and connect to it.

        It cannot be cancelled half-way: it either runs and is returned, or does not run.

        Args:
            limit: bytes that the log may have before its middle is left out.
            key: what the shim wants to hear from whoever commands it; empty for nothing.
            record: called when everything is prepared, and nothing can run yet: from here on the
                program may run without our knowing, so it is not to be started again unless `look`
                says so. What it raises ends the start.

        Raises:
            ProgramMissing: the program is not there.
            ToolFailed: it is there, but cannot be started.
            Conflict: an execution of that id was started before.
            Unavailable: the disk or the system refuses; nearly all descriptors are in use.
        """
        demand_room()
        environment = final_environment(launch)
        start = secrets.token_hex(8)
        spec: Spec = {
            "protocol": PROTOCOL,
            "id": execution_id,
            "program": find_program(launch, environment),
            "argv": launch.argv,
            "cwd": launch.cwd,
            "env": environment,
            "stdin": launch.stdin,
            "limit": limit,
            "open_files": inherited(),
            "left_running": launch.left_running,
            "key": key,
            "start": start,
            "boot_id": boot_id(),
        }
        path = self.spool(execution_id).path
        self._starting.add(execution_id)
        try:
            with trio.CancelScope(shield=True):
                self._make_spool(execution_id, path, spec)
                if record is not None:
                    await record()
                pid = await shim_start.start_shim(self._nursery, execution_id, launch, path, start)
                self._starting.discard(execution_id)  # from now on its lock speaks for it
                running = await self._connect(execution_id, pid, key, ANSWER)
            if running.processes is not None:
                self._nursery.start_soon(self._scopes.move, execution_id, running.processes.shim[0])
        except OSError as error:
            raise Unavailable(f"{launch.argv[0]} was not started: {error.strerror}.") from error
        finally:
            self._starting.discard(execution_id)
        return running

    def look(self, execution_id: str, *, recorded: bool = False) -> Found:
        """Return the state of an execution.

        As long as its shim holds the lock it lives, whatever its files say: an agent can write
        them too. If it was never started (its launcher died too early), it is withdrawn, so that
        a shim that is still on its way finds nothing to start.

        Args:
            recorded: whether `start` had it recorded: it may have run although no file says so.
        """
        spool = self.spool(execution_id)
        if execution_id in self._starting:
            return Alive()
        with Lock(spool.path) as lock:
            if not lock.taken():
                return Alive()
            with suppress(OSError):  # who reads copes with all of it; who writes tries again
                spool.make_way()
            exit_ = spool.exit()
            if exit_ is not None:
                return Ended(exit_)
            if (spool.path / "run.json").exists():
                return Lost(why_lost(spool.path))
            why = why_unknown(spool.path) if recorded else None
            if why is not None:
                return Lost(why)
            withdraw(spool.path)
            return Absent()

    def is_alive(self, execution_id: str) -> bool:
        """Return whether its shim holds its lock; unlike `look`, change nothing if it does not."""
        with Lock(self.spool(execution_id).path) as lock:
            return execution_id in self._starting or not lock.taken()

    async def attach(
        self, execution_id: str, key: str = "", *, timeout: float = ANSWER
    ) -> ShimConnection:
        """Connect to a live shim. On return all that former connections sent is executed.

        If the shim has ended meanwhile, the first `news` says so.

        Args:
            key: what `start` was given; empty also for a shim that is older than keys.
            timeout: seconds; it may be infinite.

        Raises:
            Unavailable: it was never started, or it takes no orders from us, or it speaks another
                protocol; then the program goes on.
            TimedOut: it does not answer.
        """
        running = await self._connect(execution_id, 0, key, timeout)
        try:
            understood = await running.synchronize(timeout)
            other = refusal(running.protocol)
            if other is not None:
                raise Unavailable(
                    f"The shim of execution {execution_id} was started by another version of Anyon:"
                    f" {other}. The program goes on, and so does its log; a version that speaks"
                    " its protocol can follow it again."
                )
            if not understood and running.refused:
                raise Unavailable(
                    f"The shim of execution {execution_id} takes no orders from this daemon."
                    " Was the daemon started by an agent?"
                )
        except BaseException:  # cancelled too: its connection must not stay
            await running.aclose()
            raise
        return running

    async def finalize_lost(
        self,
        execution_id: str,
        reason: str,
        processes: LaunchedProcesses | None = None,
        *,
        force: bool = False,
    ) -> Exit:
        """Kill what a dead shim left behind, repair its spool, and write down that it is over.

        It cannot be cancelled half-way. It can also be used after an exit that may not be the
        shim's own word.

        Args:
            processes: what is on record of them (see `ShimConnection.processes`).
            force: the shim may live; then it is killed too, after all that descends from it.

        Returns:
            How it ended: with `reason` as the error, unless its end is on record already.

        Raises:
            Conflict: its shim lives.
            Unavailable: the disk does not take the exit.
        """
        return await trio.to_thread.run_sync(
            partial(
                lost_execution.finalize,
                execution_id,
                self.spool(execution_id),
                reason,
                processes,
                force=force,
            )
        )

    async def end_services(self, execution_id: str) -> None:
        """End what an execution that is over has left running on purpose."""
        await trio.to_thread.run_sync(end_orphans, execution_id, None)

    # ------------------------------------------------------------ starting

    def _make_spool(self, execution_id: str, path: Path, spec: Spec) -> None:
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            self._starting.discard(execution_id)
            if not isinstance(self.look(execution_id), Absent):
                raise AlreadyStarted(execution_id) from None
            self._starting.add(execution_id)
            shutil.rmtree(path)
            path.mkdir(mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        for name, content in (("lock", ""), ("shim.err", ""), ("spec.json", json.dumps(spec))):
            with os.fdopen(os.open(path / name, flags, 0o600), "w") as file:
                file.write(content)

    async def _connect(
        self, execution_id: str, pid: int, key: str, timeout: float
    ) -> ShimConnection:
        """A connection; if the shim has ended meanwhile, one that says so at once."""
        deadline = trio.current_time() + timeout
        pause = 0.01
        processes = None
        while True:
            sock = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
            try:
                await sock.connect(self._address.of(execution_id))
                if not await trio.to_thread.run_sync(is_foreign, sock, self._real_root):
                    processes = await trio.to_thread.run_sync(identify, sock, execution_id)
                    break
                why = OSError(0, "somebody else answers in its place")
            except OSError as error:
                why = error
            except BaseException:
                sock.close()
                raise
            sock.close()
            found = self.look(execution_id)
            if isinstance(found, Absent) or trio.current_time() > deadline:
                message = f"The shim of execution {execution_id} cannot be reached: {why.strerror}."
                raise Unavailable(message) from why
            if not isinstance(found, Alive):
                sock, other = trio.socket.socketpair()
                other.close()
                break
            await trio.sleep(pause)  # it has the lock, but has not opened its door yet
            pause = min(pause * 1.5, 1.0)
        if processes is not None and processes.program is not None:
            pid = processes.program[0]
        running = ShimConnection(execution_id, pid, trio.SocketStream(sock), self._watch, key)
        running.processes = processes
        self._nursery.start_soon(running.send_frames)
        return running
