"""Up to where a person has seen an attempt, and what is unseen after that."""

from __future__ import annotations

import pytest

from anyond.model.http.board import Seeing, Seen
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.store.board import placements, seen
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Tx
from anyond.store.runs import approvals
from tests.support.store.seeds import add_family, add_process, end_process, question


async def read(store: Store) -> Seen:
    return await store.read(lambda r: seen.get(r, "a"))


async def see(store: Store, seeing: Seeing) -> Seen:
    return await store.write(lambda tx: seen.see(tx, "a", seeing))


async def test_an_end_and_a_question_are_unseen_until_a_person_looks(store: Store) -> None:
    await store.write(add_family)
    assert await read(store) == Seen(task_attempt_id="a", position=0, moved=0, unseen=False)

    def asks(tx: Tx) -> None:
        add_process(tx)
        approvals.insert_if_absent(tx, question())

    await store.write(asks)
    assert (await read(store)).unseen
    asked = (await see(store, Seeing())).position
    assert asked == (await read(store)).moved, "the question was the last that happened"
    assert not (await read(store)).unseen
    await store.write(end_process)
    state = await read(store)
    assert (state.position, state.unseen) == (asked, True)
    assert (await store.read(lambda r: placements.get(r, "t"))).unseen
    assert (await see(store, Seeing(position=asked))).unseen, "what came later was not on screen"
    assert not (await see(store, Seeing(position=state.moved))).unseen
    assert (await see(store, Seeing(position=asked))).position == state.moved, "never backward"


async def test_it_can_be_marked_unseen_by_hand(store: Store) -> None:
    await store.write(add_family)
    assert (await see(store, Seeing(unseen=True))).unseen
    assert not (await see(store, Seeing())).unseen


async def test_followers_are_told_when_it_becomes_seen_or_unseen(store: Store) -> None:
    await store.write(add_family)
    position = store.changes.end
    for seeing in (Seeing(), Seeing(unseen=True), Seeing(unseen=True), Seeing(), Seeing()):
        await see(store, seeing)
    changes = await store.changes.follow(position).next()
    assert [(one.kind, one.attempt_id, one.project_id) for one in changes] == [
        ("seen_updated", "a", "p")
    ] * 2


async def test_what_has_not_happened_cannot_have_been_seen(store: Store) -> None:
    await store.write(add_family)
    with pytest.raises(Invalid, match="position"):
        await see(store, Seeing(position=store.changes.end + 1))
    with pytest.raises(NotFound):
        await store.write(lambda tx: seen.see(tx, "nobody", Seeing()))
