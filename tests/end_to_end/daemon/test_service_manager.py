"""Under a service manager: its sockets are served, and it hears how the daemon is."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import trio

from tests.support.daemon import TIMEOUT_S, Daemon, alive, local_client

# What a service manager does between fork and exec: sockets from 3 on, and its own variables.
pytestmark = pytest.mark.cold_start

MANAGER = """
import os, sys
names, *fds = sys.argv[1].split(",")
os.environ.update(
    LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=names
)
if "WATCHDOG_USEC" in os.environ:
    os.environ["WATCHDOG_PID"] = str(os.getpid())
high = [os.dup(int(fd)) for fd in fds]
while min(high) < 3 + len(high):  # none is overwritten on the way down
    high = [os.dup(fd) for fd in high]
os.closerange(3, min(high))
for number, fd in enumerate(high):
    os.dup2(fd, 3 + number, inheritable=True)
os.closerange(3 + len(high), max(high) + 1)
os.execv(sys.argv[2], sys.argv[2:])
"""
PRIVATE = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS"}


def handing(names: str, *listeners: socket.socket) -> list[str]:
    """A service manager that hands over `doors` by these names, which are parted by colons."""
    numbers = [str(listener.fileno()) for listener in listeners]
    return [sys.executable, "-c", MANAGER, ",".join([names, *numbers])]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon without a daemon in it."""
    made = Daemon(tmp_path / "empty")
    yield made
    made.sweep()


@pytest.fixture
def manager(empty: Daemon) -> Iterator[socket.socket]:
    """Where the manager hears the news."""
    path = str(empty.root / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hears:
        hears.bind(path)
        hears.setblocking(False)
        empty.environment["NOTIFY_SOCKET"] = path
        yield hears


async def news(manager: socket.socket) -> dict[str, str]:
    """The next message of the daemon."""
    with trio.fail_after(TIMEOUT_S):
        await trio.lowlevel.wait_readable(manager)
    lines = manager.recv(4096).decode().split("\n")
    return dict(line.split("=", 1) for line in lines)


def whose(daemon: Daemon) -> list[psutil.Process]:
    """Everything that the daemon has started, shims and agents."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("HOME") == str(daemon.home)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # it ended, or is somebody else's
        if ours and process.pid != daemon.pid:
            found.append(process)
    return found


async def test_a_socket_of_the_manager_is_served_and_no_agent_gets_hold_of_it(
    empty: Daemon,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        inode = os.fstat(listener.fileno()).st_ino
        through = handing("anyon.socket", listener)
        await empty.start(port=None, through=through, pass_fds=[listener.fileno()])
        try:
            assert empty.url == f"http://127.0.0.1:{port}"
            listening = [
                (c.laddr.port, c.fd)
                for c in psutil.Process(empty.pid).net_connections("inet")
                if c.status == psutil.CONN_LISTEN
            ]
            assert listening == [(port, 3)], "that socket, and no other"
            project = await empty.project()
            await empty.use_fake_agent()
            attempt = await empty.attempt(project, "run sleep 100")
            question = await empty.question()
            yes = {"status": {"status": "approved"}}
            await empty.ask("POST", f"/api/approvals/{question['id']}/respond", yes)

            async def at_work() -> Any:
                started = whose(empty)
                names = {" ".join(process.cmdline()) for process in started}
                return started if any("sleep 100" in name for name in names) else None

            started = await empty.until(at_work, "the command of the agent")
            assert len(started) >= 3, "shim, agent, command"
            for process in started:
                assert not set(process.environ()) & {*PRIVATE, "LISTEN_FDNAMES"}
                if sys.platform == "linux":
                    held = Path(f"/proc/{process.pid}/fd").iterdir()
                    assert f"socket:[{inode}]" not in [os.readlink(fd) for fd in held]
            await empty.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
        finally:
            await empty.stop()
        # Between two daemons the manager's socket lets clients wait.
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S):
            pass


async def test_clients_that_come_too_early_are_served_as_soon_as_the_daemon_is_there(
    empty: Daemon,
) -> None:
    path = empty.root / "door"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        early = await trio.open_unix_socket(str(path))
        await early.send_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        through = handing("anyon.socket", listener)
        await empty.start(port=None, through=through, pass_fds=[listener.fileno()])
        try:
            with trio.fail_after(TIMEOUT_S):
                assert (await early.receive_some()).startswith(b"HTTP/1.1 200")
            assert empty.url == f"unix:{path}"
        finally:
            await empty.stop()
    assert path.exists(), "it is the manager's"


async def test_the_manager_hears_of_the_start_of_every_heartbeat_and_of_the_end(
    empty: Daemon, manager: socket.socket
) -> None:
    empty.environment["WATCHDOG_USEC"] = "400000"
    began = trio.current_time()
    await empty.start()
    received = [await news(manager) for _ in range(2)]
    ready = next(message for message in received if "READY" in message)
    assert (ready["READY"], ready["MAINPID"]) == ("1", str(empty.pid))
    assert empty.url in ready["STATUS"]
    for _ in range(4):
        assert await news(manager) == {"WATCHDOG": "1"}
    # One was among the first two messages; from it on, each comes half a period later.
    assert trio.current_time() - began >= 4 * 0.2
    last: list[dict[str, str]] = []

    async def listen() -> None:  # what nobody reads fills the socket, and the rest is lost
        while {"STOPPING": "1"} not in last:
            last.append(await news(manager))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        project = await empty.project()
        await empty.use_fake_agent()
        attempt = await empty.attempt(project, "ask")
        await empty.question()
        started = whose(empty)
        assert len(started) >= 2
        for process in started:
            assert not set(process.environ()) & PRIVATE
        await empty.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
        pid = empty.pid
        await empty.stop()
        assert not alive(pid)
    assert all(message == {"WATCHDOG": "1"} for message in last[:-1])


async def test_a_manager_with_another_pid_in_mind_means_somebody_else(empty: Daemon) -> None:
    empty.environment |= {"LISTEN_PID": "1", "LISTEN_FDS": "1", "WATCHDOG_USEC": "1"}
    await empty.start()
    assert await empty.ask("GET", "/api/health") == {"status": "ok"}
    assert await empty.stop() == 0
    assert "Traceback" not in empty.log()


async def test_a_socket_called_vk_serves_clients_of_vibe_kanban_and_their_page(
    empty: Daemon,
) -> None:
    pages = empty.root / "dist"
    pages.mkdir()
    (pages / "index.html").write_text("<title>The board</title>")
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
        socket.create_server(("127.0.0.1", 0)) as third,
    ):
        urls = [f"http://127.0.0.1:{s.getsockname()[1]}" for s in (first, second, third)]
        listeners = (first, second, third)
        fds = [listener.fileno() for listener in listeners]
        through = handing("vk:http:vk", *listeners)
        await empty.start("--ui", str(pages), port=None, through=through, pass_fds=fds)
        try:
            known = json.loads(empty.daemon_file.read_text())
            assert (known["url"], known["vk_url"]) == (urls[1], urls[0])
            async with local_client() as client:
                for url in (urls[0], urls[2]):
                    assert (await client.get(f"{url}/api/health")).json()["data"] == "OK"
                    assert "The board" in (await client.get(url)).text
                ours = await client.get(f"{urls[1]}/api/health")
                assert ours.json()["data"] == {"status": "ok"}
        finally:
            await empty.stop()
        # Between two daemons a page that asks again waits, and is not refused.
        with socket.create_connection(first.getsockname(), timeout=TIMEOUT_S):
            pass


async def test_where_only_the_socket_called_vk_is_handed_over_the_api_has_its_usual_port(
    empty: Daemon,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        through = handing("vk", listener)
        # What the manager hands over counts, as with the port of the API.
        await empty.start("--vk-port", "0", through=through, pass_fds=[listener.fileno()])
        try:
            known = json.loads(empty.daemon_file.read_text())
            assert known["vk_url"] == f"http://127.0.0.1:{listener.getsockname()[1]}"
            assert await empty.ask("GET", "/api/health") == {"status": "ok"}
        finally:
            await empty.stop()


async def test_a_socket_called_vk_that_others_can_reach_demands_a_token(empty: Daemon) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        command = [*handing("vk", listener), sys.executable, "-m", "anyond", "serve", "--port", "0"]
        found = await trio.run_process(
            command,
            env=empty.environment,
            pass_fds=[listener.fileno()],
            capture_stderr=True,
            check=False,
        )
    assert (found.returncode, b"--auth token" in found.stderr) == (2, True)
