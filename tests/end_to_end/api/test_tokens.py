"""Tokens, links, and what an agent can do by its own."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, open_websocket_url

from tests.support.daemon import Daemon, local_client

READ_ONLY = {"name": "phone", "scopes": ["read"]}


@pytest.fixture
async def guarded(tmp_path: Path) -> Any:
    """A daemon that wants a token; its own one is in the file."""
    daemon = Daemon(tmp_path)
    await daemon.start("--auth", "token")
    yield daemon
    await daemon.__aexit__()


def owner(daemon: Daemon) -> dict[str, str]:
    return bearer((daemon.root / "config" / "token").read_text().strip())


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def sent(
    daemon: Daemon, headers: dict[str, str], method: str, path: str, body: Any = None
) -> httpx.Response:
    return await daemon.request(method, path, json=body, headers=headers)


async def made(daemon: Daemon, body: dict[str, Any]) -> dict[str, Any]:
    answer = await sent(daemon, owner(daemon), "POST", "/api/tokens", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def type_of(answer: httpx.Response) -> str | None:
    data = answer.json()["error_data"]
    return None if data is None else str(data["type"])


async def test_a_token_does_what_it_says_and_no_more(guarded: Daemon) -> None:
    token = await made(guarded, READ_ONLY)
    held = bearer(token["token"])
    assert (await sent(guarded, held, "GET", "/api/projects")).status_code == 200
    for method, path in (
        ("POST", "/api/tasks"),
        ("PUT", "/api/config"),
        ("GET", "/api/tokens"),
        ("POST", "/api/tokens"),
    ):
        answer = await sent(guarded, held, method, path, {})
        assert (answer.status_code, type_of(answer)) == (403, "scope_missing")
        assert "'phone'" in answer.json()["message"]


async def test_only_the_hash_of_a_token_is_stored(guarded: Daemon) -> None:
    token = (await made(guarded, READ_ONLY))["token"]
    for file in guarded.root.rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes(), file


async def test_a_token_survives_a_restart_and_not_its_revocation(guarded: Daemon) -> None:
    token = await made(guarded, READ_ONLY)
    held = bearer(token["token"])
    await guarded.stop()
    await guarded.start("--auth", "token")
    assert (await sent(guarded, held, "GET", "/api/projects")).status_code == 200
    [row] = (await sent(guarded, owner(guarded), "GET", "/api/tokens")).json()["data"]
    assert row["last_used_at"] is not None
    path = f"/api/tokens/{token['record']['id']}"
    async with open_websocket_url(
        guarded.url.replace("http", "ws", 1)
        + "/api/drafts/stream/ws?project_id="
        + (await project(guarded))["id"],
        extra_headers=[(b"Authorization", held["Authorization"].encode())],
    ) as stream:
        await stream.get_message()
        assert (await sent(guarded, owner(guarded), "DELETE", path)).status_code == 200
        assert await code_of_end(stream) == 1008
    assert (await sent(guarded, held, "GET", "/api/projects")).status_code == 401
    await guarded.stop()
    await guarded.start("--auth", "token")
    assert (await sent(guarded, held, "GET", "/api/projects")).status_code == 401


async def code_of_end(stream: WebSocketConnection) -> int | None:
    with trio.fail_after(30):
        try:
            while True:
                await stream.get_message()
        except ConnectionClosed as closed:
            return closed.reason.code if closed.reason is not None else None


async def test_a_token_that_has_ended_is_not_let_in(guarded: Daemon) -> None:
    token = await made(guarded, {**READ_ONLY, "expires_in_s": 60})
    await guarded.stop()
    with sqlite3.connect(guarded.data / "anyon.db") as database:
        database.execute("UPDATE tokens SET expires_at = '2020-01-01T00:00:00.000Z'")
    await guarded.start("--auth", "token")
    answer = await sent(guarded, bearer(token["token"]), "GET", "/api/projects")
    assert answer.status_code == 401
    assert "has expired" in answer.json()["message"]


async def project(daemon: Daemon, name: str = "project") -> dict[str, Any]:
    body = {
        "name": name,
        "git_repo_path": str(daemon.repository(name)),
        "use_existing_repo": True,
    }
    answer = await sent(daemon, owner(daemon), "POST", "/api/projects", body)
    found: dict[str, Any] = answer.json()["data"]
    return found


async def test_a_token_reaches_its_projects_only(guarded: Daemon) -> None:
    mine, other = await project(guarded, "mine"), await project(guarded, "other")
    new = {"name": "mine", "scopes": ["read", "write"], "projects": [mine["id"]]}
    held = bearer((await made(guarded, new))["token"])
    listed = (await sent(guarded, held, "GET", "/api/projects")).json()["data"]
    assert [one["id"] for one in listed] == [mine["id"]]
    task = {"project_id": mine["id"], "title": "Brew"}
    assert (await sent(guarded, held, "POST", "/api/tasks", task)).status_code == 200
    their = await sent(
        guarded, owner(guarded), "POST", "/api/tasks", {**task, "project_id": other["id"]}
    )
    for method, path, body in (
        ("POST", "/api/tasks", {**task, "project_id": other["id"]}),
        ("GET", f"/api/tasks?project_id={other['id']}", None),
        ("GET", f"/api/tasks/{their.json()['data']['id']}", None),
        ("PUT", f"/api/tasks/{their.json()['data']['id']}", {"title": "x"}),
        ("GET", "/api/task-attempts", None),
        ("GET", "/api/events", None),
        ("GET", "/api/approvals", None),
        ("GET", "/api/filesystem/directory", None),
        ("GET", "/vk/api/approvals/pending", None),
        ("POST", "/api/tags", {"tag_name": "a", "content": "b"}),
    ):
        answer = await sent(guarded, held, method, path, body)
        assert (path, answer.status_code, type_of(answer)) == (path, 403, "outside_projects")


async def test_nobody_gives_more_than_there_is(guarded: Daemon) -> None:
    new = {"name": "half", "scopes": ["read", "admin"]}
    held = bearer((await made(guarded, new))["token"])
    beyond = {"name": "whole", "scopes": ["land"]}
    answer = await sent(guarded, held, "POST", "/api/tokens", beyond)
    assert (answer.status_code, type_of(answer)) == (403, "beyond_own_scope")
    within = {"name": "less", "scopes": ["read"]}
    assert (await sent(guarded, held, "POST", "/api/tokens", within)).status_code == 200


async def test_a_link_lets_in_one_browser_once(guarded: Daemon) -> None:
    held = bearer((await made(guarded, {"name": "tv", "scopes": ["read", "write"]}))["token"])
    for headers, can_set in ((owner(guarded), True), (held, False)):
        link = (await sent(guarded, headers, "POST", "/api/links")).json()["data"]["url"]
        async with local_client() as browser:
            first = await browser.get(link)
            assert first.status_code == 303
            assert "HttpOnly; SameSite=Strict" in first.headers["set-cookie"]
            assert (await browser.get(f"{guarded.url}/api/projects")).status_code == 200
            changed = await browser.put(f"{guarded.url}/api/config", json={})
            assert (changed.status_code == 200) is can_set
        async with local_client() as second:
            assert (await second.get(link)).status_code == 401


async def test_without_a_token_links_are_for_the_unix_socket(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    socket = tmp_path / "s"
    await daemon.start("--unix", str(socket))
    answer = await daemon.request("POST", "/api/links")
    assert (answer.status_code, type_of(answer)) == (403, "no_link")
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as local:
        link = (await local.post("/api/links")).json()["data"]["url"]
    async with local_client() as browser:
        assert (await browser.get(link)).status_code == 303
        assert (await browser.get(link)).status_code != 303
    await daemon.__aexit__()


async def test_a_token_restricts_also_where_none_is_wanted(daemon: Daemon) -> None:
    answer = await daemon.request("POST", "/api/tokens", json=READ_ONLY)
    held = bearer(answer.json()["data"]["token"])
    assert (await sent(daemon, held, "GET", "/api/projects")).status_code == 200
    assert (await sent(daemon, held, "PUT", "/api/config", {})).status_code == 403
    assert (await sent(daemon, bearer("whatever"), "PUT", "/api/config", {})).status_code == 200
    assert (await sent(daemon, bearer("anyon_x"), "GET", "/api/projects")).status_code == 401
    assert json.loads(answer.text)["data"]["record"]["name"] == "phone"
