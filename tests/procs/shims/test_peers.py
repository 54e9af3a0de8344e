"""Only a daemon commands a shim, and only a shim is told anything by a daemon."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from anyond.model.errors import TimedOut, Unavailable
from anyond.model.launch import Launch
from anyond.model.records import Stream
from anyond.procs.shims.launcher import Launcher
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.shim.processes.peers import is_foreign, peer_pid
from tests.support.processes.shim_programs import (
    LIMIT,
    before_long,
    end,
    name,
    printed,
    records,
    shell,
    until,
)
from tests.support.processes.shim_sockets import connect

KEY = "k" * 64
HELLO = b"hello 64\n" + KEY.encode()


async def begin(launcher: Launcher, launch: Launch) -> ShimConnection:
    with trio.fail_after(30):
        return await launcher.start(name(), launch, limit=LIMIT, key=KEY)


def answer(connection: socket.socket) -> bytes:
    """All that comes until it is hung up on."""
    connection.settimeout(20)
    reported = b""
    while data := connection.recv(100):
        reported += data
    return reported


@pytest.mark.parametrize(
    "words",
    [
        b"note 6\nforged",
        b"hello 64\n" + b"x" * 64 + b"note 6\nforged",
        b"hello 0\nnote 6\nforged",
        HELLO[:20] + b"\nnote 6\nforged",
        b"h" * 500,
    ],
)
async def test_who_does_not_know_the_key_is_not_obeyed(launcher: Launcher, words: bytes) -> None:
    running = await begin(launcher, shell("read x"))
    spool = launcher.spool(running.execution_id)
    outsider = connect(spool.path)
    outsider.sendall(words)
    assert await trio.to_thread.run_sync(answer, outsider) == b"!"
    outsider.close()
    await running.close_stdin()
    await end(launcher, running)
    assert records(spool) == []


async def test_strangers_who_wait_do_not_hold_up_the_next_daemon(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x; echo $x"))
    spool = launcher.spool(running.execution_id)
    outsiders = [connect(spool.path) for _ in range(40)]
    await running.aclose()
    outsiders += [connect(spool.path) for _ in range(5)]
    with trio.fail_after(10):
        again = await launcher.attach(running.execution_id, KEY)
    for outsider in outsiders:
        outsider.close()
    await again.write(b"fine\n")
    await end(launcher, again)
    assert printed(spool) == b"fine\n"


async def test_a_second_daemon_waits_until_the_first_has_left(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x"))
    await running.synchronize(30)
    with pytest.raises(TimedOut):
        await launcher.attach(running.execution_id, KEY, timeout=0.3)
    await running.note(b"before")
    await running.aclose()
    again = await launcher.attach(running.execution_id, KEY)
    assert [r.data for r in records(launcher.spool(running.execution_id))] == [b"before"]
    await again.close_stdin()
    await end(launcher, again)


async def test_a_daemon_without_the_key_is_told_that_it_is_refused(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x"))
    with pytest.raises(Unavailable, match="takes no orders"):
        await launcher.attach(running.execution_id, "another")
    await running.close_stdin()
    await end(launcher, running)


INTRUDER = """
import os, socket, sys
os.chdir(sys.argv[1])
s = socket.socket(socket.AF_UNIX)
s.connect("s")
s.settimeout(20)
try:
    s.sendall(sys.argv[2].encode() + b"note 6\\nforged")
    print("told", s.recv(100), flush=True)
except TimeoutError: print("told nothing", flush=True)
except OSError: print("hung up, not told", flush=True)
"""
HIDDEN = """
import os, subprocess, sys, time
command = [sys.executable, "-I", "-c", {intruder!r}, *sys.argv[1:]]
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while os.getppid() == {parent}: time.sleep(0.01)
        subprocess.run(command, env={{}})
    os._exit(0)
os.wait()
time.sleep(60)
"""


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peers are known by the kernel")
async def test_an_agent_is_not_obeyed_even_if_it_knows_the_key(
    launcher: Launcher, own: bool, hidden: bool
) -> None:
    victim = await begin(launcher, shell("read x"))
    spool = launcher.spool(victim.execution_id)
    script = HIDDEN.format(intruder=INTRUDER, parent=0) if hidden else INTRUDER
    target = spool.path
    execution = name()
    if own:
        target = launcher.spool(execution).path
    argv = (sys.executable, "-I", "-u", "-c", script, str(target), HELLO.decode())
    with trio.fail_after(30):
        running = await launcher.start(execution, Launch(argv=argv, cwd="/"), limit=LIMIT, key=KEY)
    theirs = launcher.spool(execution)
    await until(running, lambda: b"told" in printed(theirs))
    assert b"told b'!'" in printed(theirs) or b"hung up" in printed(theirs)
    await running.kill()
    await end(launcher, running)
    await victim.close_stdin()
    await end(launcher, victim)
    for log in (spool, theirs):
        assert [r for r in records(log) if r.stream is Stream.NOTE] == []


IMPOSTOR = """
import os, socket, sys
sys.stdin.readline()
os.chdir(sys.argv[1])
os.unlink("s")
s = socket.socket(socket.AF_UNIX)
s.bind("s")
s.listen(5)
print("there", flush=True)
while True:
    c = s.accept()[0]
    c.settimeout(5)
    try: print("heard", c.recv(1000), flush=True)
    except OSError: print("heard nothing", flush=True)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peers are known by the kernel")
async def test_an_agent_in_the_place_of_its_shim_hears_nothing_and_is_ended(
    launcher: Launcher,
) -> None:
    execution = name()
    spool = launcher.spool(execution)
    argv = (sys.executable, "-I", "-u", "-c", IMPOSTOR, str(spool.path))
    running = await launcher.start(execution, Launch(argv=argv, cwd="/"), limit=LIMIT, key=KEY)
    await running.close_stdin()  # not before the shim has answered
    await until(running, lambda: b"there" in printed(spool))
    await running.aclose()
    with pytest.raises(Unavailable, match="somebody else"):
        await launcher.attach(execution, KEY, timeout=0.5)
    await before_long(lambda: b"heard" in printed(spool))
    assert KEY.encode() not in printed(spool)
    exit_ = await launcher.finalize_lost(execution, "It does not obey.", force=True)
    assert exit_.leftovers == 1 or exit_.signal == 9


def test_a_process_beside_the_executions_is_no_stranger_and_one_that_left_is(
    tmp_path: Path,
) -> None:
    here, there = socket.socketpair()
    pid = peer_pid(here)
    assert pid is not None
    assert not is_foreign(here, str(tmp_path))
    there.close()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen(1)
    script = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "s")], check=True)
    gone, _ = listener.accept()
    assert is_foreign(gone, str(tmp_path))
    for sock in (here, listener, gone):
        sock.close()


def test_a_marked_process_is_known_although_its_shim_is_dead(tmp_path: Path) -> None:
    (tmp_path / "an-execution").mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen(1)
    script = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); input()"
    )
    for mark, outsider in (("an-execution", True), ("of-another-daemon", False)):
        with subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "s")],
            stdin=subprocess.PIPE,
            env={"ANYON_EXECUTION": mark},
        ) as program:
            peer, _ = listener.accept()
            assert is_foreign(peer, str(tmp_path)) is outsider
            peer.close()
            program.kill()
    listener.close()
