"""The built-in demonstration agent works for real, over pipes, in a real repository."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from anyond.agents.common.core import (
    Decide,
    Decision,
    EntryPut,
    Interrupt,
    Outcome,
    SessionStarted,
    Turn,
)
from anyond.agents.demo import Demo
from tests.support.dialogues.acp_driver import Live, reported


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / "README.md").write_text("# Hello\n\nWorld\n")
    return folder


def run(folder: Path, prompt: str, session: str | None = None, pace: float = 0) -> Live:
    env = {
        "PATH": os.environ["PATH"],
        "ANYON_DEMO_STATE": str(folder.parent / "state"),
        "ANYON_DEMO_PACE": str(pace),
    }
    return Live(Demo(), Turn(prompt=prompt, cwd=str(folder), session_id=session), env)


def finish(live: Live, decision: Decision) -> None:
    live.dialogue.send(Decide(live.asked().call, decision))
    assert live.ended().outcome is Outcome.COMPLETED


def output(live: Live) -> str:
    texts = {
        event.key: event.entry.content
        for event in live.events
        if isinstance(event, EntryPut) and event.key.startswith("text:")
    }
    return "\n".join(texts.values())


def test_without_a_home_it_works_and_finds_its_session_again(
    repository: Path, tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "TMPDIR": str(temporary),
        "ANYON_DEMO_PACE": "0",
    }
    with Live(Demo(), Turn(prompt="First", cwd=str(repository)), env) as live:
        finish(live, Decision.APPROVED)
    [session] = [e.session_id for e in live.events if isinstance(e, SessionStarted)]
    [folder] = temporary.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    again = Turn(prompt="Second", cwd=str(repository), session_id=session)
    with Live(Demo(), again, env) as live:
        finish(live, Decision.APPROVED)
    assert "## Second" in (repository / "NOTES.md").read_text()
    assert [file.stem for file in folder.iterdir()] == [session]


def test_it_reads_writes_asks_runs_and_reports(repository: Path) -> None:
    with run(repository, "Add a greeting\nin French") as live:
        finish(live, Decision.APPROVED)
    assert live.program.returncode == 0
    assert (repository / "NOTES.md").read_text() == (
        "# Notes\n\n## Add a greeting\n\n> Add a greeting\n> in French\n"
    )
    assert [line for line in reported(live.events) if not line.startswith("assistant")] == [
        "user: Add a greeting|in French",
        "todo_management success: Plan: 3 of 3 done",
        "thinking: First I look at what is here, then I write it down.",
        "file_read success: README.md",
        "file_edit success: NOTES.md ['write']",
        "command_run success: git status --short [0] '?? NOTES.md\\n?? README.md\\n'",
        "> session",
        "> asked: `git status --short`",
        "> answered",
        "> completed",
    ]
    assert "`git status --short` ended with 0" in output(live)


def test_a_denied_command_is_not_run_and_the_work_goes_on(repository: Path) -> None:
    with run(repository, "Hello") as live:
        finish(live, Decision.DENIED)
    assert "command_run denied: git status --short" in reported(live.events)
    assert "was denied, so I did not run it" in output(live)
    assert (repository / "NOTES.md").exists()


def test_it_remembers_its_session_and_edits_again(repository: Path) -> None:
    with run(repository, "First thing\n\nIn detail.") as live:
        started = live.until(lambda event: isinstance(event, SessionStarted))
        assert isinstance(started, SessionStarted)
        finish(live, Decision.APPROVED)
    with run(repository, "Second thing", started.session_id) as live:
        finish(live, Decision.APPROVED)
    assert "This is turn 2 of our session. Before, you said:\n- First thing" in output(live)
    assert "In detail" not in output(live)
    assert "file_edit success: NOTES.md ['edit']" in reported(live.events)
    assert reported(live.events)[0] == "user: Second thing"
    assert "## First thing" in (repository / "NOTES.md").read_text()
    assert "## Second thing" in (repository / "NOTES.md").read_text()


def test_a_forgotten_session_starts_anew_and_says_so(repository: Path) -> None:
    with run(repository, "Hello", "6f1d3a52-1f0e-4a8e-9d0b-0f6a5c1e7a90") as live:
        finish(live, Decision.APPROVED)
    assert reported(live.events)[0].startswith("system: The former session could not be resumed")
    assert reported(live.events)[1] == "user: Hello"


@pytest.mark.parametrize("asking", [False, True])
def test_a_cancel_ends_it_at_once(repository: Path, asking: bool) -> None:
    with run(repository, "Hello", pace=0 if asking else 1000) as live:
        if asking:
            live.asked()
        else:
            live.until(lambda event: isinstance(event, EntryPut) and event.key == "plan")
        live.dialogue.send(Interrupt())
        start = time.monotonic()
        assert live.ended().outcome is Outcome.INTERRUPTED
        # It answers within 0.2 s; the rest is for a loaded machine.
        assert time.monotonic() - start < 2


def test_the_end_of_its_input_ends_it(repository: Path) -> None:
    with run(repository, "Hello", pace=1000) as live:
        live.until(lambda event: isinstance(event, EntryPut) and event.key == "plan")
    assert live.program.returncode == 0


def test_it_does_not_write_through_a_link(repository: Path, tmp_path: Path) -> None:
    (repository / "NOTES.md").symlink_to(tmp_path / "elsewhere.md")
    with run(repository, "Hello") as live:
        ended = live.ended()
    assert ended.outcome is Outcome.FAILED
    assert "symbolic link" in (ended.error or "")
    assert not (tmp_path / "elsewhere.md").exists()
