"""The real Codex at work in the whole daemon, also when that is killed meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from anyond.model.records import Stream
from anyond.procs.spools.spool import Spool
from tests.support.daemon import Daemon, alive
from tests.support.fakes.models.model_server import WAITING
from tests.support.real_agents import codex_cli
from tests.support.real_agents.claude_cli import end_all, family, printed, tools
from tests.support.real_agents.codex_cli import Coder

pytestmark = pytest.mark.agents

SUCCESS = {"status": "success"}


@pytest.fixture(scope="module")
def codex_command() -> str:
    """Asked for outside of the event loop, where the reason of a skipped test would be lost."""
    return codex_cli.command()


@pytest.fixture(scope="module")
def codex_port() -> Iterator[int]:
    with codex_cli.scripted_model() as port:
        yield port


@pytest.fixture
async def coder(daemon: Daemon, codex_command: str, codex_port: int) -> AsyncIterator[Coder]:
    try:
        yield await Coder.of(daemon, codex_command, codex_port)
    finally:
        end_all(daemon)
    assert "Traceback" not in daemon.log()


async def test_two_approvals_lead_to_a_finished_attempt(coder: Coder) -> None:
    daemon = coder.daemon
    attempt = await coder.start("basic", "APPROVALS")
    for name in ("edit", "bash"):
        question = await daemon.question()
        assert question["tool_name"] == name
        await coder.approve(question)
    ended = await daemon.over(attempt)
    assert (ended["status"], ended["exit_code"]) == ("completed", 0)
    entries = await daemon.entries(ended)
    assert tools(entries) == [("file_edit", SUCCESS), ("command_run", SUCCESS)]
    assert printed(entries)[-1] == "All done: wrote hello.txt and checked it."
    assert printed(entries, "error_message") == []
    assert len(printed(entries, "user_message")) == 1
    assert (Path(attempt["container_ref"]) / "ran.txt").read_text() == "done\n"


async def test_a_denial_reaches_the_agent_with_its_reason(coder: Coder) -> None:
    daemon = coder.daemon
    attempt = await coder.start("once", "APPROVALS")
    await coder.deny(await daemon.question(), "SCN=recall Use make.")
    ended = await daemon.over(attempt)
    assert ended["status"] == "completed"
    entries = await daemon.entries(ended)
    assert tools(entries) == [
        ("command_run", {"status": "denied", "reason": "SCN=recall Use make."})
    ]
    assert printed(entries, "user_feedback") == ["SCN=recall Use make."]
    assert printed(entries)[-1].startswith("You had said: ")


async def test_a_question_stays_open_while_the_daemon_is_dead(coder: Coder) -> None:
    daemon = coder.daemon
    attempt = await coder.start("once", "APPROVALS")
    process = await daemon.running(attempt)
    question = await daemon.question()
    agents = family(process)
    await daemon.kill()
    assert set(agents) <= set(family(process))
    await daemon.start()
    assert await daemon.ask("GET", "/api/approvals?status=pending") == [question]
    await coder.deny(question, "Not now.")
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    entries = await daemon.entries(ended)
    assert tools(entries) == [("command_run", {"status": "denied", "reason": "Not now."})]
    reported = _reported(daemon.data / "executions" / ended["id"])
    assert [reported.count(b'"%s"' % method) for method in (b"initialize", b"thread/start")] == [
        1,
        1,
    ]
    assert (
        reported.count(b'"decision":"decline"') == reported.count(b"not allow that: Not now.") == 1
    )


async def test_a_plan_waits_for_a_daemon_that_comes_back(coder: Coder) -> None:
    daemon = coder.daemon
    attempt = await coder.start("propose", "PLAN")
    process = await daemon.running(attempt)
    question = await daemon.question()
    assert question["tool_input"] == {"plan": "# Plan\n1. write it\n"}
    await daemon.kill()
    await daemon.start()
    await coder.deny(question, "SCN=revise Check it.")
    again = await daemon.question()
    assert again["tool_input"] == {"plan": "# Plan\n1. write it\n2. check it\n"}
    await coder.approve(again)
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    assert [status["status"] for _, status in tools(await daemon.entries(ended))] == [
        "denied",
        "success",
    ]


async def test_a_follow_up_remembers_and_a_retry_has_never_heard_of_it(coder: Coder) -> None:
    daemon = coder.daemon
    attempt = await coder.start("text")
    await daemon.over(attempt)
    second = await coder.follow_up(attempt, "SCN=recall now")
    assert printed(await daemon.entries(second))[0].startswith("You had said: ")
    third = await coder.follow_up(attempt, "SCN=recall again")
    assert "SCN=recall now" in printed(await daemon.entries(third))[0]
    retried = await coder.follow_up(attempt, "SCN=recall", retry_process_id=second["id"])
    assert "SCN=recall" not in printed(await daemon.entries(retried))[0]
    shutil.rmtree(daemon.home / ".codex" / "sessions")
    for file in (daemon.home / ".codex").glob("*.sqlite*"):
        file.unlink()
    fresh = await coder.follow_up(attempt, "SCN=text once more")
    assert fresh["status"] == "completed"
    assert any(
        "could not be resumed" in t for t in printed(await daemon.entries(fresh), "system_message")
    )


@pytest.mark.parametrize("scenario", ["gate", "sleepsay"])
async def test_what_is_said_while_it_works_reaches_the_turn_that_runs(
    coder: Coder, scenario: str
) -> None:
    daemon = coder.daemon
    attempt = await coder.start(scenario)
    process = await daemon.running(attempt)
    begun = {"gate": "The first part, ", "sleepsay": "while [ ! -e"}[scenario]
    await coder.sees(process, lambda entry: begun in entry["content"])
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    steered = await daemon.ask("POST", path, {"prompt": "SCN=recall now", "steer": True})
    assert steered["id"] == process["id"]
    await coder.sees(process, lambda entry: entry["content"] == "SCN=recall now")
    for number in (1, 2):
        coder.gate.with_name(f"gate-{number}").touch()
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    entries = await daemon.entries(ended)
    assert printed(entries, "user_message")[1:] == ["SCN=recall now"]
    assert printed(entries)[-1].startswith("You had said: ")
    assert len(await daemon.processes(attempt)) == 1


async def test_a_stop_ends_a_long_command_with_all_that_it_had_started(coder: Coder) -> None:
    daemon = coder.daemon
    attempt = await coder.start("linger")
    process = await daemon.running(attempt)
    file = Path(attempt["container_ref"]) / "pids"

    async def both() -> list[int]:
        pids = [int(line) for line in file.read_text().split()] if file.exists() else []
        return pids if len(pids) == 2 else []

    await coder.sees(process, lambda entry: WAITING in entry["content"])
    sleepers = await daemon.until(both, "the pids of the sleepers")
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    assert family(process) == {}
    assert not any(map(alive, sleepers))
    ended = await daemon.over(attempt)
    assert ended["status"] == "killed"
    assert tools(await daemon.entries(ended)) == [("command_run", {"status": "failed"})]


async def test_a_wrong_key_is_a_failed_run_that_tells_what_to_do(coder: Coder) -> None:
    daemon = coder.daemon
    ended = await daemon.over(await coder.start("err401"))
    assert ended["status"] == "failed"
    entries = await daemon.entries(ended)
    [error] = [e for e in entries if e["entry_type"]["type"] == "error_message"]
    assert error["entry_type"]["error_type"] == {"type": "setup_required"}
    assert "codex login" in error["content"]


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("err429", "429"),
        ("err500", "high demand"),
        ("midfail", "disconnected"),
        ("toolfail", "dis"),
    ],
)
async def test_a_model_that_fails_is_a_failed_run_with_one_readable_error(
    coder: Coder, scenario: str, words: str
) -> None:
    daemon = coder.daemon
    ended = await daemon.over(await coder.start(scenario))
    assert ended["status"] == "failed"
    entries = await daemon.entries(ended)
    [error] = printed(entries, "error_message")
    assert words in error
    assert "{" not in error
    assert tools(entries) == []


async def test_a_question_that_nobody_answers_is_denied_in_time(coder: Coder) -> None:
    daemon = coder.daemon
    await daemon.ask("PUT", "/api/config", {"approval_timeout_s": 1})
    attempt = await coder.start("once", "APPROVALS")
    ended = await daemon.over(attempt)
    assert ended["status"] == "completed"
    [(name, status)] = await coder.approvals()
    assert status == "timed_out"
    entries = await daemon.entries(ended)
    assert tools(entries) == [("command_run", {"status": "timed_out"})]
    errors = [f"Nobody answered the question about {name} in time."]
    assert printed(entries, "error_message") == errors
    assert b"Nobody answered the request" in _reported(daemon.data / "executions" / ended["id"])
    assert not (Path(attempt["container_ref"]) / "ran.txt").exists()


def _reported(spool: Path) -> bytes:
    """All that the agent was told."""
    reader = Spool(spool).records()
    reported = b""
    try:
        while records := reader.read():
            reported += b"".join(r.data for r in records if r.stream is Stream.STDIN)
    finally:
        reader.close()
    return reported
