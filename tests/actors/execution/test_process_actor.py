"""The actor of one execution, at a real program: the steps to its end, and what it lets go."""

from __future__ import annotations

import gc
import os
import signal
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
import pytest
import trio

from anyond.actors.execution import process as process_module
from anyond.actors.execution.process import HUNG, KILLED, Finished, ProcessActor
from anyond.agents.common.core import (
    AgentCommand,
    AgentEvent,
    Dialogue,
    Interrupt,
    Outcome,
    Prompt,
    TurnEnded,
)
from anyond.machines.process import SECONDS, MessageWritten, StopAsked, StopStep
from anyond.model.launch import Launch, LeftRunning
from anyond.model.records import Exit, Stream
from anyond.model.rows import ExecutionProcess, ScriptContext
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.turn.turn_record import SentMessage
from anyond.procs.shims.launcher import Launcher
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.procs.shims.shim_state import read_run
from anyond.store.runs import sessions
from anyond.watchers.logs import Logs
from tests.support.overlay import overlaid
from tests.support.rows import add_run, asks, begin_turn, runs_script

KEY = "k" * 64
STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.05; done"


class Words:
    """A dialogue of words: one for each command, and `over` ends the turn.

    Args:
        confirms_at_once: whether its program has no words once it works.
    """

    def __init__(self, confirms_at_once: bool = False) -> None:
        self.confirms_at_once = confirms_at_once
        self._outgoing: list[bytes] = []

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> Sequence[AgentEvent]:
        over = stream is Stream.STDOUT and b"over" in data
        return [TurnEnded(Outcome.COMPLETED)] if over else []

    def finish(self) -> Sequence[AgentEvent]:
        return []

    def send(self, command: AgentCommand) -> None:
        match command:
            case Interrupt():
                self._outgoing.append(b"break off\n")
            case Prompt(text):
                self._outgoing.append(f"{text}\n".encode())

    def outgoing(self) -> list[bytes]:
        found, self._outgoing = self._outgoing, []
        return found


@dataclass
class Followed:
    """An execution that is followed, and what is known of it when it is over."""

    actor: ProcessActor
    ended: trio.Event
    finished: list[Finished] = field(default_factory=list)

    async def exit(self) -> Exit:
        with trio.fail_after(60):
            await self.ended.wait()
        [found] = self.finished
        return found.exit


async def follow(
    resources: Resources,
    nursery: trio.Nursery,
    row: ExecutionProcess,
    script: str,
    dialogue: Dialogue | None = None,
    *,
    stopping: bool = False,
    launcher: Launcher | None = None,
) -> Followed:
    """Start a program, and the actor that follows it; returns when it has said its first line."""
    launch = Launch(
        argv=("bash", "-c", script),
        cwd="/",
        env={},
        stdin=dialogue is not None,
        install="",
        left_running=LeftRunning.KEEP if dialogue is None else LeftRunning.END,
    )
    running = await resources.launcher.start(row.id, launch, limit=1 << 20, key=KEY)
    spool = resources.launcher.spool(row.id)
    with trio.fail_after(30):
        while b"ready" not in (spool.path / "log").read_bytes():
            await trio.sleep(0.01)  # looked at again, until the deadline
    finished: list[Finished] = []
    actor = ProcessActor(
        row,
        running,
        Logs(resources.store, resources.launcher).begin(row.id),
        store=resources.store,
        launcher=launcher or resources.launcher,
        dialogue=dialogue,
        approval_timeout=0,
        silence=lambda: 0,
        stopping=stopping,
        finished=finished.append,
    )
    followed = Followed(actor, trio.Event(), finished)

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        await actor.run(task_status=task_status)
        followed.ended.set()

    await nursery.start(run)
    return followed


def open_files() -> set[str]:
    """What this process has open now."""
    links = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the directory itself
            links.append(os.readlink(f"/proc/self/fd/{name}"))
    return set(links)


@pytest.fixture
async def script(resources: Resources, about: Subject) -> ExecutionProcess:
    return await add_run(resources, about, runs_script("x", ScriptContext.CLEANUP))


@pytest.fixture
async def agent(resources: Resources, about: Subject) -> ExecutionProcess:
    return await add_run(resources, about, asks())


async def test_a_program_that_ends_is_reported_once_and_leaves_nothing_open(
    resources: Resources, nursery: trio.Nursery, script: ExecutionProcess
) -> None:

    async def lost(*_: object, **__: object) -> None:
        raise AssertionError("it was taken for lost")

    launcher = overlaid(resources.launcher, finalize_lost=lost)
    before = open_files()
    text = "echo ready; sleep 0.2; exit 7"
    followed = await follow(resources, nursery, script, text, launcher=launcher)
    assert (await followed.exit()).code == 7
    assert followed.finished[0].conversation is None
    left = open_files() - before
    assert [link for link in left if script.id in link or link.startswith("socket:")] == []


async def test_what_was_said_is_let_go_as_soon_as_it_is_over(
    resources: Resources, nursery: trio.Nursery, agent: ExecutionProcess
) -> None:
    """Not only when Python looks for circles: a conversation can be large."""
    gc.disable()
    try:
        followed = await follow(resources, nursery, agent, "echo ready; sleep 0.2", Words())
        await followed.exit()
        conversation = weakref.ref(followed.finished[0].conversation)
        assert conversation() is not None
        del followed
        with trio.fail_after(10):
            while conversation() is not None:
                await trio.sleep(0.01)  # tasks that have ended are let go a moment later
    finally:
        gc.enable()


@pytest.mark.parametrize("before", [True, False])
async def test_a_stop_lets_a_script_end_by_itself(
    resources: Resources, nursery: trio.Nursery, script: ExecutionProcess, before: bool
) -> None:
    text = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    followed = await follow(resources, nursery, script, text, stopping=before)
    if not before:
        followed.actor.send(StopAsked())
    assert (await followed.exit()).code == 7


async def test_a_script_that_does_not_end_is_killed(
    resources: Resources,
    nursery: trio.Nursery,
    script: ExecutionProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(SECONDS, StopStep.TERMINATE, 0.05)
    followed = await follow(resources, nursery, script, STUBBORN)
    followed.actor.send(StopAsked())
    found = await followed.exit()
    assert (found.signal, found.error) == (signal.SIGKILL, None)


@pytest.mark.parametrize("at_once", [True, False])
async def test_an_agent_is_interrupted_by_its_words_or_where_it_has_none_by_a_signal(
    resources: Resources, nursery: trio.Nursery, agent: ExecutionProcess, at_once: bool
) -> None:
    text = (
        "trap 'exit 3' INT; echo ready; while [ ! -t 0 ]; do sleep 0.05; done"
        if at_once
        else 'trap "exit 9" INT; echo ready; read -r word; [ "$word" = "break off" ]; exit $?'
    )
    followed = await follow(resources, nursery, agent, text, Words(at_once))
    followed.actor.send(StopAsked())
    assert (await followed.exit()).code == (3 if at_once else 0)


async def test_the_end_of_a_turn_closes_the_stdin_of_the_agent(
    resources: Resources, nursery: trio.Nursery, agent: ExecutionProcess
) -> None:
    followed = await follow(
        resources, nursery, agent, "echo ready; echo over; cat; exit 4", Words()
    )
    assert (await followed.exit()).code == 4
    conversation = followed.finished[0].conversation
    assert conversation is not None
    assert conversation.outcome is Outcome.COMPLETED


async def test_a_message_that_is_written_meanwhile_is_sent_once(
    resources: Resources, nursery: trio.Nursery, agent: ExecutionProcess
) -> None:
    record = await begin_turn(resources, agent, "Make tea")
    text = 'echo ready; read -r a; read -r -t 0.5 b; echo "$a,$b"; exit 0'
    followed = await follow(resources, nursery, agent, text, Words())
    sent = [SentMessage(prompt="milk", text="milk")]
    written = msgspec.structs.replace(record, messages=sent).encode()
    await resources.store.write(lambda tx: sessions.keep_turn(tx, agent.id, written))
    followed.actor.send(MessageWritten())
    followed.actor.send(MessageWritten())
    assert (await followed.exit()).code == 0
    log = (resources.launcher.spool(agent.id).path / "log").read_text()
    assert "milk,\n" in log


async def test_a_shim_that_hangs_is_ended_with_all_it_has_started(
    resources: Resources,
    nursery: trio.Nursery,
    script: ExecutionProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_module, "OBEYED_S", 0.2)
    for step in (StopStep.TERMINATE, StopStep.KILL):
        monkeypatch.setitem(SECONDS, step, 0.05)
    followed = await follow(resources, nursery, script, "echo ready; exec sleep 600")
    run = read_run(resources.launcher.spool(script.id).path)
    assert run is not None
    os.kill(run.shim_pid, signal.SIGSTOP)
    followed.actor.send(StopAsked())
    found = await followed.exit()
    assert found.error == HUNG
    assert not os.path.exists(f"/proc/{run.pid}/cwd")


async def test_a_kill_that_a_shim_has_obeyed_without_effect_is_tried_again(
    resources: Resources,
    nursery: trio.Nursery,
    script: ExecutionProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for step in (StopStep.TERMINATE, StopStep.KILL):
        monkeypatch.setitem(SECONDS, step, 0.05)
    kills: list[str] = []
    kill = ShimConnection.kill

    async def kill_later(self: ShimConnection) -> None:
        kills.append(self.execution_id)
        if len(kills) > 1:
            await kill(self)

    monkeypatch.setattr(ShimConnection, "kill", kill_later)
    followed = await follow(resources, nursery, script, STUBBORN)
    followed.actor.send(StopAsked())
    found = await followed.exit()
    assert (found.signal, found.error) == (signal.SIGKILL, None)
    assert len(kills) >= 2
    assert set(kills) == {script.id}


async def test_an_exit_that_a_program_has_forged_does_not_end_it_in_our_eyes(
    resources: Resources, nursery: trio.Nursery, script: ExecutionProcess
) -> None:
    followed = await follow(resources, nursery, script, "echo ready; exec sleep 600")
    spool = resources.launcher.spool(script.id)
    run = read_run(spool.path)
    assert run is not None
    lost: list[tuple[str, str]] = []

    async def finalize(id: str, why: str, *rest: object) -> Exit:
        lost.append((id, why))
        return await resources.launcher.finalize_lost(id, why, *rest)  # type: ignore[arg-type]

    followed.actor._launcher = overlaid(resources.launcher, finalize_lost=finalize)
    spool.write_exit(Exit(code=0, ended_at=1))
    os.kill(run.shim_pid, signal.SIGKILL)
    await followed.exit()
    assert lost == [(script.id, KILLED)]
    with trio.fail_after(30):
        while os.path.exists(f"/proc/{run.pid}/cwd"):
            await trio.sleep(0.01)  # looked at again, until the deadline


async def test_what_a_setup_has_left_running_survives_the_end_of_its_shim(
    resources: Resources, nursery: trio.Nursery, about: Subject
) -> None:
    row = await add_run(resources, about, runs_script("x", ScriptContext.SETUP))
    text = "echo ready; sleep 600 >/dev/null 2>&1 & exit 0"
    followed = await follow(resources, nursery, row, text)
    try:
        found = await followed.exit()
        assert (found.code, found.error) == (0, None)
        assert found.left_running == ["sleep 600"]
    finally:
        await resources.launcher.end_services(row.id)
