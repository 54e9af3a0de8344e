"""Listeners are open before Trio runs, and may have to be closed without it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import trio
import trio.testing

from anyond.http.wire.listeners import Listener, listen
from anyond.model.errors import Unavailable


def refused(address: str | tuple[str, int], family: socket.AddressFamily) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        try:
            client.connect(address)
        except OSError:
            return True
        return False


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_listener_is_closed_before_trio_has_run_and_once_more(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    listener = listen("127.0.0.1:0" if kind == "tcp" else f"unix:{path}")
    family = socket.AF_INET if kind == "tcp" else socket.AF_UNIX
    address = ("127.0.0.1", int(listener.url.rpartition(":")[2])) if kind == "tcp" else str(path)
    assert not refused(address, family)
    listener.close()
    listener.close()
    assert refused(address, family)
    assert not path.exists()


def test_a_listener_at_which_trio_has_accepted_is_closed_when_it_does_no_longer() -> None:
    listener = listen("127.0.0.1:0")
    address = ("127.0.0.1", int(listener.url.rpartition(":")[2]))

    async def accept_one() -> None:
        async with await trio.open_tcp_stream(*address), await listener.accepting.accept():
            pass

    trio.run(accept_one)
    listener.close()
    assert refused(address, socket.AF_INET)


async def test_whoever_accepts_hears_that_a_listener_is_closed() -> None:
    listener: Listener = listen("127.0.0.1:0")
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:

            async def accept() -> None:
                with pytest.raises(trio.ClosedResourceError):
                    await listener.accepting.accept()

            nursery.start_soon(accept)
            await trio.testing.wait_all_tasks_blocked()
            listener.close()


def test_why_nothing_can_listen_is_said_without_a_number(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"nowhere/s: No such file or directory\.$"):
        listen(f"unix:{tmp_path}/nowhere/s")
