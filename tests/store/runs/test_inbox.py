"""The inbox: what waits for a person, in which order, and what ends the waiting."""

from __future__ import annotations

from anyond.model.drafts import DraftPatch, DraftType
from anyond.model.http.board import Placing, Seeing
from anyond.model.http.inbox import InboxKind
from anyond.model.rows import ProcessStatus, TaskStatus
from anyond.store.board import drafts, placements, seen, tasks
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Tx
from anyond.store.runs import approvals, inbox, intents
from anyond.store.runs.intents import Intent
from tests.support.store.seeds import (
    add_attempt,
    add_family,
    add_process,
    add_project,
    at,
    emitted,
    end_process,
    question,
)

STOPPED = Intent(attempt_id="d", kind="rebase", name="main", tip="1", onto="2", created_at=at(9))


async def waiting(store: Store, project_id: str | None = None) -> list[tuple[InboxKind, str]]:
    items = await store.read(lambda r: inbox.fetch_all(r, project_id))
    return [(item.kind, item.attempt.id) for item in items]


def all_kinds(tx: Tx) -> None:
    add_family(tx)
    for number, name in enumerate("bcde", 1):
        add_attempt(tx, name, now=at(number))
    add_process(tx, "1", "a", now=at(1))
    end_process(tx, "1", now=at(2))
    add_process(tx, "2", "b", now=at(3))
    end_process(tx, "2", ProcessStatus.FAILED, now=at(4))
    add_process(tx, "3", "c", now=at(5))
    approvals.insert_if_absent(tx, question("q", "3", attempt="c"))
    intents.put(tx, STOPPED)
    drafts.save(tx, "e", DraftType.FOLLOW_UP, DraftPatch(prompt="And then"), at(6))


ALL = [
    (InboxKind.QUESTION, "c"),
    (InboxKind.FAILED, "b"),
    (InboxKind.CONFLICT, "d"),
    (InboxKind.FINISHED, "a"),
    (InboxKind.DRAFT, "e"),
]


async def test_everything_that_waits_is_there_questions_first(store: Store) -> None:
    await store.write(all_kinds)
    assert [one for one in await waiting(store) if one[1] != "d"] == [
        one for one in ALL if one[1] != "d"
    ], "a rebase that is under way waits for nobody"
    await store.write(lambda tx: intents.set_waits(tx, "d"))
    assert await waiting(store) == ALL
    assert await waiting(store, "p") == ALL
    await store.write(lambda tx: add_project(tx, "q"))
    assert await waiting(store, "q") == []


async def test_it_ends_when_it_was_seen_sent_solved_or_put_away(store: Store) -> None:
    await store.write(all_kinds)
    await store.write(lambda tx: intents.set_waits(tx, "d"))
    await store.write(lambda tx: seen.see(tx, "a", Seeing()))
    await store.write(lambda tx: seen.see(tx, "b", Seeing()))
    assert await waiting(store) == [one for one in ALL if one[1] != "a"], "a failure stays"
    await store.write(lambda tx: placements.archive_attempt(tx, "b", True, at(20)))
    await store.write(lambda tx: intents.delete(tx, "d"))
    await store.write(lambda tx: drafts.delete(tx, "e", DraftType.FOLLOW_UP, at(20)))
    assert await waiting(store) == [(InboxKind.QUESTION, "c")]
    await store.write(lambda tx: tasks.set_status(tx, "t", TaskStatus.DONE, at(21)))
    await store.write(lambda tx: placements.place(tx, "t", Placing(archived=True), at(22)))
    assert await waiting(store) == [(InboxKind.QUESTION, "c")], "who asks still waits"


def test_a_stopped_rebase_is_told_and_its_end_too(tx: Tx) -> None:
    add_family(tx)
    add_attempt(tx, "d")
    emitted(tx)
    intents.put(tx, STOPPED)
    assert not intents.fetch_waiting(tx)
    intents.set_waits(tx, "d")
    assert [one.attempt_id for one in intents.fetch_waiting(tx)] == ["d"]
    assert intents.delete(tx, "d")
    assert not intents.delete(tx, "d")
    assert emitted(tx) == [("intent_waits", "d"), ("intent_ended", "d")]
