"""The real Codex, driven by our dialogue over pipes against a scripted model."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from anyond.agents.codex.agent import Codex
from anyond.agents.common.core import (
    ApprovalAsked,
    Decide,
    Decision,
    EntryPut,
    Interrupt,
    Noise,
    Outcome,
    Prompt,
    SessionStarted,
    Turn,
    TurnEnded,
)
from anyond.model.entries import (
    AssistantMessage,
    CommandRun,
    Denied,
    ErrorMessage,
    ExitCode,
    Failed,
    FileChange,
    FileChangeDelete,
    FileChangeEdit,
    FileChangeRename,
    FileChangeWrite,
    FileEdit,
    NormalizedEntry,
    PlanPresentation,
    Succeeded,
    SystemMessage,
    TodoManagement,
    TokenUsage,
    Tool,
    ToolUse,
    UserMessage,
)
from tests.support.dialogues.acp_driver import DEADLINE, Live, entries, fold, reported
from tests.support.dialogues.shown import command_result, expect, tool_of, tool_value
from tests.support.real_agents import codex_cli

pytestmark = pytest.mark.agents

ASKING = {"sandbox": "workspace-write", "ask_for_approval": "unless-trusted"}
FREE = {"sandbox": "danger-full-access"}


class Run(Live):
    """One run of the program, with questions about what came of it."""

    def answer(self, decision: Decision = Decision.APPROVED, **more: Any) -> ApprovalAsked:
        """Wait for a question and decide it."""
        asked = self.asked()
        self.dialogue.send(Decide(asked.call, decision, **more))
        return asked

    @property
    def session(self) -> str:
        [session] = {e.session_id for e in self.events if isinstance(e, SessionStarted)}
        return session

    @property
    def seen(self) -> dict[str, NormalizedEntry]:
        return entries(self.events)

    def tools(self, action: type[Any]) -> list[ToolUse]:
        uses = (entry.entry_type for entry in self.seen.values())
        return [u for u in uses if isinstance(u, ToolUse) and isinstance(u.action_type, action)]

    def printed(self, kind: type[Any] = AssistantMessage) -> list[str]:
        return [e.content for e in self.seen.values() if isinstance(e.entry_type, kind)]


@dataclass
class Bench:
    """A worktree, a home, and a model that answers."""

    home: Path
    worktree: Path
    port: int
    command: str

    @contextmanager
    def run(
        self, scenario: str, session: str | None = None, past: str = "", **options: Any
    ) -> Iterator[Run]:
        """One turn; at its end it is checked that a replay tells the same, and no noise."""
        turn = Turn(
            prompt=f"SCN={scenario} CWD={self.worktree} GATE={self.home / 'gate'}",
            cwd=str(self.worktree),
            session_id=session,
            options={"base_command_override": self.command, **options},
            past=past,
        )
        with Run(Codex(), turn, codex_cli.environment(self.home)) as run:
            yield run
        assert [event for event in run.events if isinstance(event, Noise)] == []
        assert reported(fold(Codex().dialogue(turn), run.records)) == reported(run.events)
        assert run.program.returncode == 0


@pytest.fixture(scope="module")
def command() -> str:
    return codex_cli.command()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with codex_cli.scripted_model() as port:
        yield port


@pytest.fixture
def bench(tmp_path: Path, port: int, command: str) -> Bench:
    home, worktree = tmp_path / "home", tmp_path / "worktree"
    worktree.mkdir()
    (worktree / "README.md").write_text("line one\nline two\n")
    subprocess.run(["git", "init", "-q", str(worktree)], check=True)
    codex_cli.configure(home, port)
    return Bench(home, worktree, port, command)


def test_it_writes_and_runs_what_was_approved(bench: Bench) -> None:
    with bench.run("basic", **ASKING) as run:
        assert run.answer().tool_name == "edit"
        assert run.answer().tool_input["command"].startswith("cat hello.txt && ")
        assert run.ended() == TurnEnded(Outcome.COMPLETED)
    assert (bench.worktree / "hello.txt").read_text() == "hello from agent\nsecond line\n"
    assert (bench.worktree / "ran.txt").read_text() == "done\n"
    [edit], [command] = run.tools(FileEdit), run.tools(CommandRun)
    assert [edit.status, command.status] == [Succeeded(), Succeeded()]
    written = FileChangeWrite(content="hello from agent\nsecond line\n")
    assert edit.action_type == FileEdit(path="hello.txt", changes=[written])
    assert command_result(command).exit_status == ExitCode(code=0)
    assert (command_result(command).output or "").endswith("2 hello.txt\n")
    assert run.printed()[-1] == "All done: wrote hello.txt and checked it."
    [usage] = [e.entry_type for e in run.seen.values() if isinstance(e.entry_type, TokenUsage)]
    counts = (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens)
    assert (usage.model, *counts) == (codex_cli.MODEL, 3600, 900, 126)


def test_a_denial_tells_the_agent_why_and_the_turn_goes_on(bench: Bench) -> None:
    with bench.run("basic", **ASKING) as run:
        run.answer(Decision.DENIED, reason="SCN=recall Use make.")
        assert run.ended() == TurnEnded(Outcome.COMPLETED)
    [edit] = run.tools(FileEdit)
    assert edit.status == Denied(reason="SCN=recall Use make.")
    assert not (bench.worktree / "hello.txt").exists()
    assert len(run.printed(UserMessage)) == 1
    assert run.printed()[-1].startswith("You had said: SCN=basic")


def test_a_request_that_nobody_answered_is_denied(bench: Bench) -> None:
    with bench.run("once", **ASKING) as run:
        run.answer(Decision.TIMED_OUT)
        assert run.ended() == TurnEnded(Outcome.COMPLETED)
    [command] = run.tools(CommandRun)
    assert type(command.status).__struct_config__.tag == "timed_out"
    assert not (bench.worktree / "ran.txt").exists()


def test_the_free_variant_asks_nobody(bench: Bench) -> None:
    with bench.run("basic", **FREE) as run:
        assert run.ended() == TurnEnded(Outcome.COMPLETED)
    assert (bench.worktree / "ran.txt").exists()


def test_edits_renames_and_deletions_are_told_as_diffs(bench: Bench) -> None:
    with bench.run("edit", **FREE) as run:
        run.ended()
    [edit] = run.tools(FileEdit)
    diff = "--- a/README.md\n+++ b/README.md\n@@ -1,2 +1,2 @@\n-line one\n+line ONE\n line two\n"
    change = FileChangeEdit(unified_diff=diff, has_line_numbers=True)
    assert edit.action_type == FileEdit(path="README.md", changes=[change])
    (bench.worktree / "README.md").write_text("line one\nline two\n")
    with bench.run("move", **FREE) as run:
        run.ended()
    [edit] = run.tools(FileEdit)
    moved = FileChangeEdit(
        unified_diff=diff.replace("+++ b/README.md", "+++ b/GUIDE.md"), has_line_numbers=True
    )
    changes: list[FileChange] = [FileChangeRename(new_path="GUIDE.md"), moved]
    assert edit.action_type == FileEdit(path="README.md", changes=changes)
    (bench.worktree / "README.md").write_text("line one\n")
    with bench.run("delete", **FREE) as run:
        run.ended()
    [edit] = run.tools(FileEdit)
    assert edit.action_type == FileEdit(path="README.md", changes=[FileChangeDelete()])


def test_a_follow_up_remembers_and_an_earlier_session_stays_as_it_was(bench: Bench) -> None:
    with bench.run("text", **FREE) as first:
        first.ended()
    with bench.run("recall", first.session, **FREE) as second:
        second.ended()
    assert second.printed()[0].startswith("You had said: SCN=text")
    assert second.session != first.session
    [usage] = [e.entry_type for e in second.seen.values() if isinstance(e.entry_type, TokenUsage)]
    assert (usage.input_tokens, usage.output_tokens) == (1200, 42)
    with bench.run("recall", first.session, **FREE) as third:
        third.ended()
    assert third.printed() == second.printed()


def test_an_agent_that_forgot_its_session_is_told_what_happened(bench: Bench) -> None:
    lost = "01a209bc-0000-7d40-9e79-384345b5156c"
    with bench.run("recall", lost, past="SCN=told It was about tea.", **FREE) as run:
        assert run.ended() == TurnEnded(Outcome.COMPLETED)
    assert any("no rollout found" in text for text in run.printed(SystemMessage))
    assert run.printed(UserMessage)[0].startswith("SCN=recall")
    assert "SCN=told It was about tea." in run.printed()[0]


def test_an_interrupt_leaves_no_process(bench: Bench) -> None:
    pids = bench.worktree / "pids"

    def both() -> list[int]:
        return [int(pid) for pid in pids.read_text().split()] if pids.exists() else []

    with bench.run("linger", **FREE) as run:
        run.until(lambda e: isinstance(e, EntryPut) and "seq 300" in e.entry.content)
        deadline = time.monotonic() + DEADLINE
        while len(both()) < 2:
            assert time.monotonic() < deadline, "the command did not begin"
        run.dialogue.send(Interrupt())
        assert run.ended() == TurnEnded(Outcome.INTERRUPTED)
    assert [tool.status for tool in run.tools(CommandRun)] == [Failed()]
    assert run.printed(ErrorMessage) == []
    left = [psutil.Process(pid) for pid in both() if psutil.pid_exists(pid)]
    assert psutil.wait_procs(left, timeout=DEADLINE)[1] == []


def test_an_interrupt_withdraws_the_open_question(bench: Bench) -> None:
    with bench.run("once", **ASKING) as run:
        run.asked()
        run.dialogue.send(Interrupt())
        assert run.ended() == TurnEnded(Outcome.INTERRUPTED)
    assert "> withdrawn" in reported(run.events)


def test_a_message_while_it_works_joins_the_turn(bench: Bench) -> None:
    gate = Path(f"{bench.home / 'gate'}-1")
    with bench.run("sleepsay", **FREE) as run:
        run.until(lambda e: isinstance(e, EntryPut) and "sleep 0.05" in e.entry.content)
        run.dialogue.send(Prompt("SCN=recall now"))
        run.until(lambda e: isinstance(e, EntryPut) and e.entry.content == "SCN=recall now")
        gate.touch()
        assert run.ended() == TurnEnded(Outcome.COMPLETED)
    assert len([event for event in run.events if isinstance(event, TurnEnded)]) == 1
    [command] = run.tools(CommandRun)
    assert command_result(command).output == "woke\n"
    assert run.printed()[-1].startswith("You had said: SCN=sleepsay")


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("err400", "prompt is too long"),
        ("err401", "codex login"),
        ("err429", "429"),
        ("err500", "high demand"),
        ("midfail", "disconnected"),
    ],
)
def test_an_error_of_the_model_is_a_failure_that_is_told_once(
    bench: Bench, scenario: str, words: str
) -> None:
    with bench.run(scenario, **FREE) as run:
        ended = run.ended()
    assert ended.outcome is Outcome.FAILED
    assert words in str(ended.error)
    assert "{" not in str(ended.error)
    assert run.printed(ErrorMessage) == [ended.error]


def test_a_plan_is_revised_then_approved_and_carried_out(bench: Bench) -> None:
    with bench.run("propose", **FREE, plan=True) as run:
        asked = run.answer(Decision.DENIED, reason="SCN=revise Check it, too.")
        assert asked.tool_input == {"plan": "# Plan\n1. write it\n"}
        asked = run.answer()
        assert asked.tool_input == {"plan": "# Plan\n1. write it\n2. check it\n"}
        assert run.ended() == TurnEnded(Outcome.COMPLETED)
    plans = run.tools(PlanPresentation)
    assert [plan.status for plan in plans] == [
        Denied(reason="SCN=revise Check it, too."),
        Succeeded(),
    ]
    assert len(run.printed(UserMessage)) == 1


def test_a_plan_that_nobody_wants_ends_the_run(bench: Bench) -> None:
    with bench.run("propose", **FREE, plan=True) as run:
        run.answer(Decision.DENIED)
        assert run.ended() == TurnEnded(Outcome.COMPLETED)
    assert [plan.status for plan in run.tools(PlanPresentation)] == [Denied()]


def test_a_question_gets_its_answer(bench: Bench) -> None:
    with bench.run("ask", **FREE, plan=True) as run:
        asked = run.answer(answers={"Which color?": "Blue"})
        assert asked.tool_input["questions"][0]["question"] == "Which color?"
        assert run.ended() == TurnEnded(Outcome.COMPLETED)
    [question] = run.tools(Tool)
    assert tool_value(question) == {"color": ["Blue"]}
    assert question.status == Succeeded()
    assert run.printed() == ["Thanks for the answer."]


def test_steps_become_one_list(bench: Bench) -> None:
    with bench.run("todo", **FREE, include_plan_tool=True) as run:
        run.ended()
    [todos] = run.tools(TodoManagement)
    assert [
        (todo.content, todo.status) for todo in expect(TodoManagement, todos.action_type).todos
    ] == [
        ("Write file", "completed"),
        ("Run it", "in_progress"),
    ]


def test_what_a_sub_agent_does_is_its_own_and_the_run_waits_for_it(bench: Bench) -> None:
    with bench.run("task", **FREE) as run:
        assert run.ended() == TurnEnded(Outcome.COMPLETED)
    [key] = [key for key, entry in run.seen.items() if entry.content.startswith("Task: SCN=sub")]
    assert tool_of(run.seen[key]).status == Succeeded()
    nested = [entry.content for entry in run.seen.values() if entry.parent == key]
    assert nested == ["Sub-agent at work.", "echo from-sub", "Sub-agent's result."]
    assert [tool.status for tool in run.tools(CommandRun)] == [Succeeded()]


def test_tools_of_mcp_servers_are_asked_for_and_shown(bench: Bench) -> None:
    codex_cli.configure(
        bench.home,
        bench.port,
        f'[mcp_servers.fake]\ncommand = "{sys.executable}"\nargs = ["{codex_cli.MCP_SERVER}"]\n'
        '[mcp_servers.broken]\ncommand = "/nonexistent/program"\n',
    )
    with bench.run("echo", **ASKING) as run:
        assert run.answer().tool_name == "mcp:fake:echo"
        assert run.ended() == TurnEnded(Outcome.COMPLETED)
    [tool] = run.tools(Tool)
    assert tool.status == Succeeded()
    assert expect(Tool, tool.action_type).arguments == {"text": "hi"}
    assert tool_value(tool) == "echo: hi"
    assert any("'broken' could not be started" in text for text in run.printed(SystemMessage))


def test_two_tools_at_once_are_asked_for_apart(bench: Bench) -> None:
    with bench.run("two", **ASKING) as run:
        calls = {run.answer().call}
        calls.add(run.answer().call)
        run.ended()
    assert len(calls) == 2 or (bench.worktree / "two.txt").exists()
    assert {type(tool.status) for tool in run.tools(CommandRun)} == {Succeeded}


def test_a_failing_command_shows_its_exit_code(bench: Bench) -> None:
    with bench.run("fail", **FREE) as run:
        run.ended()
    [command] = run.tools(CommandRun)
    assert command.status == Failed()
    assert command_result(command).exit_status == ExitCode(code=3)
    assert command_result(command).output == "oops\n"


def test_options_that_the_program_refuses_are_told(bench: Bench) -> None:
    with bench.run("text", **FREE, profile="gone") as run:
        ended = run.ended()
    assert ended.outcome is Outcome.FAILED
    assert "profile" in str(ended.error)
    assert run.printed(ErrorMessage) == [ended.error]


def test_an_interrupt_ends_the_wait_for_a_decision_about_a_plan(bench: Bench) -> None:
    with bench.run("propose", **FREE, plan=True) as run:
        run.asked()
        run.dialogue.send(Interrupt())
        assert run.ended() == TurnEnded(Outcome.INTERRUPTED)
    assert reported(run.events)[-2:] == ["> withdrawn", "> interrupted"]
