"""What a program says arrives whole, in order, in time, and cut at sensible places."""

from __future__ import annotations

import hashlib

import pytest

from anyond.model.records import Stream
from anyond.procs.shims.launcher import Launcher
from tests.support.processes.shim_programs import (
    alive,
    begin,
    end,
    frames,
    printed,
    python,
    records,
    shell,
    until,
)


async def test_both_streams_and_stdin_are_in_the_log_in_the_order_in_which_they_happened(
    launcher: Launcher,
) -> None:
    running = await begin(
        launcher, shell("echo one; read x; echo two $x >&2; read x; echo three; exit 3")
    )
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: printed(spool) == b"one\n")
    await running.write(b"a\n")
    await until(running, lambda: printed(spool, Stream.STDERR) == b"two a\n")
    await running.note(b"a remark")
    await running.write(b"b\n")
    assert (await end(launcher, running)).code == 3
    assert [(r.stream.value, r.data) for r in records(spool)] == [
        ("stdout", b"one\n"),
        ("stdin", b"a\n"),
        ("stderr", b"two a\n"),
        ("note", b"a remark"),
        ("stdin", b"b\n"),
        ("stdout", b"three\n"),
    ]
    assert [(f.n, f.data) for f in frames(spool)] == [
        (0, b"one\n"),
        (1, b"two a\n"),
        (2, b"three\n"),
    ]
    stamps = [r.at for r in records(spool)]
    assert stamps == sorted(stamps)


async def test_a_million_lines_are_complete_and_cut_at_their_ends(launcher: Launcher) -> None:
    running = await begin(launcher, shell("seq 1000000"))
    await end(launcher, running)
    spool = launcher.spool(running.execution_id)
    found = frames(spool)
    expected = b"".join(b"%d\n" % i for i in range(1, 1_000_001))
    assert hashlib.sha256(b"".join(f.data for f in found)).digest() == (
        hashlib.sha256(expected).digest()
    )
    assert len(found) == spool.frames()
    # A line may be cut only where the program itself paused within it.
    assert sum(not f.data.endswith(b"\n") for f in found) <= len(found) // 10 + 1


async def test_a_program_that_writes_line_by_line_loses_none(launcher: Launcher) -> None:
    running = await begin(
        launcher,
        python("import os\nfor i in range(20000): os.write(1 + i % 2, b'%d\\n' % i)"),
    )
    await end(launcher, running)
    spool = launcher.spool(running.execution_id)
    assert printed(spool) == b"".join(b"%d\n" % i for i in range(0, 20000, 2))
    assert printed(spool, Stream.STDERR) == b"".join(b"%d\n" % i for i in range(1, 20000, 2))


async def test_an_unfinished_line_is_shown_while_the_program_waits(launcher: Launcher) -> None:
    running = await begin(launcher, shell("printf 'password: '; read x; echo; echo $x"))
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: printed(spool) == b"password: ")
    await running.write(b"secret\n")
    await end(launcher, running)
    assert printed(spool) == b"password: \nsecret\n"


async def test_a_character_is_never_cut_even_if_the_program_pauses_in_it(
    launcher: Launcher,
) -> None:
    running = await begin(
        launcher,
        python("import os; os.write(1, b'caf\\xc3'); os.read(0, 9); os.write(1, b'\\xa9\\n')"),
    )
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: printed(spool))
    await running.write(b"go\n")
    await end(launcher, running)
    assert [f.data for f in frames(spool)] == [b"caf", b"\xc3\xa9\n"]


async def test_a_long_line_is_cut_between_characters(launcher: Launcher) -> None:
    line = "€𝄞é" * 100_000
    running = await begin(launcher, python("import os; print('€𝄞é' * 100_000)"))
    await end(launcher, running)
    found = frames(launcher.spool(running.execution_id))
    assert "".join(f.data.decode() for f in found) == line + "\n"
    assert max(len(f.data) for f in found) < 1 << 19


async def test_bytes_that_are_no_text_are_kept(launcher: Launcher) -> None:
    running = await begin(launcher, python("import os; os.write(1, bytes(range(256)) + b'\\xf0')"))
    await end(launcher, running)
    assert printed(launcher.spool(running.execution_id)) == bytes(range(256)) + b"\xf0"


async def test_five_megabytes_go_through_stdin_and_back(launcher: Launcher) -> None:
    data = b"".join(b"%09d\n" % i for i in range(500_000))
    running = await begin(launcher, shell("cat"))
    await running.write(data)
    await running.close_stdin()
    assert (await end(launcher, running)).code == 0
    spool = launcher.spool(running.execution_id)
    assert printed(spool, Stream.STDIN) == data
    assert printed(spool) == data


async def test_a_program_without_stdin_reads_the_end_at_once(launcher: Launcher) -> None:
    running = await begin(launcher, shell("cat; echo done", stdin=False))
    await running.write(b"nobody hears this\n")
    await end(launcher, running)
    assert [r.data for r in records(launcher.spool(running.execution_id))] == [b"done\n"]


async def test_a_program_that_closes_its_stdin_is_not_disturbed(launcher: Launcher) -> None:
    running = await begin(launcher, shell("exec <&-; echo closed; sleep 1000"))
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: printed(spool) == b"closed\n")
    await running.write(b"x" * 1_000_000)
    await running.signal(15)
    assert (await end(launcher, running)).signal == 15


@pytest.mark.parametrize(
    ("script", "code", "signal"),
    [("exit 0", 0, None), ("exit 7", 7, None), ("kill -9 $$", None, 9), ("kill $$", None, 15)],
)
async def test_how_it_ended_is_on_record(
    launcher: Launcher, script: str, code: int | None, signal: int | None
) -> None:
    running = await begin(launcher, shell(script))
    exit_ = await end(launcher, running)
    assert (exit_.code, exit_.signal, exit_.error, exit_.leftovers) == (code, signal, None, 0)
    assert exit_.ended_at > 0


async def test_a_program_finds_the_world_as_if_nobody_stood_behind_it(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.setenv("REMOVED", "1")
    script = """
import os, signal
print(os.getcwd(), os.environ.get("KEPT"), os.environ.get("REMOVED"), os.environ.get("ADDED"))
print(os.environ["ANYON_EXECUTION"], os.umask(0))
print(os.getsid(0) == os.getpid() == os.getpgid(0))
fds = [fd for fd in range(3, 64) if os.path.exists(f"/dev/fd/{fd}")]
print(fds, signal.pthread_sigmask(signal.SIG_BLOCK, ()))
import subprocess
subprocess.run(["/bin/sh", "-c", "kill -PIPE $$; echo not here"], restore_signals=False)
names = [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]
print([n for n in names if signal.getsignal(n) != signal.SIG_DFL])
"""
    running = await begin(launcher, python(script, env={"ADDED": "2", "REMOVED": None}))
    await end(launcher, running)
    lines = printed(launcher.spool(running.execution_id)).decode().splitlines()
    assert lines[0] == "/ 1 None 2"
    assert lines[1].startswith(running.execution_id)
    assert lines[2] == "True"
    assert lines[3] == "[] set()"
    assert lines[-1] == "[]"
    assert not alive(running.execution_id)
