"""Starting, finding again and attaching: once, never twice, and across the death of a daemon."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from anyond.model.errors import Conflict, Unavailable
from anyond.model.launch import Launch
from anyond.model.records import Stream
from anyond.model.refusals.programs import ProgramMissing, ToolFailed
from anyond.model.refusals.requests import Invalid
from anyond.procs.shims.launcher import Absent, Alive, Ended, Launcher, Lost
from anyond.shim import shim
from anyond.shim.protocol import PROTOCOL
from tests.support.processes.shim_programs import (
    LIMIT,
    alive,
    before_long,
    begin,
    end,
    name,
    printed,
    python,
    records,
    shell,
    shim_of,
    until,
    write_program,
)
from tests.support.processes.shim_sockets import connect

ECHO = "while read x; do echo heard $x; done; echo end"


async def test_a_missing_program_is_named_with_where_it_was_looked_for(launcher: Launcher) -> None:
    launch = Launch(
        argv=("no-such-agent",), cwd="/", env={"PATH": "/one:two"}, install="Get it by post."
    )
    with pytest.raises(ProgramMissing, match=r"no-such-agent.*/one, /two.*Get it by post"):
        await begin(launcher, launch)
    with pytest.raises(ProgramMissing, match=r"/bin/\./not/there"):
        await begin(launcher, Launch(argv=("./not/there",), cwd="/bin"))
    assert not list(launcher.root.iterdir())


async def test_a_program_is_found_in_the_path_and_directory_it_will_have(
    launcher: Launcher, tmp_path: Path
) -> None:
    (tmp_path / "tools").mkdir()
    write_program(tmp_path / "tools" / "agent", b'#!/bin/sh\necho "$0" "$1"\n')
    for argv0, path in (("agent", "tools:/bin"), ("tools/agent", "/bin")):
        launch = Launch(argv=(argv0, "a b"), cwd=str(tmp_path), env={"PATH": path})
        running = await begin(launcher, launch)
        await end(launcher, running)
        reported = printed(launcher.spool(running.execution_id)).decode()
        assert reported == f"{tmp_path}/tools/agent a b\n"


@pytest.mark.parametrize(
    ("content", "cwd", "why"),
    [
        (b"\x7fnonsense", ".", "Exec format error"),
        (b"#!/no/such/interpreter\n", ".", "interpreter"),
        (b"#!/bin/sh\n", "gone", "cannot enter the directory"),
        (b"#!/bin/sh\n", "a\0b", "null"),
    ],
)
async def test_why_a_program_cannot_be_started_is_told_and_written_down(
    launcher: Launcher, tmp_path: Path, content: bytes, cwd: str, why: str
) -> None:
    program = write_program(tmp_path / "agent", content)
    execution = name()
    with pytest.raises(ToolFailed, match=why):
        await launcher.start(
            execution, Launch(argv=(str(program),), cwd=f"{tmp_path}/{cwd}"), limit=LIMIT
        )
    found = launcher.look(execution)
    assert isinstance(found, Ended)
    assert found.exit.code is None
    assert why in (found.exit.error or "")


async def test_what_never_started_is_absent_and_leaves_nothing(launcher: Launcher) -> None:
    execution = name()
    assert launcher.look(execution) == Absent()
    with pytest.raises(Unavailable):
        await launcher.attach(execution)
    with pytest.raises(Invalid):
        launcher.spool("../elsewhere")


async def test_an_execution_is_started_once(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x"))
    with pytest.raises(Conflict):
        await launcher.start(running.execution_id, shell("echo twice"), limit=LIMIT)
    await running.close_stdin()
    await end(launcher, running)
    with pytest.raises(Conflict):
        await launcher.start(running.execution_id, shell("echo twice"), limit=LIMIT)
    assert printed(launcher.spool(running.execution_id)) == b""


def run_shim(spool: Path) -> int:
    argv = [sys.executable, "-I", "-S", shim.__file__, str(spool)]
    return subprocess.run(argv, stdout=subprocess.DEVNULL, timeout=30, check=False).returncode


async def test_a_shim_that_comes_too_late_starts_nothing(launcher: Launcher) -> None:
    running = await begin(launcher, shell("echo once"))
    await end(launcher, running)
    spool = launcher.spool(running.execution_id)
    assert run_shim(spool.path) == shim.REFUSED
    (spool.path / "exit.json").unlink()
    assert run_shim(spool.path) == shim.REFUSED  # because of run.json
    (spool.path / "run.json").unlink()
    assert launcher.look(running.execution_id) == Absent()
    assert run_shim(spool.path) == shim.REFUSED


async def test_a_program_that_ends_at_once_is_still_given_back(launcher: Launcher) -> None:
    for _ in range(5):
        running = await begin(launcher, shell("exit 0"))
        assert (await end(launcher, running)).code == 0


async def test_a_program_outlives_its_launcher_and_is_found_again(root: Path) -> None:
    async with Launcher.open(root) as first:
        running = await begin(first, shell(ECHO))
        pid, execution = running.pid, running.execution_id
        await running.write(b"one\n")
    async with Launcher.open(root) as second:
        assert second.look(execution) == Alive()
        again = await second.attach(execution)
        assert again.pid == pid
        await again.write(b"two\n")
        await again.close_stdin()
        assert (await end(second, again)).code == 0
        assert printed(second.spool(execution)) == b"heard one\nheard two\nend\n"


DOOMED = """
import sys, trio
from pathlib import Path
from anyond.model.launch import Launch
from anyond.procs.shims.launcher import Launcher

async def main(root, execution, script):
    async with Launcher.open(Path(root)) as launcher:
        launch = Launch(argv=("/bin/sh", "-c", script), cwd="/")
        running = await launcher.start(execution, launch, limit=1 << 30)
        for i in range(2000):
            await running.write(b"%d\\n" % i)
        print(running.pid, flush=True)
        await trio.sleep_forever()

trio.run(main, *sys.argv[1:])
"""


async def test_nothing_is_lost_when_the_daemon_is_killed(launcher: Launcher) -> None:
    execution = name()
    argv = [sys.executable, "-c", DOOMED, str(launcher.root), execution, ECHO]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment) as daemon:
        assert daemon.stdout is not None
        pid = int(await trio.to_thread.run_sync(daemon.stdout.readline))
        daemon.kill()
    running = await launcher.attach(execution)
    assert running.pid == pid
    spool = launcher.spool(execution)
    # All that was sent is executed before `attach` returns, so it is in the log already.
    assert printed(spool, Stream.STDIN) == b"".join(b"%d\n" % i for i in range(2000))
    await running.close_stdin()
    assert (await end(launcher, running)).code == 0
    expected = b"".join(b"heard %d\n" % i for i in range(2000))
    assert printed(spool) == expected + b"end\n"


async def test_a_second_connection_is_served_after_all_that_the_first_one_sent(
    launcher: Launcher,
) -> None:
    running = await begin(launcher, shell("read x"))
    await running.aclose()
    spool = launcher.spool(running.execution_id)
    first, second = connect(spool.path), connect(spool.path)
    second.sendall(b"note 6\nsecond")
    first.sendall(b"note 5\nfirst" * 100 + b"note 9\nunfin")
    first.close()
    second.close()
    again = await launcher.attach(running.execution_id)
    assert [r.data for r in records(spool)] == [b"first"] * 100 + [b"second"]
    await again.close_stdin()
    await end(launcher, again)


@pytest.mark.parametrize(
    "nonsense", [b"note x\n", b"dance 0\n", b"signal 1\nx", b"a" * 200, b"note 99999999999\n"]
)
async def test_nonsense_ends_a_connection_and_nothing_else(
    launcher: Launcher, nonsense: bytes
) -> None:
    running = await begin(launcher, shell("read x; echo $x"))
    await running.aclose()
    connection = connect(launcher.spool(running.execution_id).path)
    connection.sendall(nonsense)
    connection.settimeout(30)
    with connection, connection.makefile("rb") as answers:
        assert answers.read() == b"#%d\n" % PROTOCOL  # its greeting, and no more
    again = await launcher.attach(running.execution_id)
    await again.write(b"fine\n")
    await end(launcher, again)
    assert printed(launcher.spool(running.execution_id)) == b"fine\n"


async def test_a_caller_who_is_cancelled_cuts_no_message(launcher: Launcher) -> None:
    running = await begin(launcher, shell("cat"))
    spool = launcher.spool(running.execution_id)
    os.kill(shim_of(spool), signal.SIGSTOP)
    try:
        with trio.move_on_after(0.05) as scope:
            await running.write(b"x" * 5_000_000)
        assert scope.cancelled_caught
    finally:
        os.kill(shim_of(spool), signal.SIGCONT)
    await running.write(b"y")
    await running.close_stdin()
    await end(launcher, running)
    assert printed(spool) == b"x" * 5_000_000 + b"y"


async def test_a_shim_is_reached_in_a_directory_deeper_than_a_socket_may_be(
    tmp_path: Path,
) -> None:
    root = tmp_path / ("deep" * 20) / ("deeper" * 20)
    async with Launcher.open(root) as launcher:
        running = await begin(launcher, shell("read x; echo $x"))
        await running.write(b"hello\n")
        await end(launcher, running)
        assert printed(launcher.spool(running.execution_id)) == b"hello\n"


async def test_a_spool_is_private_and_keeps_no_secrets(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x", env={"API_KEY": "hunter2"}))
    path = launcher.spool(running.execution_id).path
    assert path.stat().st_mode & 0o777 == 0o700
    for file in path.iterdir():
        assert file.stat().st_mode & 0o077 == 0
        assert file.name == "s" or b"hunter2" not in file.read_bytes()
    await running.close_stdin()
    await end(launcher, running)


async def test_a_shim_that_fails_says_why(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = name()
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(ToolFailed, match="shim did not start"):
        await launcher.start(execution, shell("echo never"), limit=LIMIT)
    found = launcher.look(execution)
    assert isinstance(found, Ended)


async def test_a_crash_of_the_shim_itself_leaves_no_orphans(launcher: Launcher) -> None:
    # A limit that cannot be compared is found out with the first output, and not before.
    running = await begin(launcher, shell("read x; echo up; sleep 1000"), "much")  # type: ignore[arg-type]
    await running.write(b"go\n")
    assert "shim failed" in ((await end(launcher, running)).error or "")
    assert not alive(running.execution_id)


async def test_after_a_restart_of_the_machine_the_execution_is_lost(launcher: Launcher) -> None:
    running = await begin(launcher, shell("read x; echo $x"))
    spool = launcher.spool(running.execution_id)
    await running.write(b"hello\n")
    await end(launcher, running)
    (spool.path / "exit.json").unlink()
    run = (spool.path / "run.json").read_text()
    boot = run.split('"boot_id": "')[1].split('"')[0]
    (spool.path / "run.json").write_text(run.replace(boot, "another"))
    with (spool.path / "log").open("ab") as log:
        log.write(b"17 stdout 100\ncut by the power lo")
    lost = Lost("The machine was restarted while it ran.")
    await before_long(lambda: launcher.look(running.execution_id) == lost)
    await launcher.finalize_lost(running.execution_id, "lost")
    assert printed(spool) == b"hello\n"
    assert (spool.path / "log").read_bytes().endswith(b"hello\n")


def kilobytes(status: str) -> int:
    return int(status.split("VmRSS:")[1].split(maxsplit=1)[0])


def interpreter_alone() -> int:
    """The kilobytes of an interpreter that imports nothing and waits."""
    command = (sys.executable, "-I", "-S", "-c", "import sys; print(flush=True); sys.stdin.read()")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as alone:
        assert alone.stdout is not None
        alone.stdout.readline()
        return kilobytes(Path(f"/proc/{alone.pid}/status").read_text())


@pytest.mark.cost
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_a_shim_is_small_sleeps_and_holds_nothing_of_ours(
    launcher: Launcher, tmp_path: Path
) -> None:
    await end(launcher, await begin(launcher, shell("exit 0")))  # so that it is compiled
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        running = await begin(launcher, python("print('x' * 3_000_000); input()"))
        spool = launcher.spool(running.execution_id)
        await until(running, lambda: printed(spool).endswith(b"\n"))
    proc = Path(f"/proc/{shim_of(spool)}")

    def state() -> str:
        return proc.joinpath("stat").read_text().split(")")[1].split()[0]

    await before_long(lambda: state() == "S")
    # Nearly all of it is the interpreter, whose size is another one on each machine.
    assert kilobytes(proc.joinpath("status").read_text()) <= 1.6 * interpreter_alone()
    assert str(tmp_path / "ours") not in {os.readlink(fd) for fd in proc.joinpath("fd").iterdir()}
    await running.close_stdin()
    await end(launcher, running)
