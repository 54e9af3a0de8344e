"""The protocol as the client of its official library speaks it, over HTTP and over pipes."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
import trio
from mcp import StdioServerParameters
from mcp.client.client import Client

from tests.support.daemon import TIMEOUT_S, Daemon

MODERN = "2026-07-28"
WAYS = [("http", MODERN), ("http", "legacy"), ("stdio", MODERN), ("stdio", "legacy")]


@asynccontextmanager
async def connected(daemon: Daemon, way: str, mode: Any, **more: Any) -> AsyncIterator[Client]:
    """A client of the daemon, in a directory of nobody's."""
    server: Any = f"{daemon.url}/mcp"
    if way == "stdio":
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "anyond", "mcp"],
            env=daemon.environment,
            cwd=daemon.root,
        )
    with trio.fail_after(3 * TIMEOUT_S):
        async with Client(server, mode=mode, **more) as client:
            yield client


async def called(client: Client, name: str, **arguments: Any) -> Any:
    """What a tool returns, if all is well."""
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    (text,) = result.content
    assert isinstance(text, types.TextContent)
    assert json.loads(text.text) == result.structured_content
    return result.structured_content


async def refused(client: Client, name: str, **arguments: Any) -> Any:
    result = await client.call_tool(name, arguments)
    assert result.is_error
    return result.structured_content


@pytest.mark.parametrize(("way", "mode"), WAYS)
async def test_a_task_goes_from_an_idea_to_a_merge_by_tools_alone(
    tmp_path: Path, way: str, mode: str
) -> None:
    async with Daemon(tmp_path) as daemon:
        daemon_project = await daemon.project()
        forms: list[str] = []

        async def confirm(_: Any, params: Any) -> Any:
            forms.append(params.message)
            content: dict[str, Any] = {"status": "approved"}
            if "confirm" in params.requested_schema["properties"]:
                content = {"confirm": True}
            return types.ElicitResult(action="accept", content=content)

        async with connected(daemon, way, mode, elicitation_callback=confirm) as client:
            (project,) = (await called(client, "list_projects"))["items"]
            assert project["id"] == daemon_project["id"]
            task = await called(client, "create_task", project_id=project["id"], title="Brew")
            assert (await called(client, "list_tasks", project_id=project["id"]))["items"] == [task]
            agents = await called(client, "list_agents")
            assert {"executor": "DEMO", "available": True} in [
                {name: one[name] for name in ("executor", "available")} for one in agents["items"]
            ]
            attempt = await called(client, "start_attempt", task_id=task["id"], executor="DEMO")
            of_attempt = {"task_attempt_id": attempt["id"]}
            await daemon.question()
            waited = await called(client, "wait_for", until="question", seconds=50, **of_attempt)
            assert (waited["over"], waited["summary"]["state"]) == (True, "question")
            (question,) = (await called(client, "list_questions", status="pending"))["items"]
            await called(client, "answer_question", approval_id=question["id"])
            waited = await called(client, "wait_for", until="done", seconds=50, **of_attempt)
            assert (waited["over"], waited["summary"]["state"]) == (True, "finished")
            said = await called(client, "read_conversation", **of_attempt)
            assert said["total"] == len(said["entries"]) > 3
            page = await called(client, "read_conversation", after=1, limit=2, **of_attempt)
            assert page["entries"] == said["entries"][1:3]
            assert page["more"] == f"{said['total'] - 3} more; ask with after=3"
            only = await called(client, "read_conversation", kinds=["user_message"], **of_attempt)
            assert {entry["kind"] for entry in only["entries"]} == {"user_message"}
            (file,) = (await called(client, "get_diff", **of_attempt))["files"]
            shown = await called(client, "get_diff", path=file["path"], **of_attempt)
            assert "+" in shown["diff"]
            found = await called(client, "get_attempt", **of_attempt)
            assert found["summary"]["state"] == "finished"
            assert (await called(client, "get_task", task_id=task["id"]))["attempts"] == [attempt]
            place = await called(client, "context", path=found["attempt"]["container_ref"])
            assert place["attempt"]["id"] == attempt["id"]
            would = await called(client, "merge_attempt", dry_run=True, **of_attempt)
            merged = await called(client, "merge_attempt", **of_attempt)
            assert merged["merged"] == would["would_merge"]
            assert await called(client, "list_attempts", closed=True)
            changed = await called(client, "update_task", task_id=task["id"], title="Brewed")
            assert changed["title"] == "Brewed"
            assert await called(client, "usage")
            assert "hits" in await called(client, "search", q="Brew")
            await called(client, "archive_attempt", archived=True, **of_attempt)
            await called(client, "archive_attempt", archived=False, **of_attempt)
            await called(client, "send_message", prompt="Pour it", **of_attempt)
            await called(client, "stop_attempt", **of_attempt)
            assert (await refused(client, "push_attempt", **of_attempt))["message"]
            assert (await refused(client, "create_pull_request", title="Tea", **of_attempt))["type"]
            await client.call_tool("rebase_attempt", of_attempt)
            await called(client, "delete_task", task_id=task["id"])
        assert len(forms) == 3
        assert forms[0].startswith("An agent asks to use")


@pytest.mark.parametrize(("way", "mode"), WAYS)
async def test_a_person_who_declines_is_obeyed(tmp_path: Path, way: str, mode: str) -> None:
    async def decline(_: Any, __: Any) -> Any:
        return types.ElicitResult(action="decline")

    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        async with connected(daemon, way, mode, elicitation_callback=decline) as client:
            task = await called(client, "create_task", project_id=project["id"], title="Brew")
            said = await refused(client, "delete_task", task_id=task["id"])
            assert said["type"] == "declined"
            assert (await called(client, "get_task", task_id=task["id"]))["task"]["id"] == task[
                "id"
            ]


@pytest.mark.parametrize(("way", "mode"), WAYS)
async def test_mistakes_name_what_is_known(tmp_path: Path, way: str, mode: str) -> None:
    async with Daemon(tmp_path) as daemon, connected(daemon, way, mode) as client:
        unknown = await refused(client, "create_task", titel="Brew")
        assert "no argument titel; it has project_id, title" in unknown["message"]
        with pytest.raises(Exception, match="no tool brew"):
            await client.call_tool("brew", {})
        odd = await refused(client, "wait_for", task_attempt_id="x", seconds="many")
        assert "seconds" in odd["message"]
        missing = await refused(client, "create_task", title="Brew")
        assert missing["field"] == "project_id"
        nowhere = await refused(client, "get_task", task_id="8b6f6a0e-3c1d-4c8a-8a52-6d1f5b7c2a02")
        assert "There is no task" in nowhere["message"]
        assert (await refused(client, "answer_question", approval_id="x"))["message"]


@pytest.mark.parametrize(("way", "mode"), WAYS)
async def test_resources_and_prompts(tmp_path: Path, way: str, mode: str) -> None:
    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        async with connected(daemon, way, mode) as client:
            task = await called(client, "create_task", project_id=project["id"], title="Brew")
            (inbox,) = (await client.list_resources()).resources
            assert len((await client.list_resource_templates()).resource_templates) == 3
            for uri in (inbox.uri, f"anyon://task/{task['id']}"):
                (content,) = (await client.read_resource(str(uri))).contents
                assert isinstance(content, types.TextResourceContents)
                assert json.loads(content.text)
            with pytest.raises(Exception, match="no resource"):
                await client.read_resource("anyon://kettle")
            names = {prompt.name for prompt in (await client.list_prompts()).prompts}
            assert names == {"plan_into_tasks", "review_attempt"}
            filled = await client.get_prompt("review_attempt", {"task_attempt_id": "42"})
            (message,) = filled.messages
            assert isinstance(message.content, types.TextContent)
            assert "attempt 42" in message.content.text


@pytest.mark.parametrize("way", ["http", "stdio"])
async def test_changes_of_resources_are_told_to_who_listens(tmp_path: Path, way: str) -> None:
    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        async with connected(daemon, way, MODERN) as client:
            task = await called(client, "create_task", project_id=project["id"], title="Brew")
            uri = f"anyon://task/{task['id']}"
            async with client.listen(resource_subscriptions=[uri, "anyon://kettle"]) as events:
                await daemon.ask("PUT", f"/api/tasks/{task['id']}", {"title": "Brewed"})
                async for event in events:
                    assert event.uri == uri  # type: ignore[union-attr]
                    break


async def test_waiting_tells_its_progress(tmp_path: Path) -> None:
    told: list[str | None] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async with Daemon(tmp_path) as daemon:
        project = await daemon.project(setup_script="sleep 600")
        await daemon.use_fake_agent()
        attempt = await daemon.attempt(project, "say hello")
        await daemon.running(attempt)
        async with connected(daemon, "http", MODERN) as client:
            arguments = {"task_attempt_id": attempt["id"], "seconds": 7}
            result = await client.call_tool("wait_for", arguments, progress_callback=tell)
        assert result.structured_content is not None
        assert result.structured_content["over"] is False
        assert told[0] is not None
        assert told[0].startswith("running since")
