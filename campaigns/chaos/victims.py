"""Victims in a world: its daemon's git, and the shims and agents of its executions."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import psutil
import trio

from campaigns.chaos.world import PERSON, World

GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)
WATCH_GIT_S = 0.6
"""How long it is waited for a git that could be killed."""


class Running(NamedTuple):
    """A process of a world.

    Attributes:
        execution: the execution that it belongs to; "" if it is none's.
    """

    process: Any
    command: list[str]
    execution: str

    @property
    def is_git(self) -> bool:
        return bool(self.command) and Path(self.command[0]).name == "git"


def all_of(world: World) -> list[Running]:
    """Every process that lives below the home of a world, but for those of its person."""
    home, found = str(world.daemon.home), []
    for pid in psutil.pids():
        try:
            # Most are somebody else's, and psutil takes its time: look at the bytes first.
            if home.encode() not in Path(f"/proc/{pid}/environ").read_bytes():
                continue
            process = psutil.Process(pid)
            environment = process.environ()
            if environment.get("HOME") != home or PERSON in environment:
                continue
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            command = process.cmdline()
        except (*GONE, OSError):
            continue
        execution = environment.get("ANYON_EXECUTION") or _of_shim(world, command)
        found.append(Running(process, command, execution))
    return found


def _of_shim(world: World, command: list[str]) -> str:
    """The execution whose shim this is: the spool is among its arguments."""
    spools = f"{world.daemon.data / 'executions'}/"
    return next((w.removeprefix(spools) for w in command if w.startswith(spools)), "")


def kill_execution(world: World, dice: Random, what: str) -> bool:
    """Kill the shim, or the program, of something that runs; False if nothing does."""
    spools = world.daemon.data / "executions"
    rows = [r for r in world.records.values() if r.get("status") == "running" and "run_reason" in r]
    dice.shuffle(rows)
    for row in rows:
        run = spools / row["id"] / "run.json"
        with suppress(OSError, ValueError, KeyError):
            pids = json.loads(run.read_text())
            if (spools / row["id"] / "exit.json").exists():
                continue
            pid = pids["shim_pid" if what == "shim" else "pid"]
            environ = Path(f"/proc/{pid}/environ").read_bytes()
            if str(world.daemon.home).encode() not in environ:
                continue
            os.kill(pid, signal.SIGKILL)
            world.note_kill(what, row["id"])
            return True
    return False


async def kill_git(world: World, dice: Random) -> bool:
    """Kill a git of the daemon, as soon as there is one; False if there is none for a while."""
    daemon = world.daemon._process
    assert daemon is not None
    with trio.move_on_after(WATCH_GIT_S):
        while True:
            found = []
            with suppress(*GONE):
                for child in psutil.Process(daemon.pid).children():
                    with suppress(*GONE):
                        if child.name() == "git":
                            found.append(child)
            if found:
                victim = dice.choice(found)
                with suppress(*GONE):
                    victim.kill()
                    world.note_kill("git")
                    return True
            await trio.sleep(0.004)
    return False


def kill_orphan(world: World, dice: Random) -> bool:
    """Kill a git that has outlived its daemon; False if none has."""
    found = [one for one in all_of(world) if one.is_git and not one.execution]
    if not found:
        return False
    with suppress(*GONE):
        dice.choice(found).process.kill()
        world.note_kill("git")
        return True
    return False
