"""The change log: followed, resumed, pruned, and found again after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
import trio.testing
from msgspec import Struct

from anyond.model.errors import Unavailable
from anyond.model.refusals.daemon import Gone
from anyond.model.rows import Change
from anyond.store.engine import changes
from anyond.store.engine.changes import ChangeCursor
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Tx


class Note(Struct):
    text: str


async def note(store: Store, *texts: str) -> None:
    def work(tx: Tx) -> None:
        for text in texts:
            tx.emit("note", Note(text), project_id="p", attempt_id="a", key=text, dropped=True)

    await store.write(work)


async def drain(cursor: ChangeCursor, end: int, most: int = 500) -> list[str | None]:
    found: list[str | None] = []
    while cursor.position < end:
        page = await cursor.next(most)
        assert 1 <= len(page) <= most
        assert page[0].position == cursor.position - len(page) + 1
        found += [change.key for change in page]
    return found


async def test_a_follower_gets_every_committed_change_whole_and_in_order(store: Store) -> None:
    cursor = store.changes.follow(0)
    await note(store, "a", "b")
    await note(store, "c")
    page = await cursor.next()
    assert [change.position for change in page] == [1, 2, 3]
    assert page[2] == Change(
        position=3,
        kind="note",
        data=b'{"text":"c"}',
        project_id="p",
        attempt_id="a",
        key="c",
        dropped=True,
    )
    assert cursor.position == store.changes.end == 3


async def test_a_follower_waits_for_the_next_change_and_all_wake(store: Store) -> None:
    got: list[list[str | None]] = []

    async def wait(cursor: ChangeCursor) -> None:
        got.append([change.key for change in await cursor.next()])

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(wait, store.changes.follow(0))
        await trio.testing.wait_all_tasks_blocked()
        assert got == []
        await note(store, "a")
    assert got == [["a"]] * 3


async def test_a_change_is_there_before_the_write_is_answered(store: Store) -> None:
    for number in range(1, 20):
        await note(store, str(number))
        assert store.changes.end == number


async def test_a_cancelled_follower_has_taken_nothing(store: Store) -> None:
    cursor = store.changes.follow(0)
    with trio.move_on_after(0):
        await cursor.next()
    await note(store, "a")
    with trio.move_on_after(0):
        await cursor.next()
    assert cursor.position == 0
    assert [change.key for change in await cursor.next()] == ["a"]


async def test_a_follower_may_resume_anywhere(store: Store) -> None:
    await note(store, *"abcdef")
    for after in range(7):
        assert await drain(store.changes.follow(after), 6, most=2) == list("abcdef"[after:])
    for nonsense in (-1, 7):
        with pytest.raises(Gone, match=f"after position {nonsense}"):
            store.changes.follow(nonsense)


async def test_positions_go_on_after_a_restart(path: Path) -> None:
    async with Store.open(path) as store:
        await note(store, *"abc")
    async with Store.open(path) as store:
        cursor = store.changes.follow(1)
        await note(store, *"de")
        assert store.changes.end == 5
        assert await drain(cursor, 5) == list("bcde")


async def test_the_memory_and_the_table_tell_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "TAIL_CHANGES", 10)
    expected = [str(number) for number in range(50)]
    for start in range(0, 50, 5):
        await note(store, *expected[start : start + 5])
    assert len(store.changes._tail) == 10
    for after in (0, 20, 39, 40, 45):
        assert await drain(store.changes.follow(after), 50, most=7) == expected[after:]


async def test_the_memory_is_bounded_by_bytes_and_long_changes_are_still_delivered(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "TAIL_BYTES", 20_000)
    monkeypatch.setattr(changes, "_PAGE_BYTES", 20_000)
    texts = [letter * 6000 for letter in "abcdef"]
    for text in texts:
        await note(store, text)
        assert store.changes._tail_bytes <= 20_000
    await note(store, "g" * 50_000)
    assert store.changes._tail == []
    assert store.changes._tail_bytes == 0
    cursor = store.changes.follow(0)
    assert len(await cursor.next()) == 4, "a page ends where it is long enough"
    assert await drain(cursor, 7) == [*texts[4:], "g" * 50_000]


async def test_old_changes_are_pruned_and_who_needs_them_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "TAIL_CHANGES", 2)
    async with Store.open(path, keep=20) as store:
        slow = store.changes.follow(0)
        for number in range(100):
            await note(store, str(number))
        oldest = store.changes.oldest
        assert 40 <= oldest <= 80
        held = await store.read(
            lambda r: r.execute("SELECT MIN(position), COUNT(*) FROM changes").fetchone()
        )
        assert held == (oldest + 1, 100 - oldest)
        assert len(await drain(store.changes.follow(oldest), 100)) == 100 - oldest
        with pytest.raises(Gone) as gone:
            store.changes.follow(oldest - 1)
        assert gone.value.data == {"type": "gone", "oldest": oldest, "end": 100}
        with pytest.raises(Gone):
            await slow.next()
    async with Store.open(path, keep=20) as store:
        assert (store.changes.oldest, store.changes.end) == (oldest, 100)


async def test_pruning_catches_up_in_steps(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_PRUNE_STEP", 10)
    async with Store.open(path) as store:
        await note(store, *map(str, range(100)))
        assert store.changes.oldest == 0
    async with Store.open(path, keep=50) as store:
        steps = []
        for _ in range(8):
            await note(store, "more")
            steps.append(store.changes.oldest)
        assert steps == [10, 20, 30, 40, 50, 50, 50, 50]


async def test_closing_wakes_those_who_wait(path: Path) -> None:
    async with trio.open_nursery() as nursery:

        async def follow(cursor: ChangeCursor) -> None:
            with pytest.raises(Unavailable, match="closed"):
                await cursor.next()

        async with Store.open(path) as store:
            nursery.start_soon(follow, store.changes.follow(0))
            await trio.testing.wait_all_tasks_blocked()
