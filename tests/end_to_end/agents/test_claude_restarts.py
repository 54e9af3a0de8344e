"""The daemon is killed while the real Claude Code works: it goes on, and does everything once."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from anyond.model.records import Stream
from anyond.procs.spools.spool import Spool
from tests.support.daemon import Daemon
from tests.support.real_agents.claude_cli import MODEL, Person, family, lines, printed, tools

pytestmark = pytest.mark.agents


async def test_a_question_stays_open_while_the_daemon_is_dead(person: Person) -> None:
    daemon = person.daemon
    attempt = await person.start("basic")
    process = await daemon.running(attempt)
    question = await daemon.question()
    received = await person.hears(process, "can_use_tool")
    agent = _run(daemon, process)["pid"]
    await daemon.kill()
    assert agent in family(process)
    await daemon.start()
    assert await daemon.ask("GET", "/api/approvals?status=pending") == [question]
    assert agent in family(process)
    await person.approve(question)
    await person.approve(await daemon.question())
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    entries = await daemon.entries(ended)
    assert [(e["entry_type"]["type"], e["content"]) for e in entries[:-1]] == [
        ("user_message", process["executor_action"]["typ"]["prompt"]),
        ("system_message", f"Model: {MODEL}"),
        ("thinking", "I should write the file first, then run a command to check it."),
        ("assistant_message", "I'll write the file first."),
        ("tool_use", "hello.txt"),
        ("assistant_message", "Now I'll run a command."),
        ("tool_use", "cat hello.txt && echo done > ran.txt && wc -l hello.txt"),
        ("assistant_message", "All done: wrote hello.txt and checked it."),
    ]
    assert entries[-1]["entry_type"]["type"] == "token_usage"
    assert [status["status"] for _, status in tools(entries)] == ["success", "success"]
    raw = await daemon.raw(ended)
    assert raw.startswith(received)
    assert [line["type"] for line in lines(raw)].count("result") == 1
    assert [line.get("subtype") for line in lines(raw)].count("init") == 1


async def test_a_text_is_complete_although_nobody_listened_for_a_while(person: Person) -> None:
    daemon = person.daemon
    attempt = await person.start("gate", "DEFAULT")
    process = await daemon.running(attempt)
    log = daemon.data / "executions" / process["id"] / "log"
    begun = await person.sees(process, lambda e: e["content"] == "The first part, ")
    await daemon.kill()
    await daemon.start()
    again = await person.sees(process, lambda e: e["content"] == "The first part, ")
    assert again["index"] == begun["index"]
    person.gate.with_name("gate-1").touch()
    grown = await person.sees(process, lambda e: e["content"].endswith("the second part, "))
    assert grown["index"] == begun["index"]
    await daemon.kill()
    person.gate.with_name("gate-2").touch()

    async def finished() -> bool:
        return b'"type":"result"' in log.read_bytes()

    await daemon.until(finished, "the end of the turn")
    await daemon.start()
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    entries = await daemon.entries(ended)
    assert printed(entries) == ["The first part, the second part, the third part."]
    assert printed(entries, "user_message") == [process["executor_action"]["typ"]["prompt"]]
    pieces = [
        line["event"]["delta"]["text"]
        for line in lines(await daemon.raw(ended))
        if line["type"] == "stream_event" and line["event"].get("delta", {}).get("text")
    ]
    assert pieces == ["The first part, ", "the second part, ", "the third part."]


async def test_a_decision_reaches_the_agent_once_wherever_the_crash_falls(
    person: Person,
) -> None:
    """One is only a row, one has arrived, one is on its way, one was just made."""
    daemon = person.daemon
    fates = ("only a row", "arrived", "on its way", "just made")
    attempts = {fate: await person.start("once") for fate in fates}
    processes = {fate: await daemon.running(attempts[fate]) for fate in fates}
    questions = {fate: await person.question_of(attempts[fate]) for fate in fates}

    async def ran() -> bool:
        return (Path(attempts["arrived"]["container_ref"]) / "ran.txt").exists()

    async def attached() -> bool:
        return "attached" in daemon.log()

    await person.approve(questions["arrived"])
    await daemon.until(ran, "the command")
    shim = _run(daemon, processes["on its way"])["shim_pid"]
    async with trio.open_nursery() as nursery:
        with _stopped(shim):
            await person.approve(questions["on its way"])
            await person.approve(questions["just made"])
            await daemon.kill()
            _decide_in_the_rows(daemon.data / "anyon.db", questions["only a row"]["id"])
            nursery.start_soon(daemon.start)
            await daemon.until(attached, "the first of the shims")
    for fate, attempt in attempts.items():
        ended = await daemon.over(attempt)
        assert (ended["id"], ended["status"]) == (processes[fate]["id"], "completed"), fate
        assert (Path(attempt["container_ref"]) / "ran.txt").read_text() == "ran\n", fate
        entries = await daemon.entries(ended)
        assert tools(entries) == [("command_run", {"status": "success"})], fate
        assert printed(entries) == ["Ran it."], fate
        assert _times_answered(daemon.data / "executions" / ended["id"]) == 1, fate
    assert await person.approvals() == [("Bash", "approved")] * 4


def _run(daemon: Daemon, process: dict[str, Any]) -> dict[str, Any]:
    """Which processes an execution consists of."""
    text = (daemon.data / "executions" / process["id"] / "run.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _decide_in_the_rows(database: Path, approval_id: str) -> None:
    """What is on the disk when a daemon dies after the commit and before it tells anyone."""
    with closing(sqlite3.connect(database)) as connection, connection:
        done = connection.execute(
            "UPDATE approvals SET status = 'approved', responded_at = created_at WHERE id = ?",
            (approval_id,),
        )
        assert done.rowcount == 1


def _times_answered(spool: Path) -> int:
    """How often the agent was told a decision."""
    reader = Spool(spool).records()
    reported = b""
    try:
        while records := reader.read():
            reported += b"".join(r.data for r in records if r.stream is Stream.STDIN)
    finally:
        reader.close()
    return reported.count(b'"control_response"')
