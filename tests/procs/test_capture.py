"""A program that is asked one thing can do no harm, whatever it does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest
import trio

from anyond.model.refusals.programs import ToolFailed
from anyond.procs.capture import Capture, capture

ENVIRONMENT = {"PATH": os.environ["PATH"]}
TIMEOUT_S = 20.0


async def words(code: str, seconds: float = TIMEOUT_S, most: int = 1000) -> Capture:
    with trio.fail_after(TIMEOUT_S):
        return await capture(
            (sys.executable, "-I", "-c", code), ENVIRONMENT, seconds=seconds, most=most
        )


async def test_both_outputs_and_the_exit_code_are_told() -> None:
    code = "import sys; print('1.2', flush=True); print('odd', file=sys.stderr); sys.exit(3)"
    assert await words(code) == Capture(3, "1.2\nodd\n")


async def test_it_finds_nothing_to_read_and_nothing_of_ours_around_it() -> None:
    found = await words("import os, sys; print(repr(sys.stdin.read()), os.getcwd(), os.getsid(0))")
    text, cwd, session = found.text.split()
    assert (text, cwd) == ("''", "/")
    assert int(session) != os.getsid(0)


async def test_one_that_never_stops_talking_is_cut_short() -> None:
    found = await words("while True: print('x' * 10000)", most=5000)
    assert (found.code, found.text, found.cut) == (None, "x" * 5000, True)


async def test_one_that_hangs_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork():\n"
        "        os._exit(0)\n"
        f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        f"while len(open({str(pids)!r}).readlines()) < 2: time.sleep(0.01)\n"
        "print('begun', flush=True)\n"
        "time.sleep(600)\n"
    )
    found = await words(code, seconds=2.0)
    assert found.code is None
    left = [int(line) for line in pids.read_text().split()]
    assert len(left) == 2
    assert not any(psutil.pid_exists(pid) and _runs(pid) for pid in left)


async def test_a_child_that_keeps_the_output_open_delays_nothing() -> None:
    code = (
        "import os, sys, time\n"
        "print('2.0', flush=True)\n"
        "if os.fork() == 0: time.sleep(600)\n"
        "sys.exit(0)\n"
    )
    begun = trio.current_time()
    assert await words(code) == Capture(0, "2.0\n")
    assert trio.current_time() - begun < TIMEOUT_S / 2


async def test_what_is_no_program_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    with pytest.raises(ToolFailed, match="cannot be run: Permission denied"):
        await capture((str(file),), ENVIRONMENT, seconds=1, most=1)


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
