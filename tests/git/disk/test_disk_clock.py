"""The clock that gives files their times, which is not the one that programs look at."""

from __future__ import annotations

from pathlib import Path

from anyond.git.disk import disk_clock


async def test_what_is_written_after_a_second_was_reached_is_of_that_second(tmp_path: Path) -> None:
    probe, after = tmp_path / "private", tmp_path / "after"
    probe.mkdir()
    for _ in range(3):
        second = int(await disk_clock.now(probe)) + 1
        assert await disk_clock.reached(probe, second)
        after.write_bytes(b"after")
        assert second <= after.stat().st_mtime < second + 1


async def test_a_second_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    second = int(await disk_clock.now(tmp_path)) + 3600
    assert not await disk_clock.reached(tmp_path, second)


async def test_a_second_that_is_over_is_reached_at_once(tmp_path: Path) -> None:
    assert await disk_clock.reached(tmp_path, int(await disk_clock.now(tmp_path)))
