"""Which requests are turned away before anything else looks at them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from trio_websocket import ConnectionRejected

from anyond.http.guard import Policy
from anyond.model.ids import new_id
from tests.support.http.front_door import Server, envelope, open_server, read_all

ALLOWED = "https://board.example"
TASKS = f"/api/tasks/stream/ws?project_id={new_id()}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    policy = Policy(hosts=["Anyon.Example"], origins=[f"{ALLOWED}/"])
    async with open_server(tmp_path, policy=policy) as opened:
        yield opened


LISTENER: tuple[tuple[dict[str, str], bool], ...] = (
    ({"host": "localhost"}, True),
    ({"host": "LOCALHOST:1"}, True),
    ({"host": "127.0.0.1:8096"}, True),
    ({"host": "127.9.9.9"}, True),
    ({"host": "[::1]:8096"}, True),
    ({"host": "anyon.example"}, True),
    ({"host": "anyon.example:80"}, True),
    ({"host": "evil.example"}, False),
    ({"host": "evil.example:8096"}, False),
    ({"host": "localhost.evil.example"}, False),
    ({"host": "localhost:80@evil.example"}, False),
    ({"host": "127.0.0.1.evil.example"}, False),
    ({"host": "[::2]"}, False),
    ({"host": ""}, False),
    ({"origin": "http://localhost"}, True),
    ({"origin": "http://localhost:80"}, True),
    ({"origin": "https://localhost"}, True),
    ({"origin": ALLOWED}, True),
    ({"origin": "http://localhost:3000"}, False),
    ({"origin": "null"}, False),
    ({"origin": ""}, False),
    ({"origin": "http://["}, False),
    ({"origin": "file://localhost"}, False),
    ({"origin": "https://board.example.evil.example"}, False),
    ({"sec_fetch_site": "same-origin"}, True),
    ({"sec_fetch_site": "none"}, True),
    ({"sec_fetch_site": "cross-site"}, False),
    ({"sec_fetch_site": "same-site"}, False),
    ({"sec_fetch_site": "cross-site", "origin": ALLOWED}, True),
    ({"sec_fetch_site": "cross-site", "origin": "http://localhost"}, False),
)


async def test_what_the_daemon_listens_at_is_its_own_name(server: Server) -> None:
    at = {"Host": "192.0.2.7:8096"}
    assert (await server.client.get("/health", headers=at)).status_code == 403
    server.policy.admit(["192.0.2.7", "Box.lan"])
    for host in ("192.0.2.7:8096", "box.LAN"):
        assert (await server.client.get("/health", headers={"Host": host})).status_code == 200


async def test_only_this_daemons_own_name_and_pages_are_let_in(server: Server) -> None:
    for headers, allowed in LISTENER:
        answer = await server.get("/api/projects", **{"host": "localhost", **headers})
        assert envelope(answer)["success"] == allowed
        assert (headers, answer.status_code) == (headers, 200 if allowed else 403)


async def test_websockets_pass_the_same_door(server: Server) -> None:
    for headers, allowed in LISTENER:
        lines = {"host": "localhost", "sec-websocket-version": "13", **headers}
        named = "".join(f"{k.replace('_', '-')}: {v}\n" for k, v in lines.items())
        stream = await server.raw(
            f"GET {TASKS} HTTP/1.1\n{named}Connection: Upgrade\nUpgrade: websocket\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\n\n"
        )
        answer = await read_all(stream)
        # Nothing is there; but who is let in is told that, and who is not is not.
        assert (headers, answer[:12]) == (headers, b"HTTP/1.1 404" if allowed else b"HTTP/1.1 403")
        assert b'"success":false' in answer


async def test_foreign_pages_get_no_cors_headers_unless_they_are_allowed(server: Server) -> None:
    plain = await server.get("/api/projects")
    refused = await server.get("/api/projects", origin="https://evil.example")
    for answer in (plain, refused):
        assert not [name for name in answer.headers if name.startswith("access-control")]
    allowed = await server.get("/api/projects", origin=ALLOWED)
    assert allowed.headers["access-control-allow-origin"] == ALLOWED
    missing = await server.get(f"/api/projects/{new_id()}", origin=ALLOWED)
    assert (missing.status_code, missing.headers["vary"]) == (404, "Origin")
    asked = await server.client.options("/api/projects", headers={"Origin": ALLOWED})
    assert "PUT" in asked.headers["access-control-allow-methods"]
    assert envelope(asked)["data"] is None


async def test_a_token_is_demanded_in_the_header_or_in_the_cookie(tmp_path: Path) -> None:
    policy = Policy(token="s3cret")
    async with open_server(tmp_path, policy=policy) as server:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": "anyon=s3cret"}):
            answer = await server.get("/api/projects", **headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "token" in envelope(answer)["message"]
        right = {"authorization": "Bearer s3cret"}
        assert (await server.get("/api/projects", **right)).status_code == 200
        with pytest.raises(ConnectionRejected) as refused:
            async with server.websocket(TASKS):
                pytest.fail("it asks for no token")
        assert refused.value.status_code == 401


async def test_a_link_gives_the_cookie_once(tmp_path: Path) -> None:
    policy = Policy(token="s3cret")
    async with open_server(tmp_path, policy=policy) as server:
        link = f"/?token={policy.link()}"
        welcome = await server.get(link)
        assert (welcome.status_code, welcome.headers["location"]) == (303, "/")
        cookie = welcome.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "s3cret" not in cookie
        assert (await server.get("/api/projects")).status_code == 200  # the client keeps cookies
        server.client.cookies.clear()
        assert (await server.get(link)).status_code == 401
        assert (await server.get("/?token=s3cret")).status_code == 401


async def test_a_link_is_worth_nothing_to_a_page_of_a_stranger(tmp_path: Path) -> None:
    policy = Policy(token="s3cret")
    async with open_server(tmp_path, policy=policy) as server:
        link = f"/?token={policy.link()}"
        assert (await server.get(link, host="evil.example")).status_code == 403
        assert (await server.get(link)).status_code == 303
