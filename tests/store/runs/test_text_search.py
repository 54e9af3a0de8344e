"""What is found in texts, in which order, and what hostile queries come to."""

from __future__ import annotations

import random
import string
from contextlib import suppress

import pytest

from anyond.model.http.found import FoundKind, SearchHit
from anyond.model.refusals.requests import Invalid
from anyond.model.rows import TaskStatus
from anyond.store.board import projects, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import text_query, text_search, texts
from anyond.store.runs.texts import Text, Unread
from tests.support.store.seeds import (
    add_attempt,
    add_family,
    add_process,
    add_project,
    add_task,
    at,
    end_process,
)

HOSTILE = (
    "'; DROP TABLE tasks; --",
    '"',
    '""',
    '" OR ""',
    "text:x",
    "{text} : x",
    "NEAR(a b, 3)",
    "a* ^b -c +d",
    "a\0b",
    "\ud800tea",
    "rank MATCH 'x'",
    "project:' agent:\" status:done",
    "*" * 1000,
    "﷽ 🫖 \u202e",
    "((((" * 200,
)


def found(tx: Tx, q: str, limit: int = 10, before: int | None = None) -> list[SearchHit]:
    return text_search.search(tx, text_query.parse(q), limit, before).hits


def conversation(tx: Tx) -> None:
    """The task t, and what its attempt a has said."""
    add_family(tx)
    add_process(tx, "x", now=at(1))
    end_process(tx, "x", now=at(9))
    texts.read_tasks(tx, ["t"])
    run = texts.unread(tx, "x")
    assert run == Unread("x", "a", "t", at(9))
    said = [
        Text(FoundKind.MESSAGE, 0, at(2), "Brew the Oolong for five minutes"),
        Text(FoundKind.COMMAND, 1, at(3), "pytest tests/tea_timer"),
        Text(FoundKind.PATH, 2, at(4), "src/Tasse/café.py"),
    ]
    texts.add(tx, run, said)


def test_titles_messages_commands_and_paths_are_found_with_their_entry(tx: Tx) -> None:
    conversation(tx)
    (hit,) = found(tx, "ool minutes")
    assert (hit.kind, hit.entry, hit.execution_process_id) == (FoundKind.MESSAGE, 0, "x")
    assert (hit.task_id, hit.task_attempt_id, hit.number, hit.at) == ("t", "a", 1, at(2))
    assert [hit.excerpt[start:end] for start, end in hit.ranges] == ["Oolong", "minutes"]
    assert found(tx, "tea_timer")[0].kind is FoundKind.COMMAND
    assert found(tx, "cafe")[0].excerpt == "src/Tasse/café.py", "accents do not matter"
    assert [hit.kind for hit in found(tx, "Task")] == [FoundKind.TASK]
    assert found(tx, '"five oolong"') == []
    assert found(tx, "oolong coffee") == []


def test_filters_narrow_it_and_pages_go_on(tx: Tx) -> None:
    conversation(tx)
    add_project(tx, "q")
    add_task(tx, "u", "q", now=at(20))
    add_attempt(tx, "b", "u", executor="CODEX", now=at(20))
    texts.read_tasks(tx, ["u"])
    assert {hit.task_id for hit in found(tx, "task")} == {"t", "u"}
    assert [hit.task_id for hit in found(tx, "task project:Q")] == ["u"]
    assert [hit.task_id for hit in found(tx, "task agent:codex")] == ["u"]
    assert [hit.task_id for hit in found(tx, "task agent:claude_code")] == ["t"]
    assert [hit.task_id for hit in found(tx, f"before:{at(3)}")][-1] == "t"
    assert {hit.at for hit in found(tx, f"after:{at(3)} project:p")} == {at(3), at(4)}
    tasks.set_status(tx, "u", TaskStatus.DONE, at(21))
    assert [hit.task_id for hit in found(tx, "status:done task")] == ["u"]
    page = text_search.search(tx, text_query.parse("project:p"), 3, None)
    assert len(page.hits) == 3
    assert page.cursor is not None
    rest = text_search.search(tx, text_query.parse("project:p"), 3, int(page.cursor))
    assert (len(rest.hits), rest.cursor) == (1, None)


def test_a_change_replaces_and_a_deletion_removes_what_can_be_found(tx: Tx) -> None:
    conversation(tx)
    tx.execute("UPDATE tasks SET title = 'Pour it' WHERE id = 't'")
    assert texts.unread_tasks(tx) == ["t"]
    texts.read_tasks(tx, ["t", "nobody"])
    assert texts.unread_tasks(tx) == []
    assert found(tx, "task") == []
    assert len(found(tx, "pour")) == 1
    assert texts.unread_executions(tx) == []
    texts.forget_execution(tx, "x")
    assert found(tx, "oolong") == []
    assert texts.unread_executions(tx) == ["x"]
    tasks.delete(tx, "t", at(30))
    assert found(tx, "pour") == []
    texts.add(tx, Unread("x", "a", "t", at(9)), [Text(FoundKind.PATH, 0, at(1), "late")])
    tx.execute("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
    assert tx.execute("SELECT COUNT(*) FROM search_texts").fetchone() == (0,)
    projects.delete(tx, "p", at(31))


@pytest.mark.parametrize("query", HOSTILE)
def test_a_hostile_query_finds_nothing_or_is_refused(tx: Tx, query: str) -> None:
    conversation(tx)
    with suppress(Invalid):  # a filter that cannot be, said in plain words
        assert all(hit.task_id == "t" for hit in found(tx, query))


def test_no_query_at_all_is_an_error_of_sql(tx: Tx) -> None:
    conversation(tx)
    alphabet = string.printable + "\0\x02\x03éß漢\ud800" + '"' * 10 + "*:^-+(){}" * 3
    dice = random.Random(7)
    for _ in range(2_000):
        query = "".join(dice.choices(alphabet, k=dice.randrange(30)))
        try:
            found(tx, query)
        except Invalid:
            continue
