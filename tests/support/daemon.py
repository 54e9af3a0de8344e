"""A whole daemon as a user starts it, with a home, a repository and two clients of its own.

`api` is the typed client, for tests that are about something else than HTTP. `request` and `ask`
send and return what is on the wire: tests of the API, which must not believe the declarations that
the client is made from, read the bytes themselves; so do those that send what no client sends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx
import psutil
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, open_websocket_url

from anyond.client import Address, Client
from tests.support.daemons import daemon_process, measured
from tests.support.daemons.daemon_process import DaemonProcess, start_daemon
from tests.support.paths import ROOT, SCRIPTED_AGENTS
from tests.support.store.new_database import new_database

ACP_AGENT = SCRIPTED_AGENTS / "acp_agent.py"
LOCAL: dict[str, Any] = {"verify": False, "trust_env": False}
TIMEOUT_S = 90.0
"""Seconds after which something that has not happened will not happen, on a very busy machine."""


def local_client(base_url: str = "", **more: Any) -> httpx.AsyncClient:
    """A client of a server on this machine.

    It knows no proxy (a person's may be in the environment) and no certificates: to read those
    takes as long as to start half a daemon.
    """
    return httpx.AsyncClient(base_url=base_url, **{"timeout": TIMEOUT_S, **LOCAL, **more})


class Refused(Exception):
    """The daemon answered with an error."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.type = (body.get("error_data") or {}).get("type") if isinstance(body, dict) else None


class Daemon:
    """One data directory and whatever daemon serves it at the moment.

    Args:
        root: an empty directory; everything lies below it, HOME too.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.home.mkdir(parents=True)
        (self.home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@localhost\n")
        self.environment = {
            "HOME": str(self.home),
            "PATH": f"{root / 'programs'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GIT_CONFIG_NOSYSTEM": "1",
            # Port 9 of this machine, where nobody is: no test reaches anything else by mistake.
            "ANYON_GITHUB_URL": "http://127.0.0.1:9",
            "ANYON_CONFIG_DIR": str(root / "config"),
            "ANYON_DATA_DIR": str(root / "data"),
            "ANYON_RUNTIME_DIR": str(root / "run"),
            "ANYON_DEMO_STATE": str(root / "demo-state"),
            **measured.variables(),
        }
        (root / "fake-state").mkdir()
        # Whoever runs the tests has speakers, and neighbours.
        quiet = {"notifications": {"sound_enabled": False, "push_enabled": False}}
        (root / "config").mkdir(mode=0o700)
        (root / "config" / "config.json").write_text(json.dumps(quiet))
        (root / "config" / "config.json").chmod(0o600)
        self.url = ""
        self._process: DaemonProcess | None = None
        self._http: httpx.AsyncClient | None = None

    # ------------------------------------------------------------ the daemon

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        with trio.CancelScope(shield=True):
            try:
                if self._process is not None:
                    await self.stop()
            finally:
                self.sweep()
                # Shown with a test that fails: an incident is told to clients by its number only.
                if "Traceback" in (reported := self.log()):
                    print(reported)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def daemon_file(self) -> Path:
        return self.root / "run" / "daemon.json"

    async def start(
        self,
        *options: str,
        port: int | None = 0,
        through: Sequence[str] = (),
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Start the daemon and wait until it serves.

        Args:
            port: None leaves the option out.
            through: a program with arguments that becomes the daemon's command line by exec.
            pass_fds: descriptors that it inherits.
        """
        self.daemon_file.unlink(missing_ok=True)
        if daemon_process.is_allowed() and not self.data.exists():
            self.data.mkdir(mode=0o700)
            new_database(self.data / "anyon.db")
        ported = () if port is None else ("--port", str(port))
        with (self.root / "daemon.log").open("ab") as log:
            self._process = await start_daemon(
                ["serve", *ported, *options],
                environment=self.environment,
                cwd=self.root,
                log=log,
                through=through,
                pass_fds=pass_fds,
            )
        with trio.fail_after(TIMEOUT_S):
            while not self.daemon_file.exists():
                assert self._process.poll() is None, self.log()
                await trio.sleep(0.01)
        self.url = json.loads(self.daemon_file.read_text())["url"]
        path = self.url.removeprefix("unix:")
        unix = httpx.AsyncHTTPTransport(uds=path, **LOCAL) if path != self.url else None
        base = self.url if unix is None else "http://localhost"
        self._http = local_client(base, transport=unix)

    async def refusal(self, *options: str) -> tuple[int, str]:
        """Start a daemon that ends by itself; its exit code and all it says."""
        with trio.fail_after(TIMEOUT_S):
            done = await trio.run_process(
                [sys.executable, "-m", "anyond", "serve", *options],
                env=self.environment,
                cwd=self.root,
                capture_stdout=True,
                stderr=subprocess.STDOUT,
                check=False,
            )
        return done.returncode, done.stdout.decode()

    def sweep(self) -> None:
        """Kill what outlived the daemon: a test must not leave agents behind."""
        mark = str(self.root)
        for process in psutil.process_iter():
            # It ended in between, or it is somebody else's.
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if mark in "\0".join([*process.environ().values(), *process.cmdline()]):
                    process.kill()

    async def stop(self, timeout: float = 10.0) -> int:
        """SIGTERM, as a service manager does; returns the exit code."""
        return await self._end(signal.SIGTERM, timeout)

    async def kill(self) -> int:
        """SIGKILL, as a power cut does."""
        return await self._end(signal.SIGKILL, TIMEOUT_S)

    async def _end(self, number: signal.Signals, timeout: float) -> int:
        process, self._process = self._process, None
        assert process is not None
        if self._http is not None:
            await self._http.aclose()
        if process.poll() is None:
            process.send_signal(number)
        with trio.move_on_after(timeout):
            return await process.wait()
        process.kill()
        await process.wait()
        raise AssertionError(f"the daemon did not end within {timeout} s\n{self.log()}")

    def log(self) -> str:
        return (self.root / "daemon.log").read_text(errors="replace")

    # ------------------------------------------------------------ its API

    @asynccontextmanager
    async def api(self) -> AsyncIterator[Client]:
        """The typed client of this daemon; it finds the way back after a restart by itself."""
        where = self.url.removeprefix("unix:")
        unix = Path(where) if where != self.url else None
        address = Address("http://localhost" if unix else self.url, unix)
        async with Client(address, timeout_s=TIMEOUT_S) as client:
            yield client

    @asynccontextmanager
    async def client(self) -> AsyncIterator[None]:
        """Another client for the block, since one works in one run of trio only."""
        first = self._http
        try:
            async with local_client(self.url) as self._http:
                yield
        finally:
            self._http = first

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        assert self._http is not None
        return await self._http.request(method, path, **more)

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """The `data` of the answer; raises `Refused` for errors."""
        answer = await self.request(method, path, json=body)
        content = answer.json()
        if not content["success"]:
            raise Refused(answer.status_code, content)
        return content["data"]

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[WebSocketConnection]:
        url = self.url.replace("http", "ws", 1) + path
        async with open_websocket_url(url) as connection:
            yield connection

    async def frames(self, path: str) -> list[Any]:
        """All frames of a stream that ends by itself, without the last one."""
        found = []
        with trio.fail_after(TIMEOUT_S):
            async with self.socket(path) as connection:
                try:
                    while True:
                        found.append(json.loads(await connection.get_message()))
                except ConnectionClosed as closed:
                    code = closed.reason.code if closed.reason is not None else None
        assert code == 1000
        assert found[-1] == {"finished": True}
        return found[:-1]

    async def until(self, look: Callable[[], Any], what: str = "it") -> Any:
        """Ask again and again until `look` (async) gives something true.

        A look takes time of the daemon. The pauses are longer than that, so that it gets on with
        what is waited for, and other tests get on with theirs.
        """
        with trio.move_on_after(TIMEOUT_S):
            while True:
                began = trio.current_time()
                found = await look()
                if found:
                    return found
                await trio.sleep(max(0.02, 3 * (trio.current_time() - began)))
        raise AssertionError(f"{what} did not come about\n{self.log()[-6000:]}")

    # ------------------------------------------------------------ what tests begin with

    def repository(self, name: str = "project", **files: str) -> Path:
        """A repository with one commit on main."""
        path = self.root / name
        path.mkdir()
        for file, text in (files or {"README.md": "line one\nline two\n"}).items():
            target = path / file.replace("__", "/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        self.git(path, "init", "-q", "-b", "main")
        self.git(path, "add", "-A")
        self.git(path, "commit", "-qm", "First")
        return path

    def git(self, cwd: Path, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    async def project(self, path: Path | None = None, **more: Any) -> dict[str, Any]:
        body = {
            "name": "Project",
            "git_repo_path": str(path or self.repository()),
            "use_existing_repo": True,
            **more,
        }
        return await self.ask("POST", "/api/projects", body)  # type: ignore[no-any-return]

    async def use_fake_agent(self, **options: Any) -> None:
        """From now on the executor ACP is the scripted agent of the tests."""
        variant = {
            "base_command_override": f"{sys.executable} {ACP_AGENT}",
            "env": {"ACP_AGENT_STATE": str(self.root / "fake-state")},
            **options,
        }
        body = {"executors": {"ACP": {"DEFAULT": {"ACP": variant}}}}
        await self.ask("PUT", "/api/profiles", body)

    async def attempt(
        self, project: dict[str, Any], prompt: str, executor: str = "ACP"
    ) -> dict[str, Any]:
        """A task with an attempt that has just been started."""
        task = await self.ask(
            "POST",
            "/api/tasks/create-and-start",
            {
                "task": {"project_id": project["id"], "title": "Do it", "description": prompt},
                "executor_profile_id": {"executor": executor, "variant": None},
                "base_branch": "main",
            },
        )
        found = await self.ask("GET", f"/api/task-attempts?task_id={task['id']}")
        return found[0]  # type: ignore[no-any-return]

    async def processes(self, attempt: dict[str, Any]) -> list[dict[str, Any]]:
        """The processes of an attempt, the oldest first."""
        path = f"/api/execution-processes?task_attempt_id={attempt['id']}"
        return list(reversed(await self.ask("GET", path)))

    async def running(self, attempt: dict[str, Any]) -> dict[str, Any]:
        """The process that runs now."""

        async def look() -> Any:
            return next(
                (p for p in await self.processes(attempt) if p["status"] == "running"), None
            )

        return await self.until(look, "a running process")  # type: ignore[no-any-return]

    async def over(self, attempt: dict[str, Any]) -> dict[str, Any]:
        """The last process, when nothing runs in the attempt any more."""

        async def look() -> Any:
            rows = await self.processes(attempt)
            if not rows or any(p["status"] == "running" for p in rows):
                return None
            task = await self.ask("GET", f"/api/tasks/{attempt['task_id']}")
            return rows[-1] if task["status"] != "inprogress" else None

        return await self.until(look, "the end of the chain")  # type: ignore[no-any-return]

    async def question(self) -> dict[str, Any]:
        """The one open question."""

        async def look() -> Any:
            return await self.ask("GET", "/api/approvals?status=pending")

        return (await self.until(look, "a question"))[0]  # type: ignore[no-any-return]

    async def entries(self, process: dict[str, Any]) -> list[dict[str, Any]]:
        """The final conversation of a process, in the order of the index."""
        path = f"/api/execution-processes/{process['id']}/normalized-logs/ws"
        held: dict[int, Any] = {}
        for frame in await self.frames(path):
            held[frame["index"]] = frame
        return [held[index] for index in sorted(held)]

    async def raw(self, process: dict[str, Any]) -> str:
        """The complete raw log of a process, both streams in order."""
        path = f"/api/execution-processes/{process['id']}/raw-logs/ws"
        frames = await self.frames(path)
        assert [f["path"] for f in frames] == [f"/{n}" for n in range(len(frames))]
        return "".join(f["value"]["content"] for f in frames)


def alive(pid: int) -> bool:
    """Whether a process lives (a zombie does not)."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
