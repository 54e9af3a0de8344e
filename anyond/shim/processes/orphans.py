"""Orphans of an execution whose shim is dead: found and killed.

The shim's own children are nobody's now, so they are known by other signs: the program by its pid
*and* its start time, the others by the mark in their environment, and from these all their
descendants and whoever shares a session with them. The mark counts in processes of ours only; an
agent can take it out of the environment of its own processes, but not put it into anybody else's.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection
from contextlib import suppress

from anyond.shim.processes.process_table import LINUX, descendants, processes

PAUSE = 0.005  # seconds between two scans
GIVE_UP = 10.0  # seconds after which what cannot be killed is left alone


def end_orphans(
    execution_id: str, program: tuple[int, str] | None, shims: Collection[int] = ()
) -> int:
    """Kill all that is left of an execution. Blocks: some ms per scan, 10 s at the very most.

    Args:
        program: pid and start time as the daemon saw them in this run of the machine, or None; not
            as anything says that an agent can write.
        shims: what kept it and does not obey any more. They go last: as long as they are there, all
            that descends from them can be found.

    Returns:
        How many processes were killed.
    """
    mark = f"ANYON_EXECUTION={execution_id}".encode()
    deadline = time.monotonic() + GIVE_UP
    killed: set[tuple[int, str]] = set()
    immune: set[int] = set()
    sessions: set[int] = set()
    clean_scans = 0
    while clean_scans < 2 and time.monotonic() < deadline:
        found = _find(mark, program, sessions, set(shims)) - immune
        clean_scans = 0 if found else clean_scans + 1
        for pid, start in {(p, s) for p, _, _, _, s in processes() if p in found}:
            try:
                os.kill(pid, signal.SIGKILL)
                killed.add((pid, start))
            except ProcessLookupError:
                continue
            except PermissionError:
                immune.add(pid)  # it runs as somebody else
        time.sleep(PAUSE)
    for pid in shims:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return len(killed)


def _find(
    mark: bytes, program: tuple[int, str] | None, sessions: set[int], shims: set[int]
) -> set[int]:
    table = processes()
    ours = os.getsid(0)
    seeds = set()
    for pid, _, _, session, start in table:
        if (pid, start) == program or session in sessions or mark in _environment(pid):
            seeds.add(pid)
            if session not in (0, ours):
                sessions.add(session)
    seeds |= {pid for pid, _, _, session, _ in table if session in sessions}
    return (seeds | descendants(table, seeds | shims)) - shims - {os.getpid()}


def _environment(pid: int) -> list[bytes]:
    """The environment that a process of ours was started with; nothing if we may not see it."""
    if LINUX:
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                ours = os.fstat(file.fileno()).st_uid == os.geteuid()
                return file.read().split(b"\0") if ours else []
        except OSError:
            return []
    import psutil  # only where there is no /proc

    try:
        process = psutil.Process(pid)
        environment = process.environ() if process.uids().effective == os.geteuid() else {}
    except (psutil.Error, OSError):
        return []
    return [os.fsencode(f"{name}={value}") for name, value in environment.items()]
