"""An attempt whose runs are concluded, and what a person is told of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import trio
from msgspec.structs import replace

from anyond.agents.common.core import (
    AgentEvent,
    EntryPut,
    Outcome,
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
    ExecutionProcess,
    ExecutorAction,
    TaskStatus,
)
from anyond.operations import subject
from anyond.operations.resources import Resources
from anyond.operations.run.conclude import Following, conclude
from anyond.operations.subject import Subject
from anyond.operations.turn.end_reason import ENTRIES, SilentDialogue
from anyond.operations.turn.turn_record import SentMessage
from anyond.store.board import drafts, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes, sessions
from tests.support.operations.fake_notifier import FakeNotifier, make_desktop
from tests.support.rows import (
    add_attempt,
    add_project,
    add_run,
    begin_turn,
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
        text = replace(record, messages=sent).encode()
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
