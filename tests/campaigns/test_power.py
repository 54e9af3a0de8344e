"""The disk of the power campaign, and a daemon that comes back on what a power loss leaves."""

from __future__ import annotations

import stat
from pathlib import Path
from random import Random

import pytest

from campaigns.power.disk import PAGE, ROOT, Change, Live, remaining
from campaigns.power.trial import Trial, why_not


class Disk:
    """A live file system whose clock counts its changes."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.live = Live(self.changes.append, lambda: float(len(self.changes)))

    def file(self, name: bytes, content: bytes, *, synced: bool = False) -> int:
        node = self.live.make(ROOT, name, stat.S_IFREG | 0o600).id
        self.live.change("write", node, 0, content)
        if synced:
            self.live.change("sync", node)
        return node

    def left(self, dice: int | None = None) -> dict[bytes, bytes]:
        found = remaining(self.changes, 1e9, Random(dice), worst=dice is None)
        return {
            name: bytes(found.nodes[number].data)
            for name, number in found.nodes[ROOT].entries.items()
        }


def test_what_was_not_synced_is_lost_and_what_was_is_there() -> None:
    disk = Disk()
    disk.file(b"a", b"before", synced=True)
    disk.file(b"b", b"lost")
    assert disk.left() == {b"a": b"before"}


def test_a_file_that_has_grown_may_have_zeros() -> None:
    disk = Disk()
    node = disk.file(b"a", b"x" * PAGE, synced=True)
    disk.live.change("write", node, PAGE, b"y" * PAGE)
    found = {disk.left(seed)[b"a"][PAGE:] for seed in range(60)}
    assert found == {b"", bytes(PAGE), b"y" * PAGE}


def test_a_page_is_as_it_was_after_some_write() -> None:
    disk = Disk()
    node = disk.file(b"a", b"x" * 10, synced=True)
    for number, text in enumerate((b"1", b"2", b"3"), start=1):
        disk.live.change("write", node, 10 * number, text * 10)
    whole = b"x" * 10 + b"1" * 10 + b"2" * 10 + b"3" * 10
    found = {disk.left(seed)[b"a"].rstrip(b"\0") for seed in range(200)}
    assert found == {whole[:10], whole[:20], whole[:30], whole}


def test_a_rename_needs_a_sync_of_its_directory() -> None:
    disk = Disk()
    disk.file(b"a", b"old", synced=True)
    disk.file(b"a.new", b"new", synced=True)
    disk.live.rename(ROOT, b"a.new", ROOT, b"a")
    assert disk.left() == {b"a": b"old", b"a.new": b"new"}
    disk.live.change("sync", ROOT)
    assert disk.left() == {b"a": b"new"}


def test_names_come_to_the_disk_in_their_order() -> None:
    disk = Disk()
    disk.file(b"a", b"1")
    disk.file(b"b", b"2")
    disk.file(b"c", b"3", synced=True)
    assert set(disk.left()) == {b"a", b"b", b"c"}
    assert disk.left()[b"c"] == b"3"


def test_what_clients_were_told_is_there_after_a_power_loss(tmp_path: Path) -> None:
    if missing := why_not():
        pytest.skip(missing)
    trial = Trial(tmp_path, Random("11"), seconds=0.0, clients=2)
    trial.record()
    merged = next(fact for fact in trial.facts if fact.kind == "status")
    trial.cut_at(merged.at, worst=True)
    assert trial.wrong == []
    assert trial.facts_of_kind["log"] > 0
