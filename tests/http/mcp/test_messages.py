"""Messages that are none, and requests whose headers and bodies say different things."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import trio

from tests.support.http.front_door import Server

MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def request(method: str, params: dict[str, Any] | None = None, id: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}}


async def sent(server: Server, body: Any, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, bytes):
        named = {"content-type": "application/json", **named}
        return await server.client.post("/mcp", content=body, headers=named)
    return await server.client.post("/mcp", json=body, headers=named)


async def modern(server: Server, method: str, **headers: str) -> httpx.Response:
    said = {"mcp_protocol_version": MODERN, "mcp_method": method, **headers}
    return await sent(server, request(method, {"_meta": META}), **said)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"nonsense", -32700),
        (b"[" * 100_000, -32700),
        (b"\xff", -32700),
        (b"[]", -32600),
        (b"42", -32600),
        ([request("ping")], -32600),
        ({"id": 1, "method": "ping"}, -32600),
        (request("ping", id=True), -32600),
        (request("ping", id=None), -32600),
        (request("ping", id={}), -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": 7}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}, -32602),
    ],
)
async def test_what_is_no_message_is_an_error(server: Server, body: Any, code: int) -> None:
    answer = await sent(server, body)
    assert answer.status_code == 400
    said = answer.json()
    assert (said["id"], said["error"]["code"]) == (None, code)


async def test_an_unknown_method_is_named(server: Server) -> None:
    answer = await sent(server, request("brew/tea"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, -32601)
    answer = await modern(server, "brew/tea")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32601)


async def test_each_revision_answers_what_it_has(server: Server) -> None:
    for asked, given in ((MODERN, "2025-11-25"), ("2025-06-18", "2025-06-18"), ("1999", None)):
        answer = await sent(server, request("initialize", {"protocolVersion": asked}))
        assert answer.json()["result"]["protocolVersion"] == (given or "2025-11-25")
        assert "mcp-session-id" not in answer.headers
    assert (await sent(server, request("ping"))).json()["result"] == {}
    assert (await modern(server, "ping")).status_code == 404
    found = (await modern(server, "server/discover")).json()["result"]
    assert found["supportedVersions"] == [MODERN]
    assert found["resultType"] == "complete"
    tools = (await modern(server, "tools/list")).json()["result"]
    assert (tools["cacheScope"], tools["ttlMs"] > 0) == ("private", True)
    before = (await sent(server, request("tools/list"))).json()["result"]
    assert before == {"tools": tools["tools"]}


async def test_an_unknown_revision_hears_which_are_spoken(server: Server) -> None:
    answer = await sent(server, request("ping"), mcp_protocol_version="1999-01-01")
    assert answer.json()["error"]["data"]["supported"][0] == MODERN
    params = {"_meta": {**META, "io.modelcontextprotocol/protocolVersion": "2099-01-01"}}
    headers = {"mcp_protocol_version": "2099-01-01", "mcp_method": "tools/list"}
    answer = await sent(server, request("tools/list", params), **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32022)


@pytest.mark.parametrize(
    "headers",
    [{"mcp_method": "tools/call"}, {"mcp_protocol_version": "2025-11-25"}, {"mcp_method": ""}],
)
async def test_headers_that_say_something_else_are_refused(
    server: Server, headers: dict[str, str]
) -> None:
    answer = await modern(server, "tools/list", **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)


async def test_the_name_in_the_header_is_that_of_the_body(server: Server) -> None:
    params = {"_meta": META, "name": "list_projects"}
    body = request("tools/call", params)
    said = {"mcp_protocol_version": MODERN, "mcp_method": "tools/call"}
    assert (await sent(server, body, **said)).status_code == 400
    assert (await sent(server, body, **said, mcp_name="delete_task")).status_code == 400
    assert (await sent(server, body, **said, mcp_name="list_projects")).status_code == 200
    encoded = "=?base64?bGlzdF9wcm9qZWN0cw==?="
    assert (await sent(server, body, **said, mcp_name=encoded)).status_code == 200


async def test_notifications_and_responses_are_taken(server: Server) -> None:
    body = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (await sent(server, body)).status_code == 202
    response = {"jsonrpc": "2.0", "id": "form-guessed", "result": {"action": "accept"}}
    assert (await sent(server, response)).status_code == 202


async def test_only_posts_of_the_daemons_own_pages_are_answered(server: Server) -> None:
    foreign = {"origin": "http://kettle.example"}
    assert (await sent(server, request("ping"), **foreign)).status_code == 403
    answer = await server.client.get("/mcp")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await sent(server, b"{}", content_type="text/html")).status_code == 415


async def test_a_body_that_is_too_long_is_refused(server: Server) -> None:
    answer = await sent(server, b'{"x":"' + b"x" * 5_000_000 + b'"}')
    assert answer.status_code == 413


async def test_a_client_that_leaves_ends_what_it_listens_to(server: Server) -> None:
    params = {"_meta": META, "notifications": {"resourceSubscriptions": ["anyon://inbox"]}}
    body = request("subscriptions/listen", params, "mine")
    headers = {"mcp-protocol-version": MODERN, "mcp-method": "subscriptions/listen"}
    with trio.fail_after(20):
        async with server.client.stream("POST", "/mcp", json=body, headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    assert "notifications/subscriptions/acknowledged" in line
                    assert '"io.modelcontextprotocol/subscriptionId":"mine"' in line
                    break
        assert (await sent(server, request("ping"))).status_code == 200


@pytest.mark.parametrize(
    "params", [{}, {"notifications": 7}, {"notifications": {"resourceSubscriptions": [7]}}]
)
async def test_odd_subscriptions_are_refused(server: Server, params: dict[str, Any]) -> None:
    headers = {"mcp_protocol_version": MODERN, "mcp_method": "subscriptions/listen"}
    body = request("subscriptions/listen", {"_meta": META, **params})
    answer = await sent(server, body, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)
