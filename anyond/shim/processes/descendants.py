"""Descendants of the shim, and ending all of them.

Part of the shim: the standard library only.
"""

from __future__ import annotations

import os
import signal
import time

from anyond.shim.processes.process_table import LINUX, descendants, processes

SWEEP = 0.005  # seconds between two scans for what is to be killed
GIVE_UP = 10.0  # seconds after which what cannot be killed is left alone


class Descendants:
    """The program, its children, and theirs; on Linux the double-forked ones too (subreaper).

    Args:
        pid: the program; 0 if there is none.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self.groups: set[int] = {pid} if pid else set()
        self.removed: set[int] = set()
        self.immune: set[int] = set()
        self.next_scan: float | None = None
        self.give_up_at = 0.0
        self.clean_scans = 0

    def reap(self) -> bool:
        """Take the status of all that have ended; whether any child is left."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return True
                if pid == self.pid:
                    self.status = status
        except ChildProcessError:
            return False

    def remaining(self) -> set[int]:
        """Whoever is alive, except those whom we may not kill."""
        if self.certainly_gone():
            return set()
        table = processes()
        found = descendants(table, {os.getpid()})
        if not LINUX:  # no subreaper: orphans are known by the groups that were seen before
            found |= {pid for pid, _, group, *_ in table if group in self.groups}
            self.groups |= {group for pid, _, group, *_ in table if pid in found}
        return found - self.immune

    def orphans(self) -> set[int]:
        """Those who have lost their parents, and who is below them; only where they come to us."""
        if not LINUX or self.certainly_gone():
            return set()
        table = processes()
        program = descendants(table, {self.pid}) | {self.pid}
        return descendants(table, {os.getpid()}) - program

    def certainly_gone(self) -> bool:
        """Return whether nobody is left: where all orphans come to us, no children means nobody;
        elsewhere one has to look.
        """
        return not self.reap() and LINUX

    def signal(self, number: int) -> None:
        """Send a signal to the program's group."""
        if self.status is None and number in signal.valid_signals():
            try:
                os.killpg(self.pid, number)
            except OSError:
                return  # it has just ended, or runs as somebody else by now

    def send(self, pids: set[int], number: int) -> None:
        """Send a signal to each of `pids`."""
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
            except PermissionError:
                self.immune.add(pid)  # it runs as somebody else
                continue
            if pid != self.pid:
                self.removed.add(pid)

    def start_sweep(self) -> None:
        """Begin to kill everybody; goes on while `next_scan` is set."""
        now = time.monotonic()
        self.next_scan, self.clean_scans, self.give_up_at = now, 0, now + GIVE_UP

    def scan(self) -> None:
        """One look, one shot at whoever is left; two looks that find nobody are the end of it."""
        found = self.remaining()
        self.send(found, signal.SIGKILL)
        self.clean_scans = 0 if found else self.clean_scans + 1
        now = time.monotonic()
        if now > self.give_up_at:
            self.immune |= found
        over = self.clean_scans == 2 or now > self.give_up_at
        self.next_scan = None if over else now + SWEEP
