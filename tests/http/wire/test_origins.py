"""What a process of an execution asks for is asked by that execution, whatever it sends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from anyond.http.guard import Policy
from anyond.http.wire.peers import Means, Peers
from anyond.model.ids import new_id
from anyond.model.refusals.access import NotForAgents
from anyond.procs import connection_owner
from anyond.procs.connection_owner import UNKNOWN, execution_of_process
from anyond.procs.shims.launcher import Launcher
from anyond.shim.processes.orphans import end_orphans
from tests.support.http.front_door import Server, open_server
from tests.support.processes.shim_programs import before_long, begin, end, printed, python

MERGE = f"/api/task-attempts/{new_id()}/merge"
SECRET = "the person's own token"

ASK = """
import http.client, json, os, socket, sys
address, method, path, token = {arguments!r}
if address.startswith("unix:"):
    client = http.client.HTTPConnection("localhost")
    client.sock = socket.socket(socket.AF_UNIX)
    client.sock.connect(address[5:])
else:
    client = http.client.HTTPConnection(address.removeprefix("http://"))
headers = {{"Authorization": f"Bearer {{token}}"}} if token else {{}}
client.request(method, path, headers=headers)
answer = client.getresponse()
found = json.loads(answer.read())
print(json.dumps([answer.status, found["error_data"]]), flush=True)
"""

WAYS = {
    "plainly": "exec(ask)",
    "by a child in a session of its own": """
import subprocess, sys
subprocess.run([sys.executable, "-I", "-c", ask], start_new_session=True, env={})
""",
    "by a grandchild whose parent is gone, and whose environment is empty": """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve(sys.executable, [sys.executable, "-I", "-c", ask], {})
    os._exit(0)
os.wait()
import time
while True: time.sleep(1)
""",
    "by a process that hides its descriptors": """
import ctypes
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
exec(ask)
""",
}


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "executions"
    root.mkdir()
    yield root
    for spool in root.iterdir():
        end_orphans(spool.name, None)


@pytest.fixture
async def launcher(root: Path) -> AsyncIterator[Launcher]:
    async with Launcher.open(root) as launcher:
        yield launcher


def program(server: Server, way: str, method: str, path: str, token: str | None = None) -> str:
    ask = ASK.format(arguments=(server.url, method, path, token))
    return f"ask = {ask!r}\n{WAYS[way]}"


async def answered(launcher: Launcher, source: str) -> tuple[str, int, Any]:
    """The execution of a program that asks something, and the answer that it got."""
    running = await begin(launcher, python(source))
    spool = launcher.spool(running.execution_id)
    await before_long(lambda: printed(spool).endswith(b"\n"))
    status, problem = json.loads(printed(spool))
    await running.kill()
    await end(launcher, running)
    return running.execution_id, status, problem


@pytest.fixture(params=["127.0.0.1:0", "[::1]:0", "unix"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"unix:{tmp_path}/s" if request.param == "unix" else str(request.param)


@pytest.mark.parametrize("way", WAYS)
async def test_an_agent_is_known_however_it_asks(
    launcher: Launcher, tmp_path: Path, address: str, way: str
) -> None:
    policy = Policy(executions=launcher.root)
    async with open_server(tmp_path, policy=policy, address=address) as server:
        execution, status, problem = await answered(launcher, program(server, way, "POST", MERGE))
        assert (status, problem["type"]) == (403, NotForAgents.type)
        assert problem["execution_process_id"] == execution
        assert "a person has to do this" in problem["message"]


@pytest.mark.parametrize("means", [Means.SOCK_DIAG, Means.TABLES])
async def test_by_either_means(launcher: Launcher, tmp_path: Path, means: Means) -> None:
    peers = Peers()
    if peers.means is not Means.SOCK_DIAG:
        pytest.skip("this machine has no sock_diag")
    peers.means = means
    policy = Policy(executions=launcher.root)
    async with open_server(tmp_path, policy=policy, peers=peers) as server:
        source = program(server, "plainly", "POST", MERGE)
        execution, status, problem = await answered(launcher, source)
        assert (status, problem["execution_process_id"]) == (403, execution)
    peers.close()


async def test_the_token_of_the_person_does_not_help(launcher: Launcher, tmp_path: Path) -> None:
    policy = Policy(executions=launcher.root, token=SECRET)
    async with open_server(tmp_path, policy=policy) as server:
        source = program(server, "plainly", "POST", MERGE, SECRET)
        assert (await answered(launcher, source))[1:2] == (403,)
        headers = {"authorization": f"Bearer {SECRET}"}
        answer = await server.client.post(MERGE, headers=headers)
        assert answer.status_code != 403


async def test_reading_is_free(launcher: Launcher, tmp_path: Path) -> None:
    policy = Policy(executions=launcher.root)
    async with open_server(tmp_path, policy=policy) as server:
        source = program(server, "plainly", "GET", "/api/projects")
        assert (await answered(launcher, source))[1:] == (200, None)


async def test_whoever_is_no_agent_is_let_in_while_one_runs(
    launcher: Launcher, tmp_path: Path, address: str
) -> None:
    policy = Policy(executions=launcher.root)
    hidden = WAYS["by a process that hides its descriptors"]
    running = await begin(launcher, python(f"ask = 'import time; time.sleep(60)'\n{hidden}"))
    async with open_server(tmp_path, policy=policy, address=address) as server:
        ask = ASK.format(arguments=(server.url, "POST", MERGE, None))
        command = [sys.executable, "-I", "-c", ask]
        done = await trio.run_process(command, capture_stdout=True)
        assert json.loads(done.stdout)[0] != 403
        answer = await server.client.post(MERGE)
        assert answer.status_code != 403
    await running.kill()
    await end(launcher, running)


async def test_who_has_gone_has_no_say(launcher: Launcher) -> None:
    """Its answer reaches nobody, but what it wants would be done all the same."""
    peers = Peers()
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        with server.accept()[0] as accepted:
            root = os.path.realpath(launcher.root)
            assert peers.execution(accepted, root) is None
            client.close()
            assert peers.execution(accepted, root) == UNKNOWN
    peers.close()


def test_a_process_that_has_ended_is_nobodys(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert execution_of_process(ended.pid, str(tmp_path)) == UNKNOWN
    assert execution_of_process(os.getpid(), str(tmp_path)) is None


async def test_where_there_is_no_proc_connections_are_known_by_their_addresses(
    launcher: Launcher, tmp_path: Path
) -> None:
    """As on macOS; the library that is asked there answers here, too."""
    async with open_server(tmp_path) as server:
        host, port = server.url.removeprefix("http://").split(":")
        source = (
            f"import socket, time\ns = socket.create_connection(({host!r}, {port}))\n"
            "print(s.getsockname()[1], flush=True)\ntime.sleep(60)"
        )
        running = await begin(launcher, python(source))
        spool = launcher.spool(running.execution_id)
        await before_long(lambda: printed(spool).endswith(b"\n"))
        root = os.path.realpath(launcher.root)
        ends = ((host, int(printed(spool))), (host, int(port)))
        look = connection_owner.execution_of_connection
        assert await trio.to_thread.run_sync(look, None, ends, root) == running.execution_id
        others = (ends[0], (host, 1))
        assert await trio.to_thread.run_sync(look, None, others, root) is None
        await running.kill()
        await end(launcher, running)
