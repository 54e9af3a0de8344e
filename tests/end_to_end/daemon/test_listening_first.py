"""What a restart is for clients: they wait at the start, and old boards hear of a stop last."""

from __future__ import annotations

import json
import os
import signal
import socket
from functools import partial
from pathlib import Path

import pytest
import trio
from trio_websocket import ConnectionClosed, open_websocket_url

from tests.support.daemon import TIMEOUT_S, Daemon, local_client
from tests.support.paths import ROOT

pytestmark = pytest.mark.cold_start

LATE = """
import sys, time
from pathlib import Path


class Late:
    def find_spec(self, name, path=None, target=None):
        while name == "anyond.daemon.run" and not Path({path!r}).exists():
            time.sleep(0.01)


sys.meta_path.insert(0, Late())
"""
"""Read by Python before anything else; the composition root is not loaded until a file is there."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("listener", ["--port", "--vk-port"])
async def test_clients_wait_at_a_daemon_that_is_still_loading(
    tmp_path: Path, listener: str
) -> None:
    daemon = Daemon(tmp_path / "daemon")
    loaded = daemon.root / "loaded"
    slow = daemon.root / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(LATE.format(path=str(loaded)))
    daemon.environment["PYTHONPATH"] = f"{slow}:{ROOT}"
    ports = {"--port": free_port(), "--vk-port": free_port()}
    answers: list[int] = []

    async def ask() -> None:
        async with local_client() as client:
            found = await client.get(f"http://127.0.0.1:{ports[listener]}/api/health")
            answers.append(found.status_code)

    try:
        async with trio.open_nursery() as nursery:
            options = [f"{name}={port}" for name, port in ports.items()]
            nursery.start_soon(partial(daemon.start, *options, port=None))
            with trio.fail_after(TIMEOUT_S / 3):
                while not await _connects(ports[listener]):
                    await trio.sleep(0.01)
            assert not daemon.daemon_file.exists(), "it does not serve yet"
            nursery.start_soon(ask)
            await trio.sleep(0.05)
            assert answers == []
            loaded.touch()
        assert answers == [200]
    finally:
        loaded.touch()
        await daemon.__aexit__()


async def _connects(port: int) -> bool:
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True


async def test_an_old_board_hears_of_a_stop_when_all_else_has_stopped(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "daemon")
    await daemon.start("--vk-port", "0")
    try:
        project = await daemon.project()
        url = json.loads(daemon.daemon_file.read_text())["vk_url"].replace("http", "ws", 1)
        async with open_websocket_url(
            f"{url}/api/tasks/stream/ws?project_id={project['id']}"
        ) as board:
            await board.get_message()
            os.kill(daemon.pid, signal.SIGTERM)
            with trio.fail_after(TIMEOUT_S), pytest.raises(ConnectionClosed) as closed:
                await board.get_message()
            assert "stopped" in daemon.log().split()
        assert closed.value.reason is not None
        assert closed.value.reason.code == 1001
    finally:
        await daemon.__aexit__()
