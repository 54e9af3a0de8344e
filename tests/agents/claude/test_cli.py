"""The real Claude Code, driven by our dialogue over pipes against a scripted model."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio

from anyond.agents.claude.agent import Claude
from anyond.agents.common.core import (
    AgentCommand,
    AgentEvent,
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Decide,
    Decision,
    Dialogue,
    EntryPut,
    Interrupt,
    Noise,
    Outcome,
    SessionStarted,
    Turn,
    TurnEnded,
)
from anyond.model.entries import (
    AssistantMessage,
    CommandRun,
    Denied,
    ErrorMessage,
    Failed,
    FileEdit,
    NormalizedEntry,
    PlanPresentation,
    Succeeded,
    TodoManagement,
    TokenUsage,
    Tool,
    ToolUse,
)
from anyond.model.records import Stream
from tests.support.real_agents import claude_cli

pytestmark = pytest.mark.agents

React = Callable[[AgentEvent], AgentCommand | None]


def nobody(event: AgentEvent) -> None:
    return None


def allow(event: AgentEvent) -> AgentCommand | None:
    return Decide(event.call, Decision.APPROVED) if isinstance(event, ApprovalAsked) else None


@dataclass
class Run:
    """What came out of one run."""

    entries: dict[str, NormalizedEntry] = field(default_factory=dict)
    asked: list[ApprovalAsked] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    session_id: str | None = None
    end: TurnEnded | None = None
    exit_code: int | None = None

    def take(self, event: AgentEvent) -> None:
        match event:
            case EntryPut(key, entry):
                self.entries[key] = entry
            case ApprovalAsked():
                self.asked.append(event)
            case SessionStarted(session_id):
                self.session_id = session_id
            case TurnEnded():
                self.end = event
            case Noise(line):
                self.noise.append(line)

    def tools(self, action: type[Any]) -> list[ToolUse]:
        uses = (entry.entry_type for entry in self.entries.values())
        return [u for u in uses if isinstance(u, ToolUse) and isinstance(u.action_type, action)]

    def printed(self, kind: type[Any] = AssistantMessage) -> list[str]:
        entries = self.entries.values()
        return [entry.content for entry in entries if isinstance(entry.entry_type, kind)]


@dataclass
class Bench:
    """A worktree, a home, and a model that answers."""

    home: Path
    worktree: Path
    port: int
    command: str

    async def run(
        self, scenario: str, react: React = nobody, session_id: str | None = None, **options: Any
    ) -> Run:
        """One turn, from the start of the program to its end."""
        turn = Turn(
            prompt=f"SCN={scenario} CWD={self.worktree}",
            cwd=str(self.worktree),
            session_id=session_id,
            options={
                "base_command_override": self.command,
                "model": claude_cli.MODEL,
                **options,
            },
        )
        with trio.fail_after(90):
            return await _drive(turn, claude_cli.environment(self.home, self.port), react)


async def _drive(turn: Turn, env: dict[str, str], react: React) -> Run:
    launch, dialogue, run = Claude().launch(turn), Claude().dialogue(turn), Run()
    clean = {name: value for name, value in launch.env.items() if value is not None}
    process = await trio.lowlevel.open_process(
        launch.argv,
        cwd=launch.cwd,
        env={**env, **clean},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    send, receive = trio.open_memory_channel[tuple[Stream, bytes]](0)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_read, Stream.STDOUT, process.stdout, send.clone())
            nursery.start_soon(_read, Stream.STDERR, process.stderr, send.clone())
            await send.aclose()
            await _tell(dialogue, process, run, react)
            async for stream, data in receive:
                for event in dialogue.receive(stream, data):
                    _consider(event, dialogue, run, react)
                await _tell(dialogue, process, run, react)
                if run.end is not None and process.stdin is not None:
                    await process.stdin.aclose()
        for event in dialogue.finish():
            run.take(event)
        run.exit_code = await process.wait()
    finally:
        if process.poll() is None:
            process.kill()
    return run


async def _read(
    stream: Stream,
    pipe: trio.abc.ReceiveStream | None,
    records: trio.MemorySendChannel[tuple[Stream, bytes]],
) -> None:
    assert pipe is not None
    async with records:
        async for data in pipe:
            await records.send((stream, bytes(data)))


async def _tell(dialogue: Dialogue, process: trio.Process, run: Run, react: React) -> None:
    for line in dialogue.outgoing():
        assert process.stdin is not None
        await process.stdin.send_all(line)
        for event in dialogue.receive(Stream.STDIN, line):
            _consider(event, dialogue, run, react)


def _consider(event: AgentEvent, dialogue: Dialogue, run: Run, react: React) -> None:
    run.take(event)
    command = react(event)
    if command is not None:
        dialogue.send(command)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with claude_cli.scripted_model() as port:
        yield port


@pytest.fixture
def bench(tmp_path: Path, port: int) -> Bench:
    home, worktree = tmp_path / "home", tmp_path / "worktree"
    home.mkdir()
    worktree.mkdir()
    (worktree / "README.md").write_text("line one\nline two\n")
    subprocess.run(["git", "init", "-q", str(worktree)], check=True)
    return Bench(home, worktree, port, claude_cli.command())


async def test_it_writes_and_runs_what_was_approved(bench: Bench) -> None:
    run = await bench.run("basic", allow, approvals=True)
    assert run.end == TurnEnded(Outcome.COMPLETED)
    assert run.exit_code == 0
    assert [ask.tool_name for ask in run.asked] == ["Write", "Bash"]
    assert (bench.worktree / "hello.txt").read_text() == "hello from agent\nsecond line\n"
    assert (bench.worktree / "ran.txt").read_text() == "done\n"
    [edit], [command] = run.tools(FileEdit), run.tools(CommandRun)
    assert isinstance(edit.action_type, FileEdit)
    assert edit.action_type.path == "hello.txt"
    assert [edit.status, command.status] == [Succeeded(), Succeeded()]
    assert run.printed()[-1] == "All done: wrote hello.txt and checked it."
    assert run.printed(TokenUsage)
    assert run.noise == []


async def test_it_goes_on_after_a_denial(bench: Bench) -> None:
    def deny(event: AgentEvent) -> AgentCommand | None:
        if isinstance(event, ApprovalAsked):
            return Decide(event.call, Decision.DENIED, reason="Not here")
        return None

    run = await bench.run("basic", deny, approvals=True)
    assert run.end == TurnEnded(Outcome.COMPLETED)
    assert [tool.status for tool in run.tools(FileEdit)] == [Denied(reason="Not here")]
    assert not (bench.worktree / "hello.txt").exists()


async def test_the_skipping_variant_asks_nobody_even_for_root(bench: Bench) -> None:
    run = await bench.run("basic", dangerously_skip_permissions=True)
    assert run.end == TurnEnded(Outcome.COMPLETED)
    assert run.asked == []
    assert (bench.worktree / "ran.txt").exists()


async def test_an_edit_becomes_a_diff_with_line_numbers(bench: Bench) -> None:
    run = await bench.run("edit", dangerously_skip_permissions=True)
    [edit] = run.tools(FileEdit)
    assert isinstance(edit.action_type, FileEdit)
    [change] = edit.action_type.changes
    assert getattr(change, "has_line_numbers", False) is True
    assert "-line one\n+line ONE\n line two\n" in getattr(change, "unified_diff", "")


async def test_a_resumed_run_keeps_the_session_unless_it_forks(bench: Bench) -> None:
    first = await bench.run("text")
    assert first.session_id is not None
    forked = await bench.run("text", session_id=first.session_id)
    assert forked.session_id not in (None, first.session_id)
    second = await bench.run("text", session_id=first.session_id, fork_session=False)
    assert second.session_id == first.session_id
    assert second.end == TurnEnded(Outcome.COMPLETED)


async def test_a_session_that_is_gone_is_one_readable_error(bench: Bench) -> None:
    run = await bench.run("text", session_id="11111111-2222-4333-8444-555555555555")
    assert run.end is not None
    assert run.end.outcome is Outcome.FAILED
    assert run.printed(ErrorMessage) == [run.end.error]
    assert "No conversation found" in str(run.end.error)


async def test_an_interrupt_ends_the_turn_and_its_command(bench: Bench) -> None:
    def stop(event: AgentEvent) -> AgentCommand | None:
        if isinstance(event, ApprovalAsked):
            return Decide(event.call, Decision.APPROVED)
        return Interrupt() if isinstance(event, ApprovalAnswered) else None

    run = await bench.run("sleepcmd", stop, approvals=True)
    assert run.end == TurnEnded(Outcome.INTERRUPTED)
    assert [tool.status for tool in run.tools(CommandRun)] == [Failed()]
    assert run.printed(ErrorMessage) == []


async def test_an_interrupt_withdraws_the_open_question(bench: Bench) -> None:
    withdrawn: list[str] = []

    def stop(event: AgentEvent) -> AgentCommand | None:
        if isinstance(event, ApprovalWithdrawn):
            withdrawn.append(event.call)
        return Interrupt() if isinstance(event, ApprovalAsked) else None

    run = await bench.run("basic", stop, approvals=True)
    assert run.end == TurnEnded(Outcome.INTERRUPTED)
    assert withdrawn == [ask.call for ask in run.asked]


async def test_an_interrupt_keeps_what_was_said_so_far(bench: Bench) -> None:
    def stop(event: AgentEvent) -> AgentCommand | None:
        written = isinstance(event, EntryPut) and event.entry.content.startswith("word0 word1")
        return Interrupt() if written else None

    run = await bench.run("slow", stop)
    assert run.end == TurnEnded(Outcome.INTERRUPTED)
    [text] = run.printed()
    assert text.startswith("word0 word1")
    assert "word199" not in text


async def test_a_wrong_key_is_told_once(bench: Bench) -> None:
    run = await bench.run("err401")
    assert run.end is not None
    assert run.end.outcome is Outcome.FAILED
    assert run.printed(ErrorMessage) == [run.end.error]


async def test_a_broken_connection_is_no_success(bench: Bench) -> None:
    run = await bench.run("midfail")
    assert run.end is not None
    assert run.end.outcome is Outcome.FAILED


async def test_an_approved_plan_is_carried_out_without_further_questions(bench: Bench) -> None:
    run = await bench.run("plan", allow, plan=True)
    assert run.end == TurnEnded(Outcome.COMPLETED)
    assert [ask.tool_name for ask in run.asked] == ["ExitPlanMode"]
    [plan] = run.tools(PlanPresentation)
    assert plan.status == Succeeded()
    assert (bench.worktree / "ran.txt").read_text() == "planned\n"


async def test_a_question_gets_its_answer(bench: Bench) -> None:
    def answer(event: AgentEvent) -> AgentCommand | None:
        if isinstance(event, ApprovalAsked):
            return Decide(event.call, Decision.APPROVED, answers={"Which color?": "Blue"})
        return None

    run = await bench.run("ask", answer, dangerously_skip_permissions=True)
    [question] = run.tools(Tool)
    assert isinstance(question.action_type, Tool)
    assert question.action_type.result is not None
    assert question.action_type.result.value == {"Which color?": "Blue"}
    assert run.end == TurnEnded(Outcome.COMPLETED)


async def test_tasks_become_one_list(bench: Bench) -> None:
    run = await bench.run("todo")
    [todos] = run.tools(TodoManagement)
    assert isinstance(todos.action_type, TodoManagement)
    assert [(item.content, item.status) for item in todos.action_type.todos] == [
        ("Write file", "completed"),
        ("Run it", "pending"),
    ]


async def test_what_a_sub_agent_says_and_does_belongs_to_it(bench: Bench) -> None:
    run = await bench.run("task", dangerously_skip_permissions=True)
    [key] = [key for key, entry in run.entries.items() if entry.content == "Task: sub job"]
    nested = [entry for entry in run.entries.values() if entry.parent == key]
    assert [(type(entry.entry_type), entry.content) for entry in nested] == [
        (AssistantMessage, "Sub-agent at work."),
        (ToolUse, "echo from-sub"),
        (AssistantMessage, "Sub-agent's result."),
    ]
    assert run.end == TurnEnded(Outcome.COMPLETED)


async def test_two_tools_at_once_are_asked_for_apart(bench: Bench) -> None:
    run = await bench.run("two", allow, approvals=True)
    assert [tool.status for tool in run.tools(CommandRun)] == [Succeeded(), Succeeded()]
    assert (bench.worktree / "two.txt").read_text() == "two\n"


async def test_a_failing_command_shows_its_exit_code(bench: Bench) -> None:
    run = await bench.run("fail", allow)
    [command] = run.tools(CommandRun)
    assert isinstance(command.action_type, CommandRun)
    assert command.status == Failed()
    assert command.action_type.result is not None
    assert getattr(command.action_type.result.exit_status, "code", None) == 3
    assert command.action_type.result.output == "oops"
