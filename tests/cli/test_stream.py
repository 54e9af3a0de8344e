"""Streams of the API, printed."""

from __future__ import annotations

import json

from tests.support.terminals.command_line import CommandLine


def test_each_message_is_a_line(anyon: CommandLine) -> None:
    done = anyon.run(
        "stream", "/api/tasks/stream/ws?project_id=00000000-0000-4000-8000-000000000000"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "project" in done.stderr
    body = {"name": "Tea", "git_repo_path": str(anyon.repository), "use_existing_repo": True}
    project = anyon.ask("POST", "/api/projects", body)
    new = {
        "task": {"project_id": project["id"], "title": "Brew tea"},
        "executor_profile_id": {"executor": "DEMO", "variant": "DEFAULT"},
        "base_branch": "main",
    }
    task = anyon.ask("POST", "/api/tasks/create-and-start", new)
    (attempt,) = anyon.ask("GET", f"/api/task-attempts?task_id={task['id']}")
    anyon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    listed = f"/api/execution-processes?task_attempt_id={attempt['id']}"
    process = anyon.ask("GET", listed)[-1]
    path = f"/api/execution-processes/{process['id']}/normalized-logs/ws"
    messages = [json.loads(line) for line in anyon.well("stream", path).splitlines()]
    assert messages
    assert all(isinstance(message, dict) for message in messages)


def test_what_is_refused_or_no_path_is_told_as_by_all_commands(anyon: CommandLine) -> None:
    usage = anyon.run("stream", "api/tasks")
    assert usage.returncode == 2
    assert "begins with a slash" in usage.stderr
    refused = anyon.run("stream", "/api/task-attempts/nobody/diff/ws", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stderr)["error"]["message"]
    nobody = anyon.run("stream", "/api/tasks/stream/ws", "--url", "http://127.0.0.1:9")
    assert nobody.returncode == 7
