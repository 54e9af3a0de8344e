"""A log that grows too large is shortened in its middle; a full disk loses nothing."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from anyond.model.records import Stream
from anyond.procs.shims.launcher import Launcher
from anyond.shim.spool.output import READ, TAIL
from tests.support.processes.shim_programs import (
    before_long,
    begin,
    end,
    frames,
    printed,
    python,
    records,
    shim_of,
    until,
)

LINES = "import os\nfor i in range(%d): os.write(1, b'%%07d %%s\\n' %% (i, b'x' * 500))"
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs prlimit or holes")


@linux
async def test_a_log_beyond_its_limit_keeps_its_head_and_its_newest_part(
    launcher: Launcher,
) -> None:
    limit = 1 << 20
    running = await begin(launcher, python(LINES % 20_000), limit)
    await end(launcher, running)
    spool = launcher.spool(running.execution_id)
    gap = spool.gap()
    assert gap is not None
    assert spool.size() > 10_000_000
    assert (spool.path / "log").stat().st_blocks * 512 <= limit * 1.3
    found = frames(spool)
    notices = [f for f in found if f.left_out]
    assert [f.n for f in notices] == [gap.first_frame]
    assert notices[0].data.startswith(f"[anyon] {gap.bytes:,} bytes".encode())
    assert [f.n for f in found] == [
        *range(gap.first_frame + 1),
        *range(gap.end_frame, spool.frames()),
    ]
    saved = b"".join(f.data for f in found if not f.left_out).splitlines()
    assert saved[0].startswith(b"0000000 ")
    assert saved[-1].startswith(b"0019999 ")
    assert all(len(line) == 508 for line in saved)
    head = gap.start
    assert limit // 2 <= head
    # It ends at a record; on a busy machine each is all that one read takes from a pipe.
    assert 3 * limit // 8 - READ - TAIL <= spool.size() - gap.end <= limit
    assert b"".join(r.data for r in records(spool)).splitlines() == saved


@linux
async def test_a_reader_that_lags_behind_is_told_what_it_missed(launcher: Launcher) -> None:
    script = LINES % 2000 + "\nos.read(0, 9)\n" + (LINES % 20_000).partition("\n")[2]
    running = await begin(launcher, python(script), 1 << 21)
    spool = launcher.spool(running.execution_id)
    await until(running, lambda: printed(spool).count(b"\n") == 2000)
    assert spool.gap() is None
    reader = spool.output()
    early = reader.read(1)
    await running.write(b"go\n")
    await end(launcher, running)
    found = early
    while batch := reader.read(1 << 12):
        found += batch
    gap = spool.gap()
    assert gap is not None
    numbers = [f.n for f in found]
    assert numbers == [*range(gap.first_frame + 1), *range(gap.end_frame, spool.frames())]
    assert all(len(line) == 508 for f in found if not f.left_out for line in f.data.splitlines())


@linux
async def test_a_full_disk_is_reported_and_waited_for(launcher: Launcher, tmp_path: Path) -> None:
    running = await begin(launcher, python("input()\n" + LINES % 3000))
    spool = launcher.spool(running.execution_id)
    shim = shim_of(spool)
    # The kernel refuses to let any file of the shim grow beyond this, in the middle of a record.
    _, hard = resource.prlimit(shim, resource.RLIMIT_FSIZE)
    resource.prlimit(shim, resource.RLIMIT_FSIZE, (100_001, hard))
    await running.write(b"go\n")
    await until(running, lambda: running.trouble)
    found = records(spool)
    assert spool.size() <= 100_001
    assert all(len(line) == 508 for r in found[1:] for line in r.data.splitlines())
    # Who comes now is told, and is obeyed.
    await running.aclose()
    running = await launcher.attach(running.execution_id)
    assert running.trouble
    await running.note(b"a remark")
    await running.write(b"more\n")
    resource.prlimit(shim, resource.RLIMIT_FSIZE, (hard, hard))
    await until(running, lambda: not running.trouble or spool.exit())
    assert (await end(launcher, running)).code == 0
    expected = b"".join(b"%07d %s\n" % (i, b"x" * 500) for i in range(3000))
    assert printed(spool) == expected
    assert printed(spool, Stream.NOTE) == b"a remark"
    assert spool.frames() == len(frames(spool))


@linux
async def test_an_end_that_a_full_disk_does_not_take_is_written_later(launcher: Launcher) -> None:
    running = await begin(launcher, python("import sys; sys.stdin.read()"))
    spool = launcher.spool(running.execution_id)
    shim = shim_of(spool)
    _, hard = resource.prlimit(shim, resource.RLIMIT_FSIZE)
    resource.prlimit(shim, resource.RLIMIT_FSIZE, (8, hard))
    await running.close_stdin()
    await until(running, lambda: running.trouble)
    resource.prlimit(shim, resource.RLIMIT_FSIZE, (hard, hard))
    assert (await end(launcher, running)).code == 0


@linux
async def test_while_the_disk_is_full_the_program_waits_and_can_be_killed(
    launcher: Launcher,
) -> None:
    endless = "import os\nwhile True: os.write(1, b'y' * 99 + b'\\n')"
    running = await begin(launcher, python(f"input()\n{endless}"))
    spool = launcher.spool(running.execution_id)
    shim = shim_of(spool)
    _, hard = resource.prlimit(shim, resource.RLIMIT_FSIZE)
    resource.prlimit(shim, resource.RLIMIT_FSIZE, (100_001, hard))
    await running.write(b"go\n")
    await until(running, lambda: running.trouble)

    rest = 0

    def at_rest() -> bool:
        """Whether both slept at each of the last twenty looks."""
        nonlocal rest
        states = {Path(f"/proc/{p}/stat").read_text().split(")")[1][1] for p in (shim, running.pid)}
        rest = rest + 1 if states == {"S"} else 0
        return rest > 20

    def kilobytes() -> int:
        status = Path(f"/proc/{shim}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    await before_long(at_rest)
    assert kilobytes() < 40 * 1024
    await running.kill()
    resource.prlimit(shim, resource.RLIMIT_FSIZE, (hard, hard))
    assert (await end(launcher, running)).signal == 9
    assert set(printed(spool).splitlines()[:-1]) == {b"y" * 99}
    assert len(printed(spool)) > 8 << 20
