"""A scripted agent over real pipes: the whole way of a run, from launch to exit."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from anyond.agents.acp.agent import Acp
from anyond.agents.common.core import (
    ApprovalAsked,
    Decide,
    Decision,
    EntryPut,
    Interrupt,
    Outcome,
    Prompt,
    SessionStarted,
    Turn,
)
from tests.support.dialogues.acp_driver import DEADLINE, Live, fold, reported
from tests.support.paths import SCRIPTED_AGENTS

SCRIPTED = SCRIPTED_AGENTS / "acp_agent.py"


def live(folder: Path, prompt: str, session: str | None = None, **env: str) -> Live:
    options: dict[str, Any] = {"base_command_override": f"'{sys.executable}' -I '{SCRIPTED}'"}
    turn = Turn(prompt=prompt, cwd=str(folder), session_id=session, options=options)
    return Live(Acp(), turn, {"PATH": os.environ["PATH"], **env})


def test_a_run_with_an_allowed_command_and_its_replay(tmp_path: Path) -> None:
    prompt = "think hm\nplan a | b | c\nwrite f.txt text\nread f.txt\nrun cat f.txt; exit 3\nsay ok"
    with live(tmp_path, prompt) as run:
        asked = run.asked()
        assert asked.tool_input == {"command": "cat f.txt; exit 3"}
        run.dialogue.send(Decide(asked.call, Decision.APPROVED))
        assert run.ended().outcome is Outcome.COMPLETED
    assert run.program.returncode == 0
    user, *rest = reported(run.events)
    assert user.startswith("user: think hm|plan")
    assert rest == [
        "thinking: hm",
        "todo_management success: Plan: 1 of 3 done",
        "file_edit success: f.txt ['write']",
        "file_read success: f.txt",
        "command_run failed: cat f.txt; exit 3 [3] 'text\\n'",
        "assistant: ok",
        "> session",
        "> asked: cat f.txt; exit 3",
        "> answered",
        "> completed",
    ]
    replayed = fold(Acp().dialogue(run.turn), run.records)
    assert reported(replayed) == reported(run.events)


def test_a_denial_does_not_end_the_run(tmp_path: Path) -> None:
    with live(tmp_path, "ask\nrun touch f\nsay done") as run:
        for _ in range(2):
            run.dialogue.send(Decide(run.asked().call, Decision.DENIED, reason="no"))
        assert run.ended().outcome is Outcome.COMPLETED
    assert "assistant: denied" in reported(run.events)
    assert "command_run denied: touch f" in reported(run.events)
    assert not (tmp_path / "f").exists()


def test_an_interrupt_ends_what_the_agent_does(tmp_path: Path) -> None:
    for prompt in ("silent", "sleep 600", "ask", "say one\nrun sleep 600"):
        with live(tmp_path, prompt) as run:
            if prompt.startswith("say"):
                run.dialogue.send(Decide(run.asked().call, Decision.APPROVED))
            elif prompt == "ask":
                run.asked()
            else:
                run.until(lambda event: isinstance(event, EntryPut))
            run.flush()
            run.dialogue.send(Interrupt())
            assert run.ended().outcome is Outcome.INTERRUPTED


def test_a_session_is_remembered_by_load_and_by_resume(tmp_path: Path) -> None:
    state = str(tmp_path)
    with live(tmp_path, "say one", ACP_AGENT_STATE=state) as run:
        started = run.until(lambda event: isinstance(event, SessionStarted))
        assert isinstance(started, SessionStarted)
        run.ended()
    for resume in ("", "1", "lie"):
        env = {"ACP_AGENT_STATE": state, "ACP_AGENT_RESUME": resume}
        with live(tmp_path, "recall", started.session_id, **env) as run:
            assert run.ended().outcome is Outcome.COMPLETED
        expected = 1 + ["", "1", "lie"].index(resume)
        assert reported(run.events) == [
            "user: recall",
            f"assistant: {expected} prompts before",
            "> session",
            "> completed",
        ]


def test_errors_and_logins_are_told(tmp_path: Path) -> None:
    with live(tmp_path, "fail no more money") as run:
        ended = run.ended()
    assert (ended.outcome, ended.error) == (Outcome.FAILED, "no more money")
    with live(tmp_path, "say x", ACP_AGENT_LOGIN="1") as run:
        ended = run.ended()
    assert "Run `scripted login`" in (ended.error or "")


def test_noise_many_lines_and_a_sudden_end(tmp_path: Path) -> None:
    with live(tmp_path, "raw {not json\nlines 5000\nask\nexit 7") as run:
        asked = run.until(lambda event: isinstance(event, ApprovalAsked))
        assert isinstance(asked, ApprovalAsked)
        run.dialogue.send(Decide(asked.call, Decision.APPROVED))
        run.flush()
        run.program.wait(DEADLINE)
    assert run.program.returncode == 7
    assert "> noise: {not json" in reported(run.events)
    texts = [e.entry.content for e in run.events if isinstance(e, EntryPut) and "text:" in e.key]
    assert texts[-1].count("\n") == 5000


def test_the_scripted_daemon_outlives_its_parent_and_a_sigterm(tmp_path: Path) -> None:
    with live(tmp_path, "spawn-daemon pid") as run:
        assert run.ended().outcome is Outcome.COMPLETED
    daemon = psutil.Process(int((tmp_path / "pid").read_text()))
    try:
        assert os.getsid(daemon.pid) != os.getsid(0)
        daemon.terminate()
        with pytest.raises(psutil.TimeoutExpired):
            daemon.wait(0.1)
    finally:
        daemon.kill()


def test_a_deaf_agent_hears_only_sigkill(tmp_path: Path) -> None:
    with live(tmp_path, "deaf") as run:
        assert run.ended().outcome is Outcome.COMPLETED
        run.program.send_signal(signal.SIGTERM)
        run.dialogue.send(Prompt("sleep 0.05\nsay still here"))
        run.flush()
        run.dialogue.send(Interrupt())
        assert run.ended().outcome is Outcome.COMPLETED
        assert "assistant: still here" in reported(run.events)
        run.program.kill()
