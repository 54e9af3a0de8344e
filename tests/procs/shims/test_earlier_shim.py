"""Shims of other versions: the one before is dealt with as ours is, others are left in peace."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import anyond.shim
from anyond.model.errors import Unavailable
from anyond.model.launch import Launch
from anyond.model.records import Stream
from anyond.model.refusals.programs import ToolFailed
from anyond.procs.shims import launcher as launcher_module
from anyond.procs.shims import shim_start
from anyond.procs.shims.launcher import Alive, Launcher
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.shim.processes.lineage import find_shims
from anyond.shim.protocol import PROTOCOL, SUPPORTED, UNNAMED
from tests.support.paths import ROOT
from tests.support.processes.shim_programs import (
    LIMIT,
    alive,
    before_long,
    end,
    name,
    printed,
    python,
    records,
    shell,
    until,
)
from tests.support.processes.shim_sockets import connect

OLD = ROOT / "tests" / "procs" / "old_shim" / "anyond" / "procs" / "shim.py"
KEY = "k" * 64

ECHO = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("ended", flush=True), sys.exit(4)))
print("begun", flush=True)
for line in sys.stdin: print("heard", line, end="", flush=True)
print("eof", flush=True)
"""


@pytest.fixture
def shim_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int], None]:
    """Start shims as the daemon of another version does: its program, the number in its spec."""

    def use(program: Path, protocol: int) -> None:
        monkeypatch.setattr(shim_start, "SHIM", str(program))
        monkeypatch.setattr(launcher_module, "PROTOCOL", protocol)

    return use


@pytest.fixture
def old(shim_of: Callable[[Path, int], None]) -> None:
    shim_of(OLD, 2)


def later(tmp_path: Path, number: int) -> Path:
    """The program of a version that speaks another protocol."""
    room = tmp_path / "later" / "anyond"
    shutil.copytree(Path(anyond.shim.__file__).parent, room / "shim")
    (room / "__init__.py").write_text("")
    path = room / "shim" / "protocol.py"
    text = path.read_text()
    assert f"PROTOCOL = {PROTOCOL}\n" in text
    path.write_text(text.replace(f"PROTOCOL = {PROTOCOL}\n", f"PROTOCOL = {number}\n"))
    return room / "shim" / "shim.py"


async def begin(launcher: Launcher, launch: Launch, key: str = KEY) -> ShimConnection:
    with trio.fail_after(30):
        return await launcher.start(name(), launch, limit=LIMIT, key=key)


async def attach(launcher: Launcher, running: ShimConnection, key: str = KEY) -> ShimConnection:
    await running.aclose()
    with trio.fail_after(30):
        return await launcher.attach(running.execution_id, key)


def left(launcher: Launcher, running: ShimConnection, file: str) -> dict[str, Any]:
    path = launcher.spool(running.execution_id).path / file
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("key", [KEY, ""])
async def test_a_shim_of_the_version_before_is_attached_told_and_read(
    launcher: Launcher, key: str
) -> None:
    first = await begin(launcher, python(ECHO), key)
    spool = launcher.spool(first.execution_id)
    await first.write(b"one\n")
    await until(first, lambda: b"heard one" in printed(spool))
    # Its program goes on while the daemon is replaced by ours.
    running = await attach(launcher, first, key)
    assert running.protocol == UNNAMED == 2
    assert left(launcher, running, "run.json")["protocol"] == 2
    assert running.processes is not None, "the system tells that this is its shim"
    assert running.processes.program is not None
    assert isinstance(launcher.look(first.execution_id), Alive)
    # What was said before is there to be replayed, and what is said now comes behind it.
    assert printed(spool, Stream.STDIN) == b"one\n"
    await running.note(b"a decision")
    await running.write(b"two\n")
    await until(running, lambda: b"heard two" in printed(spool))
    assert [r.data for r in records(spool) if r.stream is Stream.NOTE] == [b"a decision"]
    assert await running.synchronize(30)
    await running.close_stdin()
    exit_ = await end(launcher, running)
    assert (exit_.code, exit_.error) == (0, None)
    assert printed(spool) == b"begun\nheard one\nheard two\neof\n"
    assert running.orderly


@pytest.mark.usefixtures("old")
async def test_a_shim_of_the_version_before_hands_on_a_stop(launcher: Launcher) -> None:
    first = await begin(launcher, python(ECHO))
    spool = launcher.spool(first.execution_id)
    await until(first, lambda: b"begun" in printed(spool))
    running = await attach(launcher, first)
    await running.signal(signal.SIGTERM)
    exit_ = await end(launcher, running)
    assert (exit_.code, printed(spool)) == (4, b"begun\nended\n")


@pytest.mark.usefixtures("old")
async def test_a_shim_of_the_version_before_kills_all_that_was_started(launcher: Launcher) -> None:
    running = await begin(launcher, shell("sleep 600 & setsid sleep 600 & echo on; wait"))
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: b"on" in printed(spool))
    running = await attach(launcher, running)
    await running.kill()
    exit_ = await end(launcher, running)
    assert exit_.signal == signal.SIGKILL
    assert alive(running.execution_id) == set()


@pytest.mark.usefixtures("old")
async def test_a_shim_of_the_version_before_that_hangs_is_found_and_ended(
    launcher: Launcher,
) -> None:
    running = await begin(launcher, shell("sleep 600 & setsid sleep 600 & echo on; wait"))
    await until(running, lambda: b"on" in printed(launcher.spool(running.execution_id)))
    shims = find_shims(str(launcher.spool(running.execution_id).path))
    assert len(shims) == 1, "it is found by the path that it had"
    os.kill(next(iter(shims)), signal.SIGSTOP)
    exit_ = await launcher.finalize_lost(
        running.execution_id, "It does not obey.", running.processes, force=True
    )
    await running.aclose()
    assert exit_.error == "It does not obey."
    await before_long(lambda: alive(running.execution_id) == set())


async def test_a_shim_says_which_protocol_it_speaks_first_of_all(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x"))
    assert await running.synchronize(30)
    assert running.protocol == PROTOCOL
    await running.aclose()
    sock = connect(launcher.spool(running.execution_id).path)
    sock.settimeout(30)
    sock.sendall(b"hello 64\n" + KEY.encode())
    received = b""
    while b"\n" not in received:
        received += await trio.to_thread.run_sync(sock.recv, 100)
    assert received.startswith(b"#%d\n" % PROTOCOL)
    sock.sendall(b"eof 0\n")
    sock.close()
    await before_long(lambda: not isinstance(launcher.look(running.execution_id), Alive))
    for file in ("spec.json", "run.json", "exit.json"):
        assert left(launcher, running, file)["protocol"] == PROTOCOL


async def test_a_shim_speaks_what_the_daemon_of_the_version_before_asks_for(
    launcher: Launcher, shim_of: Callable[[Path, int], None]
) -> None:
    """The files of an installation can be replaced while its daemon still runs."""
    shim_of(Path(anyond.shim.__file__).parent / "shim.py", SUPPORTED[0])
    running = await attach(launcher, await begin(launcher, shell("read x; echo $x")))
    assert running.protocol == SUPPORTED[0]
    await running.write(b"fine\n")
    exit_ = await end(launcher, running)
    assert (exit_.code, left(launcher, running, "exit.json")["protocol"]) == (0, SUPPORTED[0])


@pytest.mark.parametrize("number", [1, PROTOCOL + 1])
async def test_a_shim_starts_nothing_for_a_daemon_that_it_does_not_understand(
    launcher: Launcher, shim_of: Callable[[Path, int], None], tmp_path: Path, number: int
) -> None:
    shim_of(Path(anyond.shim.__file__).parent / "shim.py", number)
    with pytest.raises(ToolFailed, match=f"another version: it speaks protocol {number}"):
        await begin(launcher, shell(f"touch {tmp_path}/ran"))
    assert not (tmp_path / "ran").exists()


async def test_a_shim_of_a_later_protocol_is_left_alone_and_a_later_daemon_attaches_to_it(
    launcher: Launcher,
    shim_of: Callable[[Path, int], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = PROTOCOL + 2
    shim_of(later(tmp_path, number), number)
    first = await begin(launcher, shell("read x; echo $x"))
    with pytest.raises(Unavailable, match=f"speaks protocol {number}.*The program goes on"):
        await attach(launcher, first)
    assert isinstance(launcher.look(first.execution_id), Alive)
    assert alive(first.execution_id)
    monkeypatch.setattr("anyond.shim.protocol.SUPPORTED", (number - 1, number))
    running = await attach(launcher, first)
    assert running.protocol == number
    await running.write(b"fine\n")
    exit_ = await end(launcher, running)
    assert (exit_.code, printed(launcher.spool(first.execution_id))) == (0, b"fine\n")
