"""One daemon at work on a disk that remembers, and then many power losses in that time."""

from __future__ import annotations

import ctypes
import marshal
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

import trio

from campaigns.power.check import Check
from campaigns.power.disk import Change, Left, remaining
from campaigns.power.work import Fact, Work
from tests.support.daemon import Daemon
from tests.support.paths import ROOT

NEW_BOOT = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
"""For a daemon in a mount namespace of its own: the machine was started anew."""


def why_not() -> str | None:
    """Return what a trial needs that is not here, or None."""
    if sys.platform != "linux" or os.getuid() != 0 or not os.path.exists("/dev/fuse"):
        return "it needs Linux, /dev/fuse, and to be root"
    # In a directory that somebody has called the root (chroot), no namespace of mounts can be made.
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        return "no namespace of mounts can be made here"
    return None


class Trial:
    """Records once, then cuts.

    Attributes:
        changes: what came to the disk.
        facts: what clients were told.
        wrong: what must not have happened, a line each.
    """

    def __init__(self, root: Path, dice: Random, seconds: float, clients: int) -> None:
        self.wrong: list[str] = []
        self.compared = 0
        self.facts_of_kind: Counter[str] = Counter()
        self._root = root
        self._disk = root / "disk"
        self._dice = dice
        self._seconds = seconds
        self._clients = clients
        self.facts: list[Fact] = []
        self.changes: list[Change] = []
        self._began = 0.0
        self._ended = 0.0

    def record(self) -> None:
        """Let clients work for a while."""
        self._disk.mkdir()
        disk = subprocess.Popen(
            # Without the whole path: the daemon's sweep kills whoever has that among its words.
            [sys.executable, "-m", "campaigns.power.fuse", self._disk.name, "journal"],
            cwd=self._root,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert disk.stdin is not None
        assert disk.stdout is not None
        try:
            assert disk.stdout.readline() == "mounted\n", "there is no disk"
            trio.run(self._work, disk)
        finally:
            unmount(self._disk)
            disk.stdin.close()
            disk.wait(60)
        with (self._root / "journal").open("rb") as journal:
            try:
                while True:
                    self.changes.append(Change(*marshal.load(journal)))
            except EOFError:
                pass

    async def _work(self, disk: subprocess.Popen[str]) -> None:
        daemon = Daemon(self._disk)
        self._daemon = daemon
        await daemon.start()
        try:
            work = Work(daemon, self._root / "ledger", self._dice)
            await work.prepare()
            assert disk.stdin is not None
            assert disk.stdout is not None
            disk.stdin.write("all\n")
            disk.stdin.flush()
            disk.stdout.readline()
            self._began = time.monotonic()
            await work.go_on(self._seconds, self._clients)
            self._ended = time.monotonic()
            self.facts = work.facts
        finally:
            await daemon.kill()
            daemon.sweep()

    def cut(self, number: int) -> None:
        """Let the power go at some moment, and see what comes of it."""
        at = self._dice.uniform(self._began, self._ended)
        if number % 2:  # just after somebody was told something
            at = self._dice.choice(self.facts).at
        self.cut_at(at, worst=number % 3 == 0)

    def cut_at(self, at: float, *, worst: bool) -> None:
        """Let the power go at the moment `at`.

        Args:
            worst: nothing that was not synced is there.
        """
        left = remaining(self.changes, at, Random(self._dice.random()), worst=worst)
        before = Left()
        for change in self.changes:
            if change.at <= at:
                before.apply(change)
        facts = [fact for fact in self.facts if fact.at <= at]
        self.facts_of_kind.update(fact.kind for fact in facts)
        lines = [line.split() for line in (self._root / "ledger").read_text().splitlines()]
        started = {execution for moment, execution in lines if float(moment) <= at}
        shutil.rmtree(self._disk)
        self._disk.mkdir()
        left.write_out(self._disk)
        check = Check(self._daemon, facts, _logs_before(before), started)
        ledger = self._root / "ledger"
        recorded = ledger.with_name("ledger.recorded")
        ledger.rename(recorded)
        ledger.touch()
        try:
            trio.run(self._look, check, ledger)
        except Exception as error:
            check.wrong.append(f"the daemon: {error!r}"[:3000])
        finally:
            recorded.replace(ledger)
        self.compared += check.compared
        self.wrong += [f"cut after {at - self._began:.3f} s: {line}" for line in check.wrong]

    async def _look(self, check: Check, ledger: Path) -> None:
        boot = self._root / "boot_id"
        boot.write_text("11111111-2222-3333-4444-555555555555\n")
        through = ("unshare", "-m", "sh", "-c", NEW_BOOT, str(boot))
        try:
            with trio.fail_after(180):
                await self._daemon.start(through=through)
                await check.check_all(ledger)
        finally:
            with trio.CancelScope(shield=True):
                await self._daemon.kill()
                self._daemon.sweep()


def _logs_before(disk: Left) -> dict[str, bytes]:
    spools = disk.find("data/executions")
    found = {}
    for name in spools.entries if spools else ():
        log = disk.find(f"data/executions/{os.fsdecode(name)}/log")
        found[os.fsdecode(name)] = bytes(log.data) if log else b""
    return found


def unmount(directory: Path) -> None:
    """Unmount what is mounted there, also if somebody is still in it."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.umount2(os.fsencode(directory), 2)
