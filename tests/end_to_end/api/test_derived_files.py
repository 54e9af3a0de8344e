"""What is derived from a log is made anew from it, however it was damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon

Damage = Callable[[Path, Path], None]
"""What is done to a file; the second is the same one of another execution."""


def torn(file: Path, _: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


def shortened(file: Path, _: Path) -> None:
    content = file.read_bytes()
    if file.name == "log.idx":
        file.write_bytes(content[:8])
    else:
        file.write_bytes(content[: content.index(b"\n") + 1])


def foreign(file: Path, other: Path) -> None:
    file.write_bytes(other.read_bytes())


def garbage(file: Path, _: Path) -> None:
    file.write_bytes(b"\xff\x00garbage\n" * 50)


def one_byte(file: Path, _: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x04
    file.write_bytes(content)


def emptied(file: Path, _: Path) -> None:
    file.write_bytes(b"")


def gone(file: Path, _: Path) -> None:
    file.unlink()


DAMAGES = [torn, shortened, foreign, garbage, one_byte, emptied, gone]


async def both(daemon: Daemon, process: dict[str, Any]) -> tuple[Any, Any]:
    path = f"/api/execution-processes/{process['id']}"
    return (
        await daemon.frames(f"{path}/raw-logs/ws"),
        await daemon.frames(f"{path}/normalized-logs/ws"),
    )


@pytest.mark.parametrize("name", ["entries.jsonl", "log.idx"])
async def test_what_is_derived_from_a_log_is_made_anew_if_it_is_damaged(
    daemon: Daemon, name: str
) -> None:
    repository = daemon.repository()
    await daemon.use_fake_agent()
    script = "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.01; done"
    project = await daemon.project(repository, setup_script=script)
    attempt = await daemon.attempt(project, "say one\nwrite a.txt x\nsay two\nwrite b.txt y")
    await daemon.over(attempt)
    setup, agent = await daemon.processes(attempt)
    place = daemon.data / "executions"
    before = {one["id"]: await both(daemon, one) for one in (setup, agent)}
    for harm in DAMAGES:
        contents = {one["id"]: (place / one["id"] / name).read_bytes() for one in (setup, agent)}
        for one, other in ((setup, agent), (agent, setup)):
            file = place / one["id"] / name
            harm(file, place / other["id"] / name)
            assert await both(daemon, one) == before[one["id"]], (harm.__name__, one["run_reason"])
            assert file.read_bytes() == contents[one["id"]], harm.__name__


async def test_an_archive_of_an_earlier_version_is_taken_as_it_is(daemon: Daemon) -> None:
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(await daemon.project(), "say one")
    process = await daemon.over(attempt)
    before = await both(daemon, process)
    await daemon.stop()
    with closing(sqlite3.connect(daemon.data / "anyon.db")) as connection:
        connection.execute("UPDATE meta SET value = '9' WHERE key = 'archives_without_end'")
        connection.commit()
    file = daemon.data / "executions" / process["id"] / "entries.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    assert b'"end"' in lines[-1]
    file.write_bytes(b"".join(lines[:-1]))
    await daemon.start()
    assert await both(daemon, process) == before
    assert file.read_bytes() == b"".join(lines[:-1])
