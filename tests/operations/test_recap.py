"""What a new session is told of the earlier ones."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.model.rows import Session
from anyond.model.settings import Executor
from anyond.operations import recap
from anyond.operations.rooms import Rooms
from anyond.operations.turn_record import Said, TurnRecord
from anyond.store import processes, sessions
from anyond.store.transaction import Tx
from tests.store.store_seeds import add_family, add_process, at, end_process


def run(
    tx: Tx, number: int, prompt: str, summary: str | None = None, said: Sequence[str] = ()
) -> str:
    """A run of the agent in the one attempt."""
    id = f"x{number}"
    add_process(tx, id, now=at(number))
    session = Session(
        execution_process_id=id,
        task_attempt_id="a",
        session_id=None,
        prompt=f"{prompt} as written",
        summary=summary,
    )
    sessions.upsert(tx, session)
    heard = [Said(prompt=text, told=text) for text in said]
    kept = TurnRecord(executor=Executor.DEMO, prompt=prompt, cwd="/w", said=heard)
    sessions.keep_turn(tx, id, kept.encode())
    return id


def past(tx: Tx, prompt: str) -> str:
    """What a run that comes last is told, before anything about it is known."""
    add_process(tx, "last", now=at(50))
    return recap.past(tx, processes.get(tx, "last"), prompt)


async def test_the_first_run_has_no_past(rooms: Rooms) -> None:
    def work(tx: Tx) -> str:
        add_family(tx)
        return past(tx, "Go")

    assert await rooms.store.write(work) == ""


async def test_it_is_what_was_told_and_answered_in_order_without_what_was_replaced(
    rooms: Rooms,
) -> None:
    def work(tx: Tx) -> str:
        add_family(tx)
        for number, (prompt, summary, said) in enumerate(
            [
                ("Build it", "Built.", ["In red"]),
                ("Break it", "Broken.", []),
                ("Mend it", None, []),
                ("Paint it", None, []),
            ]
        ):
            id = run(tx, number, prompt, summary, said)
            end_process(tx, id)
        tx.execute("UPDATE execution_processes SET dropped = 1 WHERE id = 'x1'")
        return past(tx, "Paint it")

    assert await rooms.store.write(work) == (
        "What was said in this conversation before, the oldest first:\n\n"
        "[The user]\nBuild it\n\n[The user]\nIn red\n\n"
        "[You, at the end of your work]\nBuilt.\n\n"
        "[The user]\nMend it"
    )


async def test_a_long_past_is_the_task_and_the_newest_of_it(rooms: Rooms) -> None:
    def work(tx: Tx) -> str:
        add_family(tx)
        for number in range(20):
            end_process(tx, run(tx, number, f"Wish {number} " + "é" * 3500, "Done. " * 100))
        return past(tx, "Go")

    told = await rooms.store.write(work)
    assert len(told) <= recap.MOST
    assert [number for number in range(20) if f"Wish {number} " in told] == [0, 18, 19]
    assert "(The rest of the first 18 turns is left out.)" in told
