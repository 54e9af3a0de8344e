"""Another user of the same machine is not let in, whatever is sent from there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from anyond.http.guard import Policy
from anyond.http.wire import peers
from anyond.http.wire.peers import NOBODY, Means, Peers
from tests.support.http.front_door import open_server

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells whose connection it is"
)

ME = os.geteuid()
OUTSIDER = 65534
REPORTED = "belongs to another user"


@pytest.fixture(params=[Means.SOCK_DIAG, Means.TABLES])
def known(request: pytest.FixtureRequest) -> Iterator[Peers]:
    """By either of the two means."""
    found = Peers()
    if found.means is Means.NONE or (
        request.param is Means.SOCK_DIAG and found.means is not Means.SOCK_DIAG
    ):
        pytest.skip(f"this machine has no {request.param}")
    found.means = request.param
    yield found
    found.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_the_owner_of_a_connection_is_known_by_any_name_of_this_machine(
    known: Peers, name: str
) -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        port = server.getsockname()[1]
        for _ in range(3):
            with socket.create_connection((name, port)) as client, server.accept()[0] as accepted:
                assert known.user(accepted) == ME
                client.shutdown(socket.SHUT_WR)
                assert known.user(accepted) == ME


def test_what_nobody_has_open_any_more_is_nobodys_and_not_roots(known: Peers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with server.accept()[0] as accepted:
            client.close()
            assert known.user(accepted) == NOBODY


def test_the_owner_of_a_unix_socket_is_known(known: Peers, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))
        with server.accept()[0] as accepted:
            assert known.user(accepted) == ME


def test_users_without_a_number_in_this_namespace_are_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peers, "_overflow_user", lambda: ME)
    found = Peers()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()),
        server.accept()[0] as accepted,
    ):
        assert found.user(accepted) in {NOBODY, None}
    found.close()


async def test_only_the_users_of_the_policy_are_let_in(tmp_path: Path) -> None:
    asked = Peers()
    for users, status in (({ME}, 200), ({ME + 1}, 403)):
        place = tmp_path / str(status)
        place.mkdir()
        async with open_server(place, policy=Policy(users=users), peers=asked) as server:
            for path in ("/health", "/api/tasks?project_id=x", "/docs", "/vk/api/health", "/none"):
                answer = await server.get(path)
                assert (answer.status_code == 403) == (status == 403)
                assert (REPORTED in answer.text) == (status == 403)
            stream = await server.raw(
                "GET /api/events/ws HTTP/1.1\nHost: localhost\nConnection: Upgrade\n"
                "Upgrade: websocket\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\n"
                "Sec-WebSocket-Version: 13\n\n"
            )
            head = await stream.receive_some(4096)
            assert head.startswith(b"HTTP/1.1 403") == (status == 403)
            await stream.aclose()
    asked.close()


async def test_a_token_counts_for_more_than_the_user(tmp_path: Path) -> None:
    asked, policy = Peers(), Policy(users={ME + 1}, token="secret")
    async with open_server(tmp_path, policy=policy, peers=asked) as server:
        assert (await server.get("/health", Authorization="Bearer secret")).status_code == 200
        assert (await server.get("/health")).status_code == 401
    asked.close()


async def test_a_unix_socket_passes_the_same_door(tmp_path: Path) -> None:
    asked, address = Peers(), f"unix:{tmp_path}/s"
    policy = Policy(users={ME + 1})
    async with open_server(tmp_path, policy=policy, address=address, peers=asked) as server:
        assert (await server.get("/health")).status_code == 403
    asked.close()


@pytest.mark.skipif(ME != 0, reason="only root can be somebody else")
async def test_a_program_of_another_user_is_refused(tmp_path: Path) -> None:
    asked, policy = Peers(), Policy(users={ME})
    async with open_server(tmp_path, policy=policy, peers=asked) as server:
        host, port = server.url.removeprefix("http://").rsplit(":", 1)
        ask = (
            "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2])));"
            "s.sendall(b'GET /health HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n');"
            "sys.stdout.buffer.write(s.makefile('rb').read())"
        )
        done = await trio.run_process(
            ["/usr/bin/env", "-i", "python3", "-c", ask, host, port],
            user=OUTSIDER,
            group=OUTSIDER,
            extra_groups=[],
            cwd="/",
            capture_stdout=True,
            stderr=subprocess.STDOUT,
        )
        assert done.stdout.startswith(b"HTTP/1.1 403"), done.stdout
        assert (await server.get("/health")).status_code == 200
