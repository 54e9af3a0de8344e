"""What a new session is told of the earlier ones."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.rows import (
    CodingAgentInitialRequest,
    ExecutorAction,
    ProcessStatus,
    RunReason,
    ScriptContext,
    ScriptRequest,
    Session,
)
from anyond.operations.resources import Resources
from anyond.operations.turn import recap
from anyond.operations.turn.turn_record import SentMessage, TurnRecord
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes, sessions
from tests.support.store.seeds import add_family, add_process, at, end_process


def run(
    tx: Tx, number: int, prompt: str, summary: str | None = None, messages: Sequence[str] = ()
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
    sent = [SentMessage(prompt=text, text=text) for text in messages]
    saved = TurnRecord(executor=Executor.DEMO, prompt=prompt, cwd="/w", messages=sent)
    sessions.keep_turn(tx, id, saved.encode())
    return id


def past(tx: Tx, prompt: str) -> str:
    """What a run that comes last is told, before anything about it is known."""
    add_process(tx, "last", now=at(50))
    return recap.past(tx, processes.get(tx, "last"), prompt)


async def test_the_first_run_has_no_past(resources: Resources) -> None:
    def work(tx: Tx) -> str:
        add_family(tx)
        return past(tx, "Go")

    assert await resources.store.write(work) == ""


async def test_it_is_what_was_told_and_answered_in_order_without_what_was_replaced(
    resources: Resources,
) -> None:
    def work(tx: Tx) -> str:
        add_family(tx)
        for number, (prompt, summary, messages) in enumerate(
            [
                ("Build it", "Built.", ["In red"]),
                ("Break it", "Broken.", []),
                ("Mend it", None, []),
                ("Paint it", None, []),
            ]
        ):
            id = run(tx, number, prompt, summary, messages)
            end_process(tx, id)
        tx.execute("UPDATE execution_processes SET dropped = 1 WHERE id = 'x1'")
        return past(tx, "Paint it")

    assert await resources.store.write(work) == (
        "What was said in this conversation before, the oldest first:\n\n"
        "[The user]\nBuild it\n\n[The user]\nIn red\n\n"
        "[You, at the end of your work]\nBuilt.\n\n"
        "[The user]\nMend it"
    )


async def test_a_long_past_is_the_task_and_the_newest_of_it(resources: Resources) -> None:
    def work(tx: Tx) -> str:
        add_family(tx)
        for number in range(20):
            end_process(tx, run(tx, number, f"Wish {number} " + "é" * 3500, "Done. " * 100))
        return past(tx, "Go")

    text = await resources.store.write(work)
    assert len(text) <= recap.MOST
    assert [number for number in range(20) if f"Wish {number} " in text] == [0, 18, 19]
    assert "(The rest of the first 18 turns is left out.)" in text


def first_setup(tx: Tx, prompt: str = "Build it") -> None:
    """The setup script with which an attempt begins, before an agent; it has failed."""
    add_family(tx)
    agent = CodingAgentInitialRequest(
        prompt=prompt, executor_profile_id=ExecutorProfileId(executor=Executor.DEMO)
    )
    script = ScriptRequest(script="exit 7", context=ScriptContext.SETUP)
    action = ExecutorAction(typ=script, next_action=ExecutorAction(typ=agent))
    processes.insert(
        tx, id="s", attempt_id="a", run_reason=RunReason.SETUP_SCRIPT, executor_action=action,
        now=at(1),
    )  # fmt: skip
    end_process(tx, "s", ProcessStatus.FAILED)


def asked_now(tx: Tx, id: str, number: int) -> tuple[str | None, str]:
    """The task that a run which asks `Do it` has to tell, and the past that it tells."""
    add_process(tx, id, now=at(number))
    row = processes.get(tx, id)
    task = recap.unasked(tx, row)
    text = task, recap.past(tx, row, "Do it", task)
    sessions.upsert(tx, Session(execution_process_id=id, task_attempt_id="a", session_id=None,
                                prompt=f"Do it {number}", summary=None))  # fmt: skip
    end_process(tx, id)
    return text


async def test_a_task_that_no_agent_was_asked_for_is_told_with_the_first_message(
    resources: Resources,
) -> None:
    def work(tx: Tx) -> list[tuple[str | None, str]]:
        first_setup(tx)
        return [asked_now(tx, "x2", 2), asked_now(tx, "x3", 3)]

    first, second = await resources.store.write(work)
    assert first == ("Build it", "")
    # The first may never have heard it, or have forgotten it since.
    assert second == (
        "Build it",
        "What was said in this conversation before, the oldest first:\n\n"
        "[The user]\nBuild it\n\n[The user]\nDo it 2",
    )


async def test_a_task_is_not_told_again_to_the_agent_that_is_asked_for_it(
    resources: Resources,
) -> None:
    def work(tx: Tx) -> tuple[str | None, str]:
        first_setup(tx, "Do it")
        return asked_now(tx, "x2", 2)

    assert await resources.store.write(work) == (None, "")


async def test_a_task_is_told_again_if_what_it_was_told_with_is_replaced(
    resources: Resources,
) -> None:
    def work(tx: Tx) -> tuple[str | None, str]:
        first_setup(tx)
        asked_now(tx, "x2", 2)
        tx.execute("UPDATE execution_processes SET dropped = 1 WHERE id = 'x2'")
        return asked_now(tx, "x3", 3)

    assert await resources.store.write(work) == ("Build it", "")
