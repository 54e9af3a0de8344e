"""Concluding a run: what is committed, what its row, its task and its log say, what follows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import trio

from anyond.agents.common.core import (
    AgentEvent,
    EntryPut,
    Outcome,
    SessionLost,
    TurnEnded,
)
from anyond.files.desktop_notifier import DesktopNotifier
from anyond.git.program.command import git
from anyond.logs.conversation import Conversation
from anyond.model.drafts import DraftPatch, DraftType, QueueWish
from anyond.model.entries import AssistantMessage, NormalizedEntry
from anyond.model.ids import now
from anyond.model.records import Exit, Record, Stream
from anyond.model.rows import (
    CodingAgentInitialRequest,
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    RunReason,
    ScriptContext,
    TaskStatus,
)
from anyond.operations import remarks, subject
from anyond.operations.resources import Resources
from anyond.operations.run.conclude import NOT_COMMITTED, Following, conclude
from anyond.operations.subject import Subject
from anyond.operations.turn.end_reason import ENTRIES, SilentDialogue
from anyond.operations.turn.turn_record import SentMessage
from anyond.store.board import drafts, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes, sessions
from tests.support.operations.fake_notifier import FakeNotifier, make_desktop
from tests.support.overlay import overlaid
from tests.support.rows import (
    add_attempt,
    add_project,
    add_run,
    asks,
    begin_turn,
    end_run,
    prompts,
    runs_script,
)

DONE = Exit(code=0, ended_at=1)
BROKEN = Exit(code=3, ended_at=1)


class Scripted(SilentDialogue):
    """A dialogue in which one line means all that the agent is to have said."""

    def __init__(self, events: Sequence[AgentEvent]) -> None:
        self._events = list(events)

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> list[AgentEvent]:
        if stream is not Stream.STDOUT:
            return []
        found, self._events = self._events, []
        return found


def heard(row: ExecutionProcess, *events: AgentEvent, received: int = 1) -> Conversation:
    conversation = Conversation(row.id, Scripted(events), 0)
    conversation.feed(Record(1, Stream.STDOUT, b"x\n"))
    conversation.messages_received = received
    return conversation


def says(text: str) -> EntryPut:
    return EntryPut("m", NormalizedEntry(entry_type=AssistantMessage(), content=text))


FINISHED = TurnEnded(Outcome.COMPLETED)


@dataclass
class Bench:
    """An attempt, and what a person is told of its runs."""

    resources: Resources
    about: Subject
    notifier: FakeNotifier

    async def begun(self, action: ExecutorAction) -> ExecutionProcess:
        """A run that knows where the attempt stood when it began."""
        row = await add_run(self.resources, self.about, action)
        head = await self.git("rev-parse", "HEAD")
        return await self.resources.store.write(
            lambda tx: processes.set_before_commit(tx, row.id, head, now())
        )

    async def conclude(
        self,
        row: ExecutionProcess,
        conversation: Conversation | None = None,
        exit: Exit = DONE,
        *,
        halting: bool = False,
        stoppable: Any = trio.CancelScope,
    ) -> Following:
        self.resources.launcher.spool(row.id).path.mkdir(parents=True, exist_ok=True)
        return await conclude(
            self.resources,
            await subject.read(self.resources, self.about.attempt.id),
            row,
            exit=exit,
            conversation=conversation,
            halting=lambda: halting,
            stoppable=stoppable,
        )

    async def row(self, row: ExecutionProcess) -> ExecutionProcess:
        return await self.resources.store.read(lambda r: processes.get(r, row.id))

    async def task_status(self) -> TaskStatus:
        task_id = self.about.task.id
        return (await self.resources.store.read(lambda r: tasks.get(r, task_id))).status

    async def git(self, *argv: str) -> str:
        return (await git(*argv, cwd=self.about.worktree)).out.decode().strip()

    async def draft(self) -> tuple[str, bool]:
        found = await self.resources.store.read(
            lambda r: drafts.get(r, self.about.attempt.id, DraftType.FOLLOW_UP)
        )
        return found.prompt, found.queued

    async def queue(self, prompt: str) -> None:
        attempt_id = self.about.attempt.id

        def work(tx: Tx) -> None:
            drafts.save(tx, attempt_id, DraftType.FOLLOW_UP, DraftPatch(prompt=prompt), now())
            drafts.queue(tx, attempt_id, QueueWish(queued=True), now())

        await self.resources.store.write(work)

    async def steered(self, row: ExecutionProcess, *messages: str) -> None:
        record = await begin_turn(self.resources, row, "Make tea")
        sent = [SentMessage(prompt=text, text=text) for text in messages]
        text = msgspec.structs.replace(record, messages=sent).encode()
        await self.resources.store.write(lambda tx: sessions.keep_turn(tx, row.id, text))

    def log(self, row: ExecutionProcess) -> str:
        return (self.resources.launcher.spool(row.id).path / ENTRIES).read_text()

    def write(self, name: str = "leaf") -> None:
        (self.about.worktree / name).write_text("green\n")


@pytest.fixture
async def bench(
    resources: Resources,
    repository: Path,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Bench:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@localhost\n")
    desktop = make_desktop(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{desktop}:{os.environ['PATH']}")
    resources.config.patch({"notifications": {"push_enabled": True, "sound_enabled": False}})
    notifier = FakeNotifier()
    faked = replace(resources, notifier=cast("DesktopNotifier", notifier))
    return Bench(faked, await add_attempt(faked, await add_project(faked, repository)), notifier)


@contextmanager
def cut_short() -> Iterator[trio.CancelScope]:
    """A scope that a stop has cancelled already."""
    with trio.CancelScope() as scope:
        scope.cancel()
        yield scope


@pytest.mark.parametrize(
    ("choice", "message"),
    [("summary", "Tea\n\nIt is ready.\n\n"), ("title", "Tea\n\n"), ("off", None)],
)
async def test_the_work_of_an_agent_that_has_finished_is_committed_as_configured(
    bench: Bench, choice: str, message: str | None
) -> None:
    bench.resources.config.patch({"commit_message": choice})
    row = await add_run(bench.resources, bench.about, asks())
    before = await bench.git("rev-parse", "HEAD")
    bench.write()
    following = await bench.conclude(row, heard(row, says("It is ready."), FINISHED))
    assert following == Following()
    head = await bench.git("rev-parse", "HEAD")
    if message is None:
        assert head == before
        assert await bench.git("status", "--porcelain") == "?? leaf"
    else:
        found = await bench.git("log", "-1", "--format=%B")
        assert found == f"{message}Anyon-Attempt: {bench.about.attempt.id}"
        assert await bench.git("rev-parse", "HEAD~1") == before
    ended = await bench.row(row)
    assert (ended.status, ended.exit_code) == (ProcessStatus.COMPLETED, 0)
    assert ended.after_head_commit == head
    assert await bench.task_status() is TaskStatus.IN_REVIEW
    session = await bench.resources.store.read(lambda r: sessions.get(r, row.id))
    assert session is not None
    assert session.summary == "It is ready."
    [command] = bench.notifier.commands
    assert "“Tea” completed successfully." in command[-1]


@pytest.mark.parametrize(
    ("outcome", "exit", "status", "told"),
    [
        (None, BROKEN, ProcessStatus.FAILED, "exited with code 3 before it had finished"),
        (Outcome.INTERRUPTED, DONE, ProcessStatus.FAILED, "broke off its work"),
    ],
)
async def test_what_an_agent_left_half_done_is_not_committed_and_its_log_says_why(
    bench: Bench, outcome: Outcome | None, exit: Exit, status: ProcessStatus, told: str
) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    before = await bench.git("rev-parse", "HEAD")
    bench.write()
    events = [TurnEnded(outcome)] if outcome is not None else []
    assert await bench.conclude(row, heard(row, *events), exit) == Following()
    assert await bench.git("rev-parse", "HEAD") == before
    ended = await bench.row(row)
    assert (ended.status, ended.exit_code) == (status, exit.code)
    assert told in bench.log(row)
    assert await bench.task_status() is TaskStatus.IN_REVIEW
    assert "failed" in bench.notifier.commands[0][-1]


async def test_what_a_cleanup_script_leaves_is_committed_although_it_failed(bench: Bench) -> None:
    row = await add_run(bench.resources, bench.about, runs_script("x", ScriptContext.CLEANUP))
    bench.write()
    await bench.conclude(row, exit=BROKEN)
    assert await bench.git("show", "--format=%s", "--name-only", "HEAD") == "Tea\n\nleaf"
    assert (await bench.row(row)).status is ProcessStatus.FAILED
    assert "The script exited with code 3." in bench.log(row)


async def test_a_stop_ends_the_commit_and_the_rest_is_concluded(bench: Bench) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    before = await bench.git("rev-parse", "HEAD")
    bench.write()
    await bench.conclude(row, heard(row, FINISHED), stoppable=cut_short)
    assert await bench.git("rev-parse", "HEAD") == before
    assert NOT_COMMITTED in bench.log(row)
    assert (await bench.row(row)).status is ProcessStatus.COMPLETED


async def test_a_branch_that_the_agent_has_left_is_told_and_nothing_is_committed(
    bench: Bench,
) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    await bench.git("checkout", "-q", "--detach")
    before = await bench.git("rev-parse", "HEAD")
    bench.write()
    await bench.conclude(row, heard(row, FINISHED))
    assert await bench.git("rev-parse", "HEAD") == before
    assert "is not part of this attempt, and is left as it is." in bench.log(row)


@pytest.fixture
def refusing_hook(repository: Path) -> None:
    hook = repository / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho Tasteless. >&2\nexit 1\n")
    hook.chmod(0o755)


async def test_a_commit_that_is_refused_is_told_with_its_reason(
    refusing_hook: None, bench: Bench
) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    before = await bench.git("rev-parse", "HEAD")
    bench.write()
    await bench.conclude(row, heard(row, FINISHED))
    assert await bench.git("rev-parse", "HEAD") == before
    assert "The changes could not be committed: " in bench.log(row)
    assert "Tasteless." in bench.log(row)
    assert (await bench.row(row)).status is ProcessStatus.COMPLETED


async def test_what_a_commit_leaves_out_is_named(bench: Bench) -> None:
    bench.write()
    await bench.git("add", "leaf")
    await bench.git("commit", "-q", "-m", "Leaf")
    row = await bench.begun(asks())
    await bench.git("update-index", "--assume-unchanged", "leaf")
    (bench.about.worktree / "leaf").write_text("black\n")
    await bench.conclude(row, heard(row, FINISHED))
    assert "leaf was changed, but is marked assume-unchanged" in bench.log(row)


@pytest.mark.parametrize("halting", [True, False])
@pytest.mark.parametrize("changed", [True, False])
async def test_the_cleanup_follows_an_agent_that_has_changed_something(
    bench: Bench, changed: bool, halting: bool
) -> None:
    cleanup = runs_script("make lint", ScriptContext.CLEANUP)
    action = ExecutorAction(typ=asks().typ, next_action=cleanup)
    row = await bench.begun(action)
    if changed:
        bench.write()
    following = await bench.conclude(row, heard(row, FINISHED), halting=halting)
    if changed and not halting:
        assert following.next is not None
        assert prompts(following.next.executor_action) == ["make lint"]
        assert following.next.run_reason is RunReason.CLEANUP_SCRIPT
        assert await bench.task_status() is TaskStatus.IN_PROGRESS
        assert bench.notifier.commands == []
    else:
        assert following == Following()
        assert await bench.task_status() is TaskStatus.IN_REVIEW
        assert len(bench.notifier.commands) == 1


@pytest.mark.parametrize("succeeded", [True, False])
async def test_the_agent_follows_a_setup_that_succeeded_and_else_its_message_is_a_draft(
    bench: Bench, succeeded: bool
) -> None:
    await end_run(bench.resources, await add_run(bench.resources, bench.about, asks("First")))
    await bench.resources.store.write(
        lambda tx: drafts.save(
            tx, bench.about.attempt.id, DraftType.FOLLOW_UP, DraftPatch(prompt="More"), now()
        )
    )
    setup = runs_script("make", ScriptContext.SETUP, then=asks("More", "s"))
    row = await add_run(bench.resources, bench.about, setup)
    await bench.resources.store.write(
        lambda tx: drafts.take(tx, bench.about.attempt.id, row.id, now())
    )
    following = await bench.conclude(row, exit=DONE if succeeded else BROKEN)
    attempt = (await subject.read(bench.resources, bench.about.attempt.id)).attempt
    if succeeded:
        assert following.next is not None
        assert prompts(following.next.executor_action) == ["More"]
        assert attempt.setup_completed_at is not None
        # What the setup had sent is given back by whoever is to send it now.
        next_id = following.next.id
        await bench.resources.store.write(lambda tx: drafts.give_back(tx, next_id, now()))
    else:
        assert following == Following()
        assert attempt.setup_completed_at is None
        assert await bench.task_status() is TaskStatus.IN_REVIEW
    assert await bench.draft() == ("More", False)


@pytest.mark.parametrize("halting", [True, False])
async def test_what_was_queued_is_sent_at_the_end_unless_everything_is_to_stop(
    bench: Bench, halting: bool
) -> None:
    row = await add_run(bench.resources, bench.about, asks(), session="s")
    await bench.queue("And sugar")
    following = await bench.conclude(row, heard(row, FINISHED), halting=halting)
    if halting:
        assert following == Following()
        assert await bench.draft() == ("And sugar", False)
    else:
        assert following.next is not None
        assert prompts(following.next.executor_action) == ["And sugar"]
        assert await bench.draft() == ("", False)
        assert await bench.task_status() is TaskStatus.IN_PROGRESS


async def test_what_was_queued_is_not_sent_after_a_run_that_a_person_stopped(
    bench: Bench,
) -> None:
    row = await add_run(bench.resources, bench.about, asks(), session="s")
    await bench.queue("And sugar")
    await bench.resources.store.write(lambda tx: processes.request_stop(tx, row.id, "x", now()))
    assert await bench.conclude(row, heard(row), Exit(signal=15, ended_at=1)) == Following()
    ended = await bench.row(row)
    assert (ended.status, ended.exit_code) == (ProcessStatus.KILLED, 143)
    assert await bench.draft() == ("And sugar", False)


@pytest.mark.parametrize("stopped", [True, False])
async def test_messages_that_were_not_received_begin_the_next_turn_or_are_a_draft(
    bench: Bench, stopped: bool
) -> None:
    row = await add_run(bench.resources, bench.about, asks(), session="s")
    await bench.steered(row, "received", "milk", "honey")
    if stopped:
        await bench.resources.store.write(lambda tx: processes.request_stop(tx, row.id, "x", now()))
    following = await bench.conclude(row, heard(row, FINISHED, received=2))
    if stopped:
        assert following == Following()
        assert await bench.draft() == ("milk\n\nhoney", False)
    else:
        assert following.next is not None
        assert prompts(following.next.executor_action) == ["milk\n\nhoney"]
        assert await bench.draft() == ("", False)


@pytest.mark.parametrize("halting", [True, False])
async def test_an_agent_that_has_lost_its_session_is_asked_again_in_a_new_one(
    bench: Bench, halting: bool
) -> None:
    first = await add_run(bench.resources, bench.about, asks("First"), session="s")
    await end_run(bench.resources, first)
    row = await add_run(bench.resources, bench.about, asks("More", "s"), session="s")
    await bench.steered(row, "milk")
    following = await bench.conclude(row, heard(row, SessionLost()), BROKEN, halting=halting)
    attempt_id = bench.about.attempt.id
    latest = await bench.resources.store.read(lambda r: sessions.latest_session_id(r, attempt_id))
    assert latest is None
    assert ("does not know its former session" in bench.log(row)) is not halting
    assert ("exited with code 3" in bench.log(row)) is halting
    if halting:
        assert following == Following()
        assert await bench.draft() == ("milk", False)
    else:
        assert following.next is not None
        assert isinstance(following.next.executor_action.typ, CodingAgentInitialRequest)
        assert prompts(following.next.executor_action) == ["More\n\nmilk"]


async def test_the_end_of_a_dev_server_changes_nothing_but_its_row(bench: Bench) -> None:
    agent = await add_run(bench.resources, bench.about, asks())
    row = await add_run(bench.resources, bench.about, runs_script("x", ScriptContext.DEV_SERVER))
    await remarks.leave(bench.resources, bench.about.attempt.id, ["The kettle is cold."])
    await bench.queue("More")
    bench.write()
    assert await bench.conclude(row, exit=BROKEN) == Following()
    assert (await bench.row(row)).status is ProcessStatus.FAILED
    assert (await bench.row(agent)).status is ProcessStatus.RUNNING
    assert await bench.task_status() is TaskStatus.IN_PROGRESS
    assert await bench.draft() == ("More", True)
    assert await bench.git("status", "--porcelain") == "?? leaf"
    assert "kettle" not in bench.log(row)
    assert len(await remarks.read_waiting(bench.resources, bench.about.attempt.id)) == 1
    assert bench.notifier.commands == []


async def test_a_run_that_is_final_already_has_no_consequences_again(bench: Bench) -> None:
    cleanup = runs_script("make lint", ScriptContext.CLEANUP)
    row = await add_run(
        bench.resources, bench.about, ExecutorAction(typ=asks().typ, next_action=cleanup)
    )
    await end_run(bench.resources, row, ProcessStatus.FAILED)
    bench.write()
    assert await bench.conclude(row, heard(row, FINISHED)) == Following()
    assert (await bench.row(row)).status is ProcessStatus.FAILED
    assert bench.notifier.commands == []


async def test_a_task_that_is_done_stays_done(bench: Bench) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    await bench.resources.store.write(
        lambda tx: tasks.set_status(tx, bench.about.task.id, TaskStatus.DONE, now())
    )
    await bench.conclude(row, heard(row, FINISHED))
    assert await bench.task_status() is TaskStatus.DONE


@pytest.mark.parametrize("halting", [True, False])
async def test_services_of_a_setup_script_get_a_row_or_are_ended(
    bench: Bench, halting: bool
) -> None:
    ended: list[str] = []

    async def end_services(process_id: str) -> None:
        ended.append(process_id)

    launcher = overlaid(bench.resources.launcher, end_services=end_services)
    bench = replace(bench, resources=replace(bench.resources, launcher=launcher))
    row = await add_run(bench.resources, bench.about, runs_script("x", then=asks("Tea")))
    left = Exit(code=0, ended_at=1, left_running=["serve", "watch"])
    following = await bench.conclude(row, exit=left, halting=halting)
    if halting:
        assert following == Following()
        assert ended == [row.id]
    else:
        assert ended == []
        assert following.services is not None
        assert processes.is_service(following.services)
        assert prompts(following.services.executor_action) == ["serve\nwatch"]
        assert following.next is not None
        assert prompts(following.next.executor_action) == ["Tea"]


async def test_what_an_agent_has_left_running_is_told_and_that_of_a_script_is_not(
    bench: Bench,
) -> None:
    ended = Exit(code=0, ended_at=1, ended=["serve leaves"])
    row = await add_run(bench.resources, bench.about, asks())
    await bench.conclude(row, heard(row, FINISHED), ended)
    assert "serve leaves" in bench.log(row)
    other = await add_run(bench.resources, bench.about, runs_script("x", ScriptContext.CLEANUP))
    await bench.conclude(other, exit=ended)
    assert "serve leaves" not in bench.log(other)


async def test_what_waited_to_be_told_is_told_once_at_the_end(bench: Bench) -> None:
    row = await add_run(bench.resources, bench.about, runs_script("x", ScriptContext.CLEANUP))
    await remarks.leave(bench.resources, bench.about.attempt.id, ["The kettle is cold."])
    await bench.conclude(row)
    assert "The kettle is cold." in bench.log(row)
    assert await remarks.read_waiting(bench.resources, bench.about.attempt.id) == []


async def test_an_attempt_whose_worktree_is_gone_is_concluded_without_a_commit(
    bench: Bench, repository: Path
) -> None:
    row = await add_run(bench.resources, bench.about, runs_script("x", ScriptContext.DEV_SERVER))
    (repository / ".git").rename(repository / "elsewhere")
    await bench.conclude(row)
    ended = await bench.row(row)
    assert (ended.status, ended.after_head_commit) == (ProcessStatus.COMPLETED, None)
