"""Sockets that a server is handed, opens, or finds taken."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from anyond.http.wire.listeners import listen
from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import Invalid
from tests.support.http.front_door import open_server


async def test_a_socket_that_was_handed_over_is_served(tmp_path: Path) -> None:
    with socket.socket() as given:
        given.bind(("127.0.0.1", 0))
        given.listen()
        port = given.getsockname()[1]
        number = os.dup(given.fileno())
    async with open_server(tmp_path, address=f"fd://{number}") as server:
        assert server.url == f"http://127.0.0.1:{port}"
        assert not os.get_inheritable(number)
        assert (await server.get("/health")).json() == {"status": "ok"}


async def test_clients_are_told_an_address_that_they_can_go_to() -> None:
    for every, one in (("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]")):
        try:
            listener = listen(f"{every}:0")
        except Unavailable:
            continue  # this machine has no IPv6
        host, _, port = listener.url.rpartition(":")
        listener.close()
        assert (host, port.isdigit()) == (f"http://{one}", True)


async def test_a_unix_socket_is_private_and_goes_away_with_the_daemon(tmp_path: Path) -> None:
    path = tmp_path / "anyon.sock"
    async with open_server(tmp_path, address=f"unix:{path}") as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (await server.get("/health", host="anything")).json() == {"status": "ok"}
        with pytest.raises(Unavailable, match="Somebody else listens"):
            listen(f"unix:{path}")
    assert not path.exists()


async def test_only_a_socket_that_nobody_listens_at_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "anyon.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    listen(f"unix:{path}").close()
    path.write_text("precious")
    with pytest.raises(Unavailable, match="in the way"):
        listen(f"unix:{path}")
    assert path.read_text() == "precious"


async def test_an_address_that_is_taken_is_refused_in_words() -> None:
    first: Any = listen("127.0.0.1:0")
    with pytest.raises(Unavailable, match=r"Somebody else listens at 127\.0\.0\.1"):
        listen(first.url.removeprefix("http://"))
    first.close()
    with pytest.raises(Invalid, match="is not host:port"):
        listen("somewhere")
