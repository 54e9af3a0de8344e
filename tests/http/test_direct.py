"""JSON without a framework: which requests are found, and what is promised of their bodies."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import trio

from anyond.http.request import json_request
from anyond.http.request.body import LARGEST_BODY
from tests.support.http.front_door import Server, read_all


async def test_a_method_that_is_not_there_and_the_head_of_an_answer(server: Server) -> None:
    head = await server.client.head("/health")
    assert (head.status_code, head.content) == (200, b"")
    got = await server.client.get("/health")
    assert head.headers["content-length"] == str(len(got.content))
    refused = await server.client.delete("/health")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, HEAD"


async def test_of_a_parameter_that_comes_twice_the_first_counts(server: Server) -> None:
    first, second = await server.project(), await server.project()
    found = await server.client.get(f"/api/tasks?project_id={first.id}&project_id={second.id}")
    assert found.status_code == 200
    assert (await server.client.get("/api/tasks?project_id=")).status_code == 400


async def test_a_body_that_is_too_large_is_refused_by_its_length_and_by_its_bytes(
    server: Server,
) -> None:
    async def pieces() -> Any:
        for _ in range(5):
            yield b" " * (LARGEST_BODY // 4)

    whole = await server.client.post("/api/projects", content=b" " * (LARGEST_BODY + 1))
    chunked = await server.client.post("/api/projects", content=pieces())
    for refused in (whole, chunked):
        assert refused.status_code == 413
        assert refused.json()["message"] == "body: is larger than 4 MiB"


async def test_a_body_that_does_not_come_is_refused_in_time(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_request, "BODY_SECONDS", 0.1)
    head = "POST /api/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"
    host, _, port = server.url.removeprefix("http://").partition(":")
    with trio.fail_after(20):
        stream = await trio.open_tcp_stream(host, int(port))
        async with stream:
            await stream.send_all(head.encode())
            answer = b""
            while piece := await stream.receive_some():
                answer += piece
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"body: did not arrive in time" in answer


async def test_a_client_that_leaves_in_the_middle_of_its_body_gets_no_answer_and_breaks_nothing(
    server: Server,
) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    for _ in range(5):
        client = socket.create_connection((host, int(port)))
        client.sendall(
            b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"
        )
        client.close()
    assert (await server.client.get("/health")).status_code == 200


async def test_requests_of_one_connection_are_answered_in_order(server: Server) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    bodies = b"".join(
        b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path
        for path in (b"/health", b"/api/none", b"/api/health")
    )
    with trio.fail_after(20):
        stream = await trio.open_tcp_stream(host, int(port))
        async with stream:
            await stream.send_all(bodies)
            answers = b""
            while answers.count(b"HTTP/1.1 ") < 3 or not answers.endswith(b"}"):
                answers += await stream.receive_some()
    statuses = [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"404", b"200"]


@pytest.mark.parametrize("line", ["DELETE /api/tasks/nothing", "GET /health", "POST /health"])
async def test_a_body_that_nobody_reads_does_not_end_the_connection(
    server: Server, line: str
) -> None:
    stream = await server.raw(
        f"{line} HTTP/1.1\nHost: localhost\nContent-Length: 4\n\nnull"
        "GET /health HTTP/1.1\nHost: localhost\nConnection: close\n\n"
    )
    answers = await read_all(stream)
    assert answers.count(b"HTTP/1.1 ") == 2
    assert answers.endswith(b'"ok"}')
