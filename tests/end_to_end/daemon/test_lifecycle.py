"""The daemon starts, stops and starts again, and whatever it was at work on goes on."""

from __future__ import annotations

import json
import re
import signal
import socket
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, closing
from glob import glob
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
import trio
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    WebSocketConnection,
    open_websocket_url,
    wrap_client_stream,
)

from tests.support.clients.streams import events, reported, rows, websocket
from tests.support.daemon import TIMEOUT_S, Daemon, alive, local_client


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon without a daemon in it."""
    made = Daemon(tmp_path / "empty")
    yield made
    made.sweep()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def agent_of(daemon: Daemon, process: dict[str, Any]) -> int:
    """The pid of what runs under the shim of a process."""
    run = daemon.data / "executions" / process["id"] / "run.json"
    return int(json.loads(run.read_bytes())["pid"])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.cold_start
async def test_a_second_daemon_on_the_same_data_is_refused_and_told_where_the_first_is(
    daemon: Daemon,
) -> None:
    code, output = await daemon.refusal("--port", "0")
    assert (code, output) == (
        3,
        f"Anyon is already running (process {daemon.pid}) at {daemon.url}.\n",
    )
    assert json.loads(daemon.daemon_file.read_text())["pid"] == daemon.pid
    assert await daemon.ask("GET", "/api/health") == {"status": "ok"}


@pytest.mark.cold_start
async def test_a_stop_waits_for_nobody_and_the_agent_works_on_until_the_next_daemon_hears_it(
    daemon: Daemon,
) -> None:
    project = await daemon.project(setup_script="seq -f '%0100.0f' 150000")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "ask\nwrite a.txt one")
    question = await daemon.question()
    setup, process = await daemon.processes(attempt)
    agent = agent_of(daemon, process)
    base = "/api/execution-processes"
    async with (
        daemon.socket(f"{base}/{setup['id']}/raw-logs/ws") as stalled,
        daemon.socket(f"/api/tasks/stream/ws?project_id={project['id']}") as tasks,
        daemon.socket(f"{base}/{process['id']}/raw-logs/ws?after=1000") as live,
        daemon.socket(f"/api/task-attempts/{attempt['id']}/diff/ws") as diff,
        local_client(daemon.url) as client,
        client.stream("GET", "/api/events?after=0") as happening,
    ):
        for watching in (tasks, live, diff):
            await watching.get_message()
        lines = happening.aiter_lines()
        while await anext(lines) != "event: task_created":
            pass
        began = trio.current_time()
        assert await daemon.stop() == 0
        took = trio.current_time() - began
        for watching in (tasks, live, diff):
            assert await closed(watching) == 1001
        # If its buffers were full already, there was no room for a code.
        assert await closed(stalled) in {1001, 1006}
        with trio.fail_after(TIMEOUT_S):
            assert [line async for line in lines][-1] == "", "it ends after a whole event"
    assert not daemon.daemon_file.exists()
    assert alive(agent)

    began = trio.current_time()
    await daemon.start()
    # A busy machine takes its time for everything; how long a start takes tells how busy it is.
    assert took < 2 + (trio.current_time() - began)
    assert (await daemon.running(attempt))["id"] == process["id"]
    assert agent_of(daemon, process) == agent
    yes = {"status": {"status": "approved"}}
    await daemon.ask("POST", f"/api/approvals/{question['id']}/respond", yes)
    process = await daemon.over(attempt)
    assert (process["status"], process["exit_code"]) == ("completed", 0)
    assert (Path(attempt["container_ref"]) / "a.txt").read_text() == "one\n"
    assert not alive(agent)


async def closed(connection: WebSocketConnection) -> int:
    """The code with which the other side ends it; 1006 if it says none."""
    with trio.fail_after(TIMEOUT_S):
        while True:
            try:
                await connection.get_message()
            except ConnectionClosed as end:
                return int(end.reason.code) if end.reason is not None else 1006


@pytest.mark.cold_start
async def test_whoever_is_told_to_stop_many_times_stops_once_and_well(daemon: Daemon) -> None:
    assert daemon._process is not None
    with trio.fail_after(TIMEOUT_S):
        while daemon._process.poll() is None:  # while Python ends, too
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                daemon._process.send_signal(number)
            await trio.lowlevel.checkpoint()
    assert await daemon.stop() == 0
    assert daemon.log().count("stopping") == 1
    assert "Traceback" not in daemon.log()


@pytest.mark.cold_start
async def test_a_terminal_that_is_closed_is_a_stop_and_with_nohup_nothing_at_all(
    empty: Daemon,
) -> None:
    # Whatever started the tests may have it ignored, which programs inherit.
    received = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    run = "; os.execv(sys.argv[1], sys.argv[1:])"
    await empty.start(through=(sys.executable, "-c", received + run))
    assert empty._process is not None
    empty._process.send_signal(signal.SIGHUP)
    with trio.fail_after(TIMEOUT_S):
        assert await empty._process.wait() == 0
    assert not empty.daemon_file.exists()
    await empty.start(through=("nohup",))
    empty._process.send_signal(signal.SIGHUP)
    assert await empty.ask("GET", "/api/health") == {"status": "ok"}
    assert await empty.stop() == 0
    assert "SIGHUP" not in empty.log().partition("stopped")[2]


async def test_what_is_wrong_with_settings_is_logged_once(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "daemon")
    config = daemon.root / "config"
    (config / "config.json").write_text('{"theme": "PINK"}')
    (config / "profiles.json").write_text('{"executors": {"NOBODY": {"DEFAULT": {}}}}')
    async with daemon:
        for _ in range(2):  # each reads the files again
            own: dict[str, Any] = {"executors": {"DEMO": {"MINE": {"DEMO": {}}}}}
            await daemon.ask("PUT", "/api/profiles", own)
            await daemon.ask("PUT", "/api/config", {"notifications": {"sound_enabled": False}})
    assert daemon.log().count("theme must be one of") == 1
    assert daemon.log().count("this variant is left out") == 1


async def test_drafts_of_settings_with_their_secrets_are_swept_at_the_start(
    tmp_path: Path,
) -> None:
    daemon = Daemon(tmp_path / "daemon")
    config = daemon.root / "config"
    for name in ("config.json", "profiles.json", "token"):
        (config / f".{name}.0123456789abcdef").write_text("a secret")
    async with daemon:
        assert [file.name for file in config.glob(".*")] == []


async def test_settings_and_records_survive_a_restart_on_another_port(daemon: Daemon) -> None:
    before = daemon.url
    project = await daemon.project()
    await daemon.use_fake_agent()
    expected = {"theme": "DARK", "github": {"pat": "a secret"}, "of_a_later_version": [1]}
    config = await daemon.ask("PUT", "/api/config", expected)
    profiles = await daemon.ask("GET", "/api/profiles")
    user = (await daemon.ask("GET", "/api/info"))["analytics_user_id"]
    await daemon.stop()
    port = free_port()
    await daemon.start(port=port)
    assert daemon.url == f"http://127.0.0.1:{port}" != before
    daemon_file = json.loads(daemon.daemon_file.read_text())
    assert (daemon_file["url"], daemon_file["pid"]) == (daemon.url, daemon.pid)
    info = await daemon.ask("GET", "/api/info")
    assert info["config"] == config
    assert (config["github"]["pat"], config["of_a_later_version"]) == ("********", [1])
    assert info["analytics_user_id"] == user
    assert await daemon.ask("GET", "/api/profiles") == profiles
    assert "acp_agent.py" in profiles["content"]
    assert await daemon.ask("GET", "/api/projects") == [project]
    other = Daemon(daemon.root / "other")
    code, output = await other.refusal("--port", str(port))
    assert (code, output) == (1, f"Somebody else listens at 127.0.0.1:{port} already.\n")
    assert not other.daemon_file.exists()


@pytest.mark.cold_start
async def test_nobody_else_can_read_what_the_daemon_writes(daemon: Daemon) -> None:
    daemon.environment["LC_ALL"] = "C"
    project = await daemon.project(setup_script="echo hello")
    await daemon.use_fake_agent()
    await daemon.ask("PUT", "/api/config", {"theme": "DARK"})
    await daemon.over(await daemon.attempt(project, "write a.txt one"))
    open_to_others = [
        path
        for top in ("data", "config", "run")
        for path in [daemon.root / top, *(daemon.root / top).rglob("*")]
        if "worktrees" not in path.parts and mode(path) & 0o077
    ]
    assert open_to_others == []
    # What is below has the modes of the repository; the way there is closed.
    assert mode(daemon.data) == 0o700
    assert mode(daemon.daemon_file) == 0o600
    for name in ("anyon.db", "config/config.json", "config/profiles.json"):
        path = daemon.root / name if "/" in name else daemon.data / name
        assert mode(path) == 0o600, name


async def test_a_unix_socket_serves_its_owner_and_goes_with_the_daemon(empty: Daemon) -> None:
    path = empty.root / "s"
    await empty.start("--unix", str(path), port=None)
    try:
        assert empty.url == f"unix:{path}"
        assert mode(path) == 0o600
        project = await empty.project()
        async with websocket_through(
            path, f"/api/tasks/stream/ws?project_id={project['id']}"
        ) as connection:
            frame = await anext(reported(connection))
            assert (frame["type"], frame["data"]) == ("snapshot", [])
        code, _ = await empty.refusal("--unix", str(path))
        assert code == 3
    finally:
        await empty.stop()
    assert not path.exists()


@asynccontextmanager
async def websocket_through(path: Path, resource: str) -> AsyncIterator[WebSocketConnection]:
    """A WebSocket through the Unix socket at `path`."""
    async with trio.open_nursery() as nursery:
        stream = await trio.open_unix_socket(str(path))
        connection = await wrap_client_stream(nursery, stream, "localhost", resource)
        yield connection
        await connection.aclose()


async def test_other_machines_are_let_in_only_with_a_token(empty: Daemon) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        code, output = await empty.refusal("--host", host, "--port", "0")
        assert (code, empty.data.exists()) == (2, False)
        assert host in output
        assert "--auth token" in output
    await empty.start("--auth", "token")
    try:
        file = empty.root / "config" / "token"
        assert mode(file) == 0o600
        token = file.read_text().strip()

        async def has_output_all() -> bool:
            return "/?token=" in empty.log()

        await empty.until(has_output_all, "the link for a browser")
        assert token not in empty.log()
        assert f"Programs send the token in {file}." in empty.log()
        answer = await empty.request("GET", "/api/projects")
        assert (answer.status_code, answer.json()["success"]) == (401, False)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        bearer = {"Authorization": f"Bearer {token}"}
        for headers, status in ((bearer, 200), ({"Authorization": f"Bearer {token}x"}, 401)):
            answer = await empty.request("GET", "/api/projects", headers=headers)
            assert answer.status_code == status
        url = empty.url.replace("http", "ws") + "/api/tasks/stream/ws"
        with pytest.raises(ConnectionRejected) as rejected:
            async with open_websocket_url(url):
                pass
        assert rejected.value.status_code == 401
        found = re.search(r"/\?token=(\S+)", empty.log())
        assert found is not None
        link = found[0]
        answer = await empty.request("GET", link)
        assert answer.status_code == 303
        cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
        assert empty._http is not None
        empty._http.cookies.clear()
        answer = await empty.request("GET", "/api/projects", headers=cookie)
        assert answer.status_code == 200
        empty._http.cookies.clear()
        answer = await empty.request("GET", link)
        assert (answer.status_code, "Location" in answer.headers) == (401, False)
        assert answer.json()["message"].startswith("That link does not work (any more)")
    finally:
        await empty.stop()


async def test_what_is_not_there_is_told_to_whoever_asks_and_not_to_the_log(daemon: Daemon) -> None:
    for path in ("stop", "merge", "conflicts/abort"):
        answer = await daemon.request("POST", f"/api/task-attempts/{uuid4()}/{path}")
        assert answer.status_code == 404, path
    await daemon.stop()
    assert "There is no task attempt" not in daemon.log()


async def test_a_new_project_that_is_asked_for_many_times_at_once_is_made_once(
    daemon: Daemon,
) -> None:
    for turn in range(3):
        path = daemon.root / f"twice-{turn}"
        new = {"name": "Twice", "git_repo_path": str(path), "use_existing_repo": False}
        answers: list[Any] = []

        async def ask(new: dict[str, Any] = new, answers: list[Any] = answers) -> None:
            answers.append((await daemon.request("POST", "/api/projects", json=new)).json())

        async with trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(ask)
        refused = [answer["error_data"]["type"] for answer in answers if not answer["success"]]
        assert refused == ["path_taken"] * 5
        assert daemon.git(path, "rev-list", "--count", "--all").strip() == "1"


async def test_two_hundred_tasks_at_once_are_told_to_everybody_once_and_in_one_order(
    daemon: Daemon,
) -> None:
    project = await daemon.project()
    path = f"/api/tasks/stream/ws?project_id={project['id']}"
    made: list[str] = []
    seen: dict[str, list[Any]] = {}

    async def create(worker: int) -> None:
        for number in range(20):
            body = {"project_id": project["id"], "title": f"{worker} {number}"}
            made.append((await daemon.ask("POST", "/api/tasks", body))["id"])

    async def watch(name: str, reading: Any) -> None:
        seen[name] = []
        async with aclosing(reading) as frames:
            async for frame in frames:
                seen[name].append(frame)
                if len([f for f in seen[name] if f["type"] == "task_created"]) == 200:
                    return

    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, "one", websocket(daemon, f"{path}&after=0"))
            nursery.start_soon(watch, "two", websocket(daemon, f"{path}&after=0"))
            nursery.start_soon(watch, "events", events(daemon, "/api/events?after=0"))
            for worker in range(10):
                nursery.start_soon(create, worker)
    assert seen["one"] == seen["two"] == seen["events"]
    assert [frame["seq"] for frame in seen["one"]] == list(range(1, 201))
    assert {frame["data"]["id"] for frame in seen["one"]} == set(made)
    listed = await daemon.ask("GET", f"/api/tasks?project_id={project['id']}")
    assert {row["id"]: row for row in listed} == rows(seen["one"])
    assert [row["created_at"] for row in listed] == sorted(
        (row["created_at"] for row in listed), reverse=True
    )


@pytest.mark.cold_start
async def test_an_empty_database_is_filled_and_one_of_a_newer_version_is_left_alone(
    empty: Daemon,
) -> None:
    empty.data.mkdir()
    database = empty.data / "anyon.db"
    database.touch()
    await empty.start()
    await empty.project()
    assert await empty.stop() == 0
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 999")
    before = database.read_bytes()
    code, output = await empty.refusal("--port", "0")
    assert code == 1
    assert str(database) in output
    assert "newer Anyon" in output
    assert "Traceback" not in output
    assert database.read_bytes() == before
    assert not empty.daemon_file.exists()


@pytest.mark.cold_start
@pytest.mark.parametrize(
    "streams",
    ["<&- >&- 2>&-", "<&-", ">&-", "2>&-", *[f">{full} 2>&1" for full in glob("/dev/full")]],
)
async def test_whoever_starts_it_need_neither_listen_nor_speak(empty: Daemon, streams: str) -> None:
    await empty.start(through=("sh", "-c", f'exec "$0" "$@" {streams}'))
    held = [file.path for file in psutil.Process(empty.pid).open_files() if file.fd < 3]
    assert set(held) <= {str(empty.root / "daemon.log")}
    project = await empty.project(setup_script="read line; echo heard $?")
    await empty.use_fake_agent()
    attempt = await empty.attempt(project, "say hi")
    await empty.over(attempt)
    assert await empty.raw((await empty.processes(attempt))[0]) == "heard 1\n"
    assert await empty.stop() == 0
