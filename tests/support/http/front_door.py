"""A whole front door over a real database and real sockets; what lies behind is in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import trio
from trio_websocket import WebSocketConnection, open_websocket_url

from anyond.http.app import create_app
from anyond.http.guard import Policy
from anyond.http.wire.listeners import listen
from anyond.http.wire.peers import Peers
from anyond.http.wire.server import serve
from anyond.model.http.bodies import NewProject, NewTask
from anyond.model.ids import new_id, now
from anyond.model.records import Stream
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import (
    ExecutorAction,
    ProcessStatus,
    Project,
    RunReason,
    ScriptContext,
    ScriptRequest,
    TaskWithAttemptStatus,
)
from anyond.procs.spools.spool_readers import Frame
from anyond.settings.config import ConfigFile
from anyond.settings.profiles import Profiles
from anyond.store.board import attempts, projects, tasks
from anyond.store.engine.database import Store
from anyond.store.runs import processes
from anyond.watchers.availability import Agents
from anyond.watchers.variant_forms import VariantForms
from tests.support.store.new_database import new_database


@dataclass
class Tape:
    """A log that a test lets grow; followers get what is there and then wait."""

    items: list[Any] = field(default_factory=list)
    over: bool = False
    followers: int = 0
    grew: trio.Event = field(default_factory=trio.Event)

    def add(self, *items: Any) -> None:
        self.items += items
        self._ring()

    def end(self) -> None:
        self.over = True
        self._ring()

    def _ring(self) -> None:
        self.grew.set()
        self.grew = trio.Event()

    async def follow(self, start: int) -> AsyncIterator[list[Any]]:
        self.followers += 1
        try:
            while True:
                batch = self.items[start : start + 50]
                if batch:
                    start += len(batch)
                    yield batch
                elif self.over:
                    return
                else:
                    await self.grew.wait()
        finally:
            self.followers -= 1


class Logs:
    def __init__(self) -> None:
        self.tapes: dict[str, Tape] = {}

    def tape(self) -> tuple[str, Tape]:
        id, tape = new_id(), Tape()
        self.tapes[id] = tape
        return id, tape

    async def open_raw(self, process_id: str) -> None:
        if process_id not in self.tapes:
            raise NotFound("execution process", process_id)

    def raw(
        self, process_id: str, after: int | None, tail: int | None = None
    ) -> AsyncIterator[list[Any]]:
        assert tail is None, "a tape is followed from its beginning"
        return self.tapes[process_id].follow(0 if after is None else after + 1)

    entries = raw


class Diffs:
    def __init__(self) -> None:
        self.tape = Tape()
        self.asked: list[tuple[str, bool, int | None, bool]] = []

    def follow(
        self, id: str, stats_only: bool, after: int | None, *, ends_with_merge: bool
    ) -> AsyncIterator[list[Any]]:
        self.asked.append((id, stats_only, after, ends_with_merge))
        return self.tape.follow(0)


class ProjectDesk:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(self, new: NewProject) -> Project:
        return await self._store.write(lambda tx: projects.insert(tx, new, new_id(), now()))

    async def update(self, id: str, patch: Any) -> Project:
        return await self._store.write(lambda tx: projects.patch(tx, id, patch, now()))

    async def delete(self, id: str) -> None:
        await self._store.write(lambda tx: projects.delete(tx, id, now()))


class AttemptDesk:
    """Notes what it was asked, and answers or raises what the test put into `answer`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: list[tuple[Any, ...]] = []
        self.answer: Any = None

    def __getattr__(self, name: str) -> Any:
        async def asked(*arguments: Any) -> Any:
            self.asked.append((name, *arguments))
            if isinstance(self.answer, BaseException):
                raise self.answer
            return self.answer

        return asked

    async def delete_task(self, id: str) -> None:
        await self._store.write(lambda tx: tasks.delete(tx, id, now()))


@dataclass
class Server:
    """The daemon's front as a test sees it."""

    url: str
    services: Any
    policy: Policy
    client: httpx.AsyncClient
    app: Any

    @property
    def store(self) -> Store:
        store: Store = self.services.store
        return store

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=_header_names(headers))

    async def project(self) -> Project:
        new = NewProject(name="p", git_repo_path=f"/{new_id()}", use_existing_repo=True)
        project: Project = await self.services.projects.create(new)
        return project

    async def task(self, project_id: str, title: str = "t") -> TaskWithAttemptStatus:
        new = NewTask(project_id=project_id, title=title)
        return await self.store.write(lambda tx: tasks.insert(tx, new, new_id(), now()))

    async def attempt(self) -> str:
        """A new attempt at a new task; its id."""
        task, id = await self.task((await self.project()).id), new_id()
        await self.store.write(
            lambda tx: attempts.insert(
                tx,
                id=id,
                task_id=task.id,
                branch="b",
                target_branch="main",
                executor="DEMO",
                now=now(),
            )
        )
        return id

    async def process(self, attempt_id: str) -> str:
        """A process that has just been started in the attempt; its id."""
        id = new_id()
        action = ExecutorAction(typ=ScriptRequest(script="true", context=ScriptContext.SETUP))
        await self.store.write(
            lambda tx: processes.insert(
                tx,
                id=id,
                attempt_id=attempt_id,
                run_reason=RunReason.SETUP_SCRIPT,
                executor_action=action,
                now=now(),
            )
        )
        return id

    async def end_process(self, id: str, at: str | None = None) -> None:
        await self.store.write(
            lambda tx: processes.finish(
                tx,
                id,
                ProcessStatus.COMPLETED,
                exit_code=0,
                after_head_commit=None,
                at=at or now(),
            )
        )

    @asynccontextmanager
    async def websocket(self, path: str, **headers: str) -> AsyncIterator[WebSocketConnection]:
        url = self.url.replace("http:", "ws:") + path
        extra = [(k.encode(), v.encode()) for k, v in _header_names(headers).items()]
        with trio.fail_after(20):
            async with open_websocket_url(url, extra_headers=extra) as connection:
                yield connection

    async def raw(self, text: str) -> trio.SocketStream:
        """A bare connection on which `text` was sent, with the line ends of HTTP."""
        port = int(self.url.rpartition(":")[2])
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(text.replace("\n", "\r\n").encode())
        return stream


@asynccontextmanager
async def open_server(
    where: Path, *, policy: Policy | None = None, address: str = "127.0.0.1:0", **serving: Any
) -> AsyncIterator[Server]:
    """A served application; closed as the daemon closes it at the end of the block."""
    async with Store.open(new_database(where / "anyon.sqlite")) as store:
        services = SimpleNamespace(
            store=store,
            settings=SimpleNamespace(
                config=ConfigFile(where / "config.json"),
                profiles=Profiles(where / "profiles.json", {}),
                user_id=new_id(),
            ),
            projects=ProjectDesk(store),
            attempts=AttemptDesk(store),
            branches=AttemptDesk(store),
            logs=Logs(),
            diffs=Diffs(),
            agents=Agents(Profiles(where / "profiles.json", {})),
            forms=VariantForms(Profiles(where / "profiles.json", {}), store),
            capabilities={"DEMO": ["SESSION_FORK"]},
            closing=trio.Event(),
        )
        policy = policy or Policy()
        app = create_app(services, policy)  # type: ignore[arg-type]
        async with trio.open_nursery() as nursery:
            serving.setdefault("peers", Peers())
            run = partial(serve, app, [listen(address)], closing=services.closing, **serving)
            (url,) = await nursery.start(run)
            base = url if url.startswith("http") else "http://localhost"
            uds = None if url.startswith("http") else url.removeprefix("unix:")
            transport = httpx.AsyncHTTPTransport(uds=uds, verify=False)
            async with httpx.AsyncClient(
                base_url=base, transport=transport, timeout=20, verify=False, trust_env=False
            ) as client:
                yield Server(url, services, policy, client, app)
            services.closing.set()


async def read_all(stream: trio.SocketStream) -> bytes:
    """Everything until the other side ends, or resets, the connection."""
    received = b""
    with trio.fail_after(20):
        try:
            while data := await stream.receive_some(65536):
                received += data
        except trio.BrokenResourceError:
            pass  # a reset is an end, too
    return received


async def until(condition: Any, seconds: float = 10) -> None:
    """Wait for something that has no event of its own."""
    with trio.fail_after(seconds):
        while not condition():
            await trio.sleep(0.005)


def _header_names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def envelope(response: httpx.Response) -> dict[str, Any]:
    """The body of `response`, which must be an envelope: all four keys, and no others."""
    body: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/json"
    assert list(body) == ["success", "data", "error_data", "message"]
    assert body["success"] == (response.status_code < 300)
    return body


def chunks(*texts: bytes, stream: Stream = Stream.STDOUT, first: int = 0) -> list[Frame]:
    """Output as the spool gives it."""
    return [Frame(n, 0, stream, text) for n, text in enumerate(texts, first)]
