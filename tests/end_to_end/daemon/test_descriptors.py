"""Neighbours that open more connections than there are descriptors lock nobody out."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.support.daemon import Daemon

FEW = ("/bin/sh", "-c", 'ulimit -Sn 128 && ulimit -Hn 256 && exec "$@"', "few")
"""A hard limit that the daemon can reach, and a soft one below it."""

HANDSHAKE = (
    "GET /api/tasks/stream/ws?project_id={} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
)


def connected(daemon: Daemon, sent: str, number: int) -> list[socket.socket]:
    where = ("127.0.0.1", int(daemon.url.rpartition(":")[2]))
    held = []
    for _ in range(number):
        client = socket.create_connection(where, timeout=10)
        client.sendall(sent.encode())
        held.append(client)
    return held


def answered(client: socket.socket) -> bytes:
    try:
        return client.recv(12)
    except ConnectionResetError:  # what it had sent came too late to be read
        return b""


async def test_idle_connections_give_way_and_agents_start(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "daemon")
    await daemon.start(through=FEW)
    held: list[socket.socket] = []
    try:
        await daemon.use_fake_agent()
        project = await daemon.project(setup_script="ulimit -Sn > limit.txt")
        held = connected(daemon, "G", 400)
        assert (await daemon.request("GET", "/health")).status_code == 200
        attempt = await daemon.attempt(project, "write a.txt one")
        await daemon.over(attempt)
        made = (await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}"))["container_ref"]
        assert (Path(made) / "limit.txt").read_text() == "128\n"
        assert (Path(made) / "a.txt").exists()
        assert "Traceback" not in daemon.log()
        assert daemon.log().count("idle connections give way") == 1
    finally:
        for client in held:
            client.close()
        await daemon.stop()
        daemon.sweep()


async def test_streams_stay_and_whoever_finds_no_room_is_told_so(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "daemon")
    await daemon.start(through=FEW)
    held: list[socket.socket] = []
    try:
        project = await daemon.project()
        held = connected(daemon, HANDSHAKE.format(project["id"]), 300)
        heads = [answered(client) for client in held]
        saved, refused = heads.count(b"HTTP/1.1 101"), heads.count(b"HTTP/1.1 503")
        assert saved > 100, heads
        assert refused > 20, heads
        for client in held:
            client.close()

        async def look() -> bool:
            return (await daemon.request("GET", "/health")).status_code == 200

        await daemon.until(look, "room")
        assert "Traceback" not in daemon.log()
    finally:
        for client in held:
            client.close()
        await daemon.stop()
        daemon.sweep()
