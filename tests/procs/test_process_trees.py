"""Nobody of a program's family survives it, however he hides."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
import trio
from programs import (
    alive,
    before_long,
    begin,
    end,
    name,
    python,
    said,
    shell,
    shim_of,
    until,
)

from anyond.procs.launcher import Ended, Launcher, Lost
from anyond.procs.orphans import end_orphans
from anyond.procs.process_table import processes, started

FAMILY = """
import os, signal, sys, time

def child(*steps):
    ready, told = os.pipe()
    if os.fork() == 0:
        for step in steps:
            step()
        os.write(told, b"x")
        if "quiet" in sys.argv:
            for fd in (0, 1, 2):
                os.close(fd)
        while True:
            time.sleep(100)
    os.read(ready, 1)

def fork_again():
    if os.fork():
        os._exit(0)

child()
child(os.setsid)
child(os.setsid, fork_again)
child(lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN), os.setsid)
print("ready")
"""


async def test_what_a_program_leaves_behind_ends_with_it(launcher: Launcher) -> None:
    running = await begin(launcher, python(FAMILY))
    exit_ = await end(launcher, running)
    assert (exit_.code, exit_.leftovers) == (0, 4)
    assert said(launcher.spool(running.execution_id)) == b"ready\n"
    assert not alive(running.execution_id)


async def test_daemons_that_hold_no_pipe_end_with_it_too(launcher: Launcher) -> None:
    launch = python(FAMILY)
    running = await begin(launcher, type(launch)(argv=(*launch.argv, "quiet"), cwd="/"))
    assert (await end(launcher, running)).leftovers == 4
    assert not alive(running.execution_id)


async def test_killing_spares_nobody(launcher: Launcher) -> None:
    script = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)"
    running = await begin(launcher, python(FAMILY + script))
    await until(running, lambda: said(launcher.spool(running.execution_id)))
    assert len(alive(running.execution_id)) == 5
    await running.kill()
    exit_ = await end(launcher, running)
    assert (exit_.signal, exit_.leftovers) == (signal.SIGKILL, 4)
    assert not alive(running.execution_id)


async def test_what_children_say_after_the_end_of_the_program_is_kept(launcher: Launcher) -> None:
    script = "trap 'echo going; exit' TERM; echo up; while :; do sleep 0.01; done"
    running = await begin(launcher, shell(f'(sh -c "{script}" &) ; read x; echo bye'))
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: said(spool) == b"up\n")
    await running.write(b"\n")
    assert (await end(launcher, running)).code == 0
    assert said(spool) == b"up\nbye\ngoing\n"


async def test_a_signal_goes_to_the_group_and_not_to_the_shim(launcher: Launcher) -> None:
    running = await begin(
        launcher, shell("trap 'echo int; exit 5' INT; echo up; while :; do sleep 0.01; done")
    )
    await until(running, lambda: said(launcher.spool(running.execution_id)))
    await running.signal(signal.SIGINT)
    assert (await end(launcher, running)).code == 5


async def test_a_shim_cannot_be_asked_to_end(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x; echo $x"))
    shim = shim_of(launcher.spool(running.execution_id))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        os.kill(shim, number)
    await running.write(b"still here\n")
    assert (await end(launcher, running)).code == 0
    assert said(launcher.spool(running.execution_id)) == b"still here\n"


async def test_the_family_of_a_murdered_shim_is_buried(launcher: Launcher) -> None:
    running = await begin(launcher, python(FAMILY + "time.sleep(1000)"))
    execution = running.execution_id
    spool = launcher.spool(execution)
    await until(running, lambda: said(spool))
    os.kill(shim_of(spool), signal.SIGKILL)
    with trio.fail_after(30):
        while await running.news():
            pass
    await running.write(b"nobody is there, and that is no error")
    await running.aclose()
    await before_long(lambda: isinstance(launcher.look(execution), Lost))
    assert alive(execution)
    exit_ = await launcher.finalize_lost(execution, "Its shim was killed.")
    assert not alive(execution)
    assert (exit_.code, exit_.signal, exit_.error) == (None, None, "Its shim was killed.")
    assert exit_.leftovers == 5
    assert launcher.look(execution) == Ended(exit_)
    assert await launcher.finalize_lost(execution, "once more") == exit_
    assert said(spool) == b"ready\n"


@pytest.mark.parametrize("murdered", [False, True])
async def test_what_stays_of_an_execution_can_be_copied_by_any_program(
    launcher: Launcher, murdered: bool
) -> None:
    running = await begin(launcher, shell("read x"))
    spool = launcher.spool(running.execution_id)
    assert (spool.path / "s").is_socket()
    if murdered:
        os.kill(shim_of(spool), signal.SIGKILL)
        with trio.fail_after(30):
            while await running.news():
                pass
        await launcher.finalize_lost(running.execution_id, "Its shim was killed.")
    else:
        await running.close_stdin()
        await end(launcher, running)
    assert [path.name for path in spool.path.iterdir() if not path.is_file()] == []


async def test_a_program_that_hides_its_mark_is_known_by_pid_and_start(launcher: Launcher) -> None:
    script = "import os; os.execve('/bin/sh', ['sh', '-c', 'echo up; sleep 1000; true'], {})"
    running = await begin(launcher, python(script))
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: said(spool) == b"up\n")
    assert not alive(running.execution_id)
    os.kill(shim_of(spool), signal.SIGKILL)
    exit_ = await launcher.finalize_lost(running.execution_id, "Its shim was killed.")
    await running.aclose()
    assert exit_.leftovers == 2
    assert running.pid not in {pid for pid, *_ in processes()}


def test_a_stranger_with_the_same_pid_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        assert end_orphans(name(), (stranger.pid, "1")) == 0
        assert stranger.poll() is None
        assert end_orphans(name(), (stranger.pid, started(stranger.pid))) == 1


async def test_what_is_left_running_is_named(launcher: Launcher) -> None:
    running = await begin(launcher, shell("sleep 1001 & sleep 1002 & sleep 0.05 & exit 0"))
    exit_ = await end(launcher, running)
    assert sorted(exit_.ended) == ["sleep 1001", "sleep 1002"]


async def test_what_is_left_running_is_named_if_the_program_has_to_be_ended(
    launcher: Launcher,
) -> None:
    script = "(sleep 1003 &); echo ready; cat; sleep 1004"
    running = await begin(launcher, shell(script))
    await until(running, lambda: said(launcher.spool(running.execution_id)))
    await running.signal(signal.SIGTERM)
    exit_ = await end(launcher, running)
    assert exit_.ended == ["sleep 1003"]  # and nothing that the program itself waits for
