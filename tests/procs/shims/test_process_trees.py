"""Nobody of a program's family survives it, however he hides."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from anyond.procs.identity import identify
from anyond.procs.shims.launcher import Alive, Ended, Launcher, Lost
from anyond.procs.spools.spool import Spool
from anyond.shim.processes import process_table
from anyond.shim.processes.lineage import find_shims
from anyond.shim.processes.orphans import end_orphans
from anyond.shim.processes.process_table import LINUX, children, processes, started
from tests.support.processes.shim_programs import (
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


@pytest.fixture
def innocent() -> Iterator[int]:
    """A process of the person that no execution has anything to do with."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield process.pid
        process.kill()


def lives(pid: int) -> bool:
    return any(process[0] == pid for process in processes())


def forge_run(spool: Spool, pid: int) -> None:
    """Write into a spool what an agent would, to have `pid` killed."""
    run = json.loads((spool.path / "run.json").read_text())
    run |= {"pid": pid, "pid_started": started(pid)}
    run |= {"shim_pid": pid, "shim_started": started(pid)}
    (spool.path / "run.json").write_text(json.dumps(run))


async def test_what_a_program_leaves_behind_ends_with_it(launcher: Launcher) -> None:
    running = await begin(launcher, python(FAMILY))
    exit_ = await end(launcher, running)
    assert (exit_.code, exit_.leftovers) == (0, 4)
    assert printed(launcher.spool(running.execution_id)) == b"ready\n"
    assert not alive(running.execution_id)


async def test_daemons_that_hold_no_pipe_end_with_it_too(launcher: Launcher) -> None:
    launch = python(FAMILY)
    running = await begin(launcher, type(launch)(argv=(*launch.argv, "quiet"), cwd="/"))
    assert (await end(launcher, running)).leftovers == 4
    assert not alive(running.execution_id)


async def test_killing_spares_nobody(launcher: Launcher) -> None:
    script = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)"
    running = await begin(launcher, python(FAMILY + script))
    await until(running, lambda: printed(launcher.spool(running.execution_id)))
    assert len(alive(running.execution_id)) == 5
    await running.kill()
    exit_ = await end(launcher, running)
    assert (exit_.signal, exit_.leftovers) == (signal.SIGKILL, 4)
    assert not alive(running.execution_id)


async def test_what_children_say_after_the_end_of_the_program_is_kept(launcher: Launcher) -> None:
    script = "trap 'echo going; exit' TERM; echo up; while :; do sleep 0.01; done"
    running = await begin(launcher, shell(f'(sh -c "{script}" &) ; read x; echo bye'))
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: printed(spool) == b"up\n")
    await running.write(b"\n")
    assert (await end(launcher, running)).code == 0
    assert printed(spool) == b"up\nbye\ngoing\n"


async def test_a_signal_goes_to_the_group_and_not_to_the_shim(launcher: Launcher) -> None:
    running = await begin(
        launcher, shell("trap 'echo int; exit 5' INT; echo up; while :; do sleep 0.01; done")
    )
    await until(running, lambda: printed(launcher.spool(running.execution_id)))
    await running.signal(signal.SIGINT)
    assert (await end(launcher, running)).code == 5


async def test_a_shim_cannot_be_asked_to_end(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x; echo $x"))
    shim = shim_of(launcher.spool(running.execution_id))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        os.kill(shim, number)
    await running.write(b"still here\n")
    assert (await end(launcher, running)).code == 0
    assert printed(launcher.spool(running.execution_id)) == b"still here\n"


async def test_the_family_of_a_murdered_shim_is_buried(launcher: Launcher) -> None:
    running = await begin(launcher, python(FAMILY + "time.sleep(1000)"))
    execution = running.execution_id
    spool = launcher.spool(execution)
    await until(running, lambda: printed(spool))
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
    assert printed(spool) == b"ready\n"


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
    await until(running, lambda: printed(spool) == b"up\n")
    assert not alive(running.execution_id)
    os.kill(shim_of(spool), signal.SIGKILL)
    seen = running.processes
    assert seen is not None
    exit_ = await launcher.finalize_lost(running.execution_id, "Its shim was killed.", seen)
    await running.aclose()
    assert exit_.leftovers == 2
    assert running.pid not in {pid for pid, *_ in processes()}


async def test_a_program_is_known_to_whoever_attaches_whatever_its_files_say(
    launcher: Launcher, innocent: int
) -> None:
    running = await begin(launcher, python(FAMILY + "time.sleep(1000)"))
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: printed(spool) == b"ready\n")
    await running.aclose()
    forge_run(spool, innocent)
    again = await launcher.attach(running.execution_id)
    assert (again.pid, again.processes) == (running.pid, running.processes)
    await again.kill()
    await end(launcher, again)
    assert lives(innocent)


@pytest.mark.parametrize("exit_", [False, True])
async def test_what_a_spool_says_kills_nobody(
    launcher: Launcher, innocent: int, exit_: bool
) -> None:
    running = await begin(launcher, python(FAMILY + "time.sleep(1000)"))
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: printed(spool) == b"ready\n")
    shim = shim_of(spool)
    forge_run(spool, innocent)
    if exit_:
        (spool.path / "exit.json").write_text('{"code": 0, "ended_at": 1}')
    os.kill(shim, signal.SIGKILL)
    await before_long(lambda: not isinstance(launcher.look(running.execution_id), Alive))
    await launcher.finalize_lost(running.execution_id, "Its shim was killed.", force=True)
    await running.aclose()
    assert not alive(running.execution_id)
    assert lives(innocent)


@pytest.mark.parametrize("how", ["link", "rename"])
async def test_the_spool_of_another_execution_brings_no_shim_of_it(
    launcher: Launcher, how: str
) -> None:
    running = await begin(launcher, shell("echo up; read x"))
    theirs = launcher.spool(running.execution_id).path
    mine = launcher.root / name()
    assert find_shims(str(theirs)) == {shim_of(launcher.spool(running.execution_id))}
    if how == "link":
        mine.symlink_to(theirs)
    else:
        theirs.rename(mine)
    assert find_shims(str(mine)) == set()
    if how == "link":
        mine.unlink()
    else:
        mine.rename(theirs)
    await running.close_stdin()
    await end(launcher, running)


async def test_another_program_that_listens_in_the_place_of_a_shim_is_not_taken_for_it(
    tmp_path: Path,
) -> None:
    """As the bus or the multiplexer of the person: an agent can link the socket of either."""
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as sock:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        sock.connect(str(tmp_path / "s"))
        assert identify(sock, name()) is None


@pytest.mark.parametrize("kernel_tells", [True, False])
def test_the_children_of_a_process_are_those_that_the_whole_table_has(
    monkeypatch: pytest.MonkeyPatch, kernel_tells: bool
) -> None:
    script = "sleep 600 & sh -c 'sleep 600 & echo $!; wait' & read line; kill %1 %2"
    if not kernel_tells:

        def refuse(parent: int) -> list[str]:
            raise FileNotFoundError(f"/proc/{parent}/task/{parent}/children")

        monkeypatch.setattr(process_table, "_linux_children", refuse)
    with subprocess.Popen(
        ["bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        grandchild = int(parent.stdout.readline())
        found = children(parent.pid)
        assert {process[0] for process in found} == {
            pid for pid, above, *_ in processes() if above == parent.pid
        }
        assert len(found) == 2
        os.kill(grandchild, signal.SIGKILL)
        parent.stdin.close()
    assert children(parent.pid) == []


async def test_whether_a_shim_lives_is_told_without_touching_its_spool(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x"))
    spool = launcher.spool(running.execution_id)
    assert launcher.is_alive(running.execution_id)
    await running.write(b"\n")
    await end(launcher, running)
    before = {file.name: file.read_bytes() for file in spool.path.iterdir() if file.is_file()}
    with trio.fail_after(30):
        while launcher.is_alive(running.execution_id):
            await trio.sleep(0.01)  # it lets go of its lock when it ends
    assert {f.name: f.read_bytes() for f in spool.path.iterdir() if f.is_file()} == before
    assert not launcher.is_alive(name())


@pytest.mark.skipif(not LINUX or os.geteuid() != 0, reason="Only root sees and kills others.")
def test_the_mark_counts_in_processes_of_ours_only() -> None:
    execution = name()
    with subprocess.Popen(
        ["sleep", "600"],
        env={**os.environ, "ANYON_EXECUTION": execution},
        user=65534,
        start_new_session=True,
    ) as other:
        try:
            assert end_orphans(execution, None) == 0
            assert other.poll() is None
        finally:
            other.kill()


def test_a_stranger_with_the_same_pid_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as outsider:
        assert end_orphans(name(), (outsider.pid, "1")) == 0
        assert outsider.poll() is None
        assert end_orphans(name(), (outsider.pid, started(outsider.pid))) == 1


async def test_what_is_left_running_is_named(launcher: Launcher) -> None:
    running = await begin(launcher, shell("sleep 1001 & sleep 1002 & sleep 0.05 & exit 0"))
    exit_ = await end(launcher, running)
    assert sorted(exit_.ended) == ["sleep 1001", "sleep 1002"]


async def test_what_is_left_running_is_named_if_the_program_has_to_be_ended(
    launcher: Launcher,
) -> None:
    script = "(sleep 1003 &); echo ready; cat; sleep 1004"
    running = await begin(launcher, shell(script))
    await until(running, lambda: printed(launcher.spool(running.execution_id)))
    await running.signal(signal.SIGTERM)
    exit_ = await end(launcher, running)
    assert exit_.ended == ["sleep 1003"]  # and nothing that the program itself waits for
