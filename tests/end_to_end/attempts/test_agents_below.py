"""What an agent can do by the API by itself: read, and write below its own task, in bounds."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.http.permissions import TASKS_AN_HOUR
from anyond.model.ids import new_id
from tests.support.daemon import Daemon
from tests.support.processes.asking_script import Answer, Ask, answers, put, script

BOTH = pytest.mark.parametrize("with_token", [True, False])


async def began(daemon: Daemon, *asks: Ask) -> tuple[dict[str, Any], list[Answer]]:
    """An attempt whose setup script asks, and what it was answered."""
    await daemon.use_fake_agent()
    project = await daemon.project(setup_script=script(daemon))
    put(daemon, *(ask._replace(body=_filled(ask.body, project)) for ask in asks))
    attempt = await daemon.attempt(project, "say done")
    await daemon.over(attempt)
    return attempt, answers(daemon)


def _filled(body: Any, project: dict[str, Any]) -> Any:
    if isinstance(body, dict):
        return {key: _filled(value, project) for key, value in body.items()}
    return project["id"] if body == "PROJECT" else body


def task(title: str = "Below", **more: Any) -> dict[str, Any]:
    return {"project_id": "PROJECT", "title": title, **more}


@BOTH
async def test_a_task_of_an_agent_is_below_its_own(daemon: Daemon, with_token: bool) -> None:
    attempt, found = await began(
        daemon,
        Ask("GET", "/api/projects", None, with_token),
        Ask("POST", "/api/tasks", task(), with_token),
        Ask("PUT", "/api/tasks/$1", {"title": "Renamed"}, with_token),
        Ask("DELETE", "/api/tasks/$1", None, with_token),
    )
    assert [one.status for one in found] == [200, 200, 200, 403]
    assert found[1].data["parent_task_attempt"] == attempt["id"]
    assert found[3].type == "not_for_agents"


@BOTH
async def test_what_is_not_below_is_not_its_business(daemon: Daemon, with_token: bool) -> None:
    await daemon.use_fake_agent()
    project = await daemon.project(setup_script=script(daemon))
    other = await daemon.project(daemon.repository("other"), name="Other")
    theirs = await daemon.ask("POST", "/api/tasks", {"project_id": project["id"], "title": "Mine"})
    put(daemon)
    first = await daemon.attempt(project, "say done")
    await daemon.over(first)
    (process, *_) = await daemon.processes(first)
    below = {"project_id": project["id"], "title": "Below"}
    profile = {"executor": "ACP", "variant": None}
    asks = [
        ("POST", "/api/tasks", {**below, "project_id": other["id"]}),
        ("POST", "/api/tasks", {**below, "parent_task_attempt": first["id"]}),
        ("PUT", f"/api/tasks/{theirs['id']}", {"title": "Yours"}),
        ("PUT", f"/api/tasks/{first['task_id']}", {"status": "done"}),
        ("POST", f"/api/task-attempts/{first['id']}/follow-up", {"prompt": "say pwned"}),
        ("POST", f"/api/task-attempts/{first['id']}/stop", None),
        ("POST", f"/api/execution-processes/{process['id']}/stop", None),
        ("PUT", f"/api/task-attempts/{first['id']}/draft", {"prompt": "x"}),
        (
            "POST",
            "/api/task-attempts",
            {"task_id": theirs["id"], "executor_profile_id": profile, "base_branch": "main"},
        ),
        ("POST", "/api/tags", {"tag_name": "tests", "content": "Write none."}),
        ("POST", "/api/links", None),
    ]
    put(daemon, *(Ask(*ask, with_token) for ask in asks))
    await daemon.over(await daemon.attempt(project, "say done"))
    found = answers(daemon)
    assert [(one.status, one.type) for one in found] == [(403, "not_below")] * len(asks)
    assert len(await daemon.ask("GET", f"/api/tasks?project_id={project['id']}")) == 3


async def test_there_are_so_many_an_hour(daemon: Daemon) -> None:
    asks = [Ask("POST", "/api/tasks", task(), with_token=n % 2 == 0) for n in range(30)]
    attempt, found = await began(daemon, *asks)
    assert [one.status for one in found] == [200] * TASKS_AN_HOUR + [403] * (30 - TASKS_AN_HOUR)
    assert found[-1].type == "not_below"
    children = await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}/children")
    assert len(children["children"]) == TASKS_AN_HOUR
    # A person is not bounded by what an agent has made.
    new = {
        "project_id": found[0].data["project_id"],
        "title": "Mine",
        "parent_task_attempt": attempt["id"],
    }
    await daemon.ask("POST", "/api/tasks", new)


async def test_they_are_so_deep(daemon: Daemon) -> None:
    """Each attempt makes one below; those at the third level are refused."""
    await daemon.use_fake_agent()
    project = await daemon.project(setup_script=script(daemon))
    profile = {"executor": "ACP", "variant": None}
    below = {"project_id": project["id"], "title": "Below", "description": "say done"}
    put(daemon, Ask("POST", "/api/tasks", below))
    attempt = await daemon.attempt(project, "say done")
    await daemon.over(attempt)
    for depth in (1, 2):
        [made] = answers(daemon)
        assert (depth, made.status) == (depth, 200)
        assert made.data["parent_task_attempt"] == attempt["id"]
        put(daemon, Ask("POST", "/api/tasks", below))
        body = {
            "task_id": made.data["id"],
            "executor_profile_id": profile,
            "base_branch": "main",
        }
        attempt = await daemon.ask("POST", "/api/task-attempts", body)
        await daemon.over(attempt)
    [refused] = answers(daemon)
    assert (refused.status, refused.type) == (403, "not_below")
    assert "deeper" in str(refused.message)


async def test_an_agent_starts_others_like_itself_only(daemon: Daemon) -> None:
    await daemon.use_fake_agent()
    profiles = await daemon.ask("GET", "/api/profiles")
    assert profiles
    start = {"base_branch": "main", "task_id": "$0"}
    _, found = await began(
        daemon,
        Ask("POST", "/api/tasks", task(description="say hello")),
        Ask(
            "POST",
            "/api/task-attempts",
            {**start, "executor_profile_id": {"executor": "DEMO", "variant": "LET_ALL"}},
        ),
        Ask(
            "POST",
            "/api/task-attempts",
            {**start, "executor_profile_id": {"executor": "DEMO", "variant": "DEFAULT"}},
        ),
    )
    assert [(one.status, one.type) for one in found[1:]] == [(403, "not_below"), (200, None)]


async def test_a_token_is_worth_nothing_when_its_execution_is_over(daemon: Daemon) -> None:
    await daemon.use_fake_agent()
    out = daemon.root / "token"
    project = await daemon.project(setup_script=f"printenv ANYON_TOKEN > '{out}'")
    await daemon.over(await daemon.attempt(project, "say done"))
    for token in (out.read_text().strip(), f"anyonx_{new_id()}_00"):
        headers = {"Authorization": f"Bearer {token}"}
        answer = await daemon.request("GET", "/api/projects", headers=headers)
        assert answer.status_code == 401
