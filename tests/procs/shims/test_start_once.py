"""A program runs once, whoever comes late, and files are believed in the right order."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import trio

from anyond.model.errors import Conflict
from anyond.model.refusals.runs import Busy
from anyond.procs.shims import shim_state
from anyond.procs.shims.launcher import Absent, Alive, Ended, Launcher, Lost
from anyond.shim import shim
from tests.support.processes.shim_programs import (
    LIMIT,
    alive,
    before_long,
    begin,
    end,
    name,
    printed,
    python,
    shell,
    shim_of,
    until,
)

FAKE = json.dumps({"code": 0, "signal": None, "error": None, "ended_at": 1, "leftovers": 0})
FAMILY = """
import os, subprocess, time
subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True, env={})
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve("/bin/sleep", ["sleep", "1000"], {})
    os._exit(0)
print("ready", flush=True)
time.sleep(1000)
"""


def hold(path: Path) -> int:
    """Lock a spool as a shim does that came too late."""
    lock = os.open(path / "lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def below(pid: int) -> list[psutil.Process]:
    """A process and all that descend from it."""
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


async def test_a_shim_of_a_former_start_starts_nothing(launcher: Launcher) -> None:
    path = launcher.root / name()
    path.mkdir()
    (path / "lock").touch()
    mine = {"id": path.name, "start": "mine", "program": "/bin/true", "argv": ["true"]}
    spec = {**mine, "cwd": "/", "env": {}, "stdin": False, "limit": LIMIT}
    (path / "spec.json").write_text(json.dumps(spec))
    for start in (["a-former-one"], []):
        argv = [sys.executable, "-I", "-S", shim.__file__, *start, str(path)]
        done = subprocess.run(argv, stdout=subprocess.DEVNULL, timeout=30, check=False)
        assert done.returncode == shim.REFUSED
        assert {file.name for file in path.iterdir()} == {"lock", "spec.json"}


async def test_a_start_outlasts_a_shim_that_holds_the_lock_for_a_moment(launcher: Launcher) -> None:
    execution = name()
    held: list[int] = []

    async def record() -> None:
        held.append(hold(launcher.spool(execution).path))

    async def let_go() -> None:
        await before_long(lambda: held)
        await trio.sleep(1)
        os.close(held[0])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(let_go)
        running = await launcher.start(execution, shell("echo once"), limit=LIMIT, record=record)
    assert (await end(launcher, running)).code == 0
    assert printed(launcher.spool(execution)) == b"once\n"


async def test_a_start_that_cannot_be_recorded_starts_nothing(launcher: Launcher) -> None:
    execution = name()

    async def record() -> None:
        raise Busy("It cannot be written down.")

    with pytest.raises(Conflict):
        await launcher.start(execution, shell("echo never"), limit=LIMIT, record=record)
    assert launcher.look(execution) == Absent()


async def test_an_exit_is_not_believed_while_the_shim_lives(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x; exit 7"))
    spool = launcher.spool(running.execution_id)
    (spool.path / "exit.json").write_text(FAKE)
    assert launcher.look(running.execution_id) == Alive()
    await running.aclose()
    again = await launcher.attach(running.execution_id)
    await again.close_stdin()
    assert (await end(launcher, again)).code == 7


async def test_an_exit_that_the_agent_wrote_hides_nothing_of_what_it_left(
    launcher: Launcher,
) -> None:
    running = await begin(launcher, python(FAMILY))
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: printed(spool) == b"ready\n")
    (spool.path / "exit.json").write_text(FAKE)
    os.kill(shim_of(spool), signal.SIGKILL)
    await before_long(lambda: isinstance(launcher.look(running.execution_id), Ended))
    assert not running.orderly
    await launcher.finalize_lost(running.execution_id, "It was killed.")
    assert not alive(running.execution_id)
    await running.aclose()


async def test_a_program_that_was_recorded_is_lost_and_not_new_without_its_spool(
    launcher: Launcher,
) -> None:
    running = await begin(launcher, python(FAMILY))
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: printed(spool) == b"ready\n")
    family = below(shim_of(spool))
    shutil.rmtree(spool.path)
    assert launcher.look(running.execution_id) == Absent()
    found = launcher.look(running.execution_id, recorded=True)
    assert isinstance(found, Lost)
    assert "removed" in found.reason
    exit_ = await launcher.finalize_lost(running.execution_id, found.reason)
    assert exit_.error == found.reason
    await before_long(lambda: gone(family))
    await running.aclose()


@pytest.mark.parametrize("damage", ["run.json", "spec.json", "both"])
async def test_what_may_have_run_is_lost_whatever_file_is_missing(
    launcher: Launcher, damage: str
) -> None:
    running = await begin(launcher, shell("exit 0"))
    await end(launcher, running)
    path = launcher.spool(running.execution_id).path
    (path / "exit.json").unlink()
    for file in ("run.json", "spec.json"):
        if damage in (file, "both"):
            (path / file).unlink()
    found = launcher.look(running.execution_id, recorded=True)
    assert isinstance(found, Lost)


async def test_what_was_recorded_and_certainly_did_not_run_is_new_however_often_one_looks(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = name()

    async def record() -> None:
        raise Busy("The daemon dies here.")

    with pytest.raises(Conflict):
        await launcher.start(execution, shell("echo"), limit=LIMIT, record=record)
    path = launcher.spool(execution).path
    start = json.loads((path / "spec.json").read_text())["start"]
    # Whoever has found it out may be killed, also with the machine, before it is started again.
    for boot in ("this", "this", "another"):
        with monkeypatch.context() as patch:
            if boot == "another":
                patch.setattr(shim_state, "boot_id", lambda: "another")
            assert launcher.look(execution, recorded=True) == Absent()
    late = subprocess.run(
        [sys.executable, "-I", "-S", shim.__file__, start, str(path)],
        stdout=subprocess.DEVNULL,
        timeout=30,
        check=False,
    )
    assert late.returncode == shim.REFUSED
    running = await launcher.start(execution, shell("echo once"), limit=LIMIT)
    await end(launcher, running)
    assert printed(launcher.spool(execution)) == b"once\n"


@pytest.mark.parametrize("full", [False, True])
async def test_a_shim_that_hangs_is_ended_with_all_that_it_started(
    launcher: Launcher, full: bool
) -> None:
    running = await begin(launcher, python(FAMILY))
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: printed(spool) == b"ready\n")
    hung = shim_of(spool)
    family = below(hung)
    assert len(family) >= 4
    os.kill(hung, signal.SIGSTOP)
    if full:
        with trio.move_on_after(0.1):
            await running.write(b"x" * 5_000_000)
    assert not await running.obeys(0.2)
    with pytest.raises(Conflict):
        await launcher.finalize_lost(running.execution_id, "It hangs.")
    exit_ = await launcher.finalize_lost(running.execution_id, "It hangs.", force=True)
    assert exit_.error == "It hangs."
    await before_long(lambda: gone(family))
    with trio.fail_after(30):
        while await running.news():
            pass
    assert launcher.look(running.execution_id) == Ended(exit_)
    await running.aclose()


async def test_a_shim_that_obeys_is_not_taken_for_hung(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x"))
    async with trio.open_nursery() as nursery:

        async def follow() -> None:
            while await running.news():
                pass

        nursery.start_soon(follow)
        assert await running.obeys(30)
        assert await running.obeys(30)
        await running.kill()
    assert await running.obeys(30)
    await end(launcher, running)
