"""A model of vibe-kanban's web client: how it asks, what it reads, and how its streams behave."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import trio
from trio_websocket import ConnectionClosed, open_websocket_url

from tests.support.daemon import TIMEOUT_S, Daemon, local_client

NOTHING = object()
Json = dict[str, Any]


class Displayed(Exception):
    """What the client shows to the person when a call has failed."""


class VkClient:
    """Calls as the client makes them.

    Args:
        base: the origin of the page, with the path below which the API lies.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        headers = {"Content-Type": "application/json", "Origin": base.removesuffix("/vk")}
        self.http = local_client(base, headers=headers)

    @classmethod
    @asynccontextmanager
    async def at(cls, base: str) -> AsyncIterator[VkClient]:
        client = cls(base)
        async with client.http:
            yield client

    async def request(self, method: str, path: str, body: object = NOTHING) -> httpx.Response:
        content = None if body is NOTHING else json.dumps(body).encode()
        return await self.http.request(method, path, content=content)

    async def call(self, method: str, path: str, body: object = NOTHING) -> Any:
        """The reader of almost all answers: it never looks at `error_data` of an HTTP error."""
        answer = await self.request(method, path, body)
        content = answer.json()
        if not answer.is_success or not content["success"]:
            raise Displayed(content.get("message") or answer.reason_phrase)
        return content["data"]

    async def result(self, method: str, path: str, body: object) -> tuple[Any, Any, str | None]:
        """The reader of a rebase and of a pull request: the data, or an error and a message."""
        answer = await self.request(method, path, body)
        content = answer.json()
        if not answer.is_success:
            return None, None, content.get("message")
        if not content["success"]:
            return None, content["error_data"], content["message"]
        return content["data"], None, None

    def url(self, path: str) -> str:
        return self.base.replace("http", "ws", 1) + path


# ---------------------------------------------------------------- its library for patches


def apply(document: Any, operations: list[Json]) -> None:
    """What the client's library does, quirks included."""
    for operation in operations:
        path = operation["path"]
        assert path.startswith("/"), "a path without a slash throws"
        *way, last = [p.replace("~1", "/").replace("~0", "~") for p in path[1:].split("/")]
        parent = document
        for part in way:
            parent = _member(parent, part)
        match operation["op"]:
            case "add" if isinstance(parent, list):
                parent.insert(len(parent) if last == "-" else int(last), operation["value"])
            case "add" if isinstance(parent, dict):
                parent[last] = operation["value"]
            case "replace" if _member(parent, last) is not _MISSING:
                parent[int(last) if isinstance(parent, list) else last] = operation["value"]
            case "remove" if _member(parent, last) is not _MISSING:
                del parent[int(last) if isinstance(parent, list) else last]


_MISSING = object()


def _member(parent: Any, part: str) -> Any:
    if isinstance(parent, dict):
        return parent.get(part, _MISSING)
    if isinstance(parent, list) and part.isdigit() and int(part) < len(parent):
        return parent[int(part)]
    return _MISSING


# ---------------------------------------------------------------- its streams


class Stream:
    """One connection, from an empty document.

    Attributes:
        document: what the client knows.
        frames: all that came, in order.
        finished: the stream has said so.
        code: how the connection was closed; None while it is open.
    """

    def __init__(self, empty: Any) -> None:
        self.document: Any = empty
        self.frames: list[list[Json]] = []
        self.finished = False
        self.code: int | None = None
        self.at_the_end: Callable[[], Any] = lambda: None
        self.seen_at_the_end: Any = None
        self._news = trio.Event()

    async def follow(self, url: str, *, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        """Until the connection ends, or it is `finished`."""
        async with open_websocket_url(url) as connection:
            task_status.started()
            while not self.finished:
                try:
                    frame = json.loads(await connection.get_message())
                except ConnectionClosed as closed:
                    self.code = closed.reason.code if closed.reason is not None else 1006
                    break
                if "JsonPatch" in frame:
                    self._take(frame["JsonPatch"])
                if "finished" in frame:
                    for _ in range(50):  # what other connections had to say before comes first
                        await trio.lowlevel.checkpoint()
                    self.seen_at_the_end = copy.deepcopy(self.at_the_end())
                    self.finished = True
                self._ring()
        self._ring()

    def _take(self, operations: list[Json]) -> None:
        paths = [operation["path"] for operation in operations]
        assert len(set(paths)) == len(paths), "of two operations on one path, one would be lost"
        self.frames.append(operations)
        # It is shared with whoever renders it, so each frame makes a new one.
        self.document = copy.deepcopy(self.document)
        apply(self.document, operations)

    def _ring(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def until(self, look: Callable[[Any], Any], what: str = "it") -> Any:
        """Wait until `look` at the document gives something true."""
        with trio.move_on_after(TIMEOUT_S):
            while True:
                found = look(self.document)
                if found:
                    return found
                await self._news.wait()
        raise AssertionError(f"{what} did not come about: {json.dumps(self.document)[:4000]}")

    async def until_finished(self) -> None:
        await self.until(lambda _: self.finished, "the end")


class Chunks(Stream):
    """The window of a raw log: it looks at values only, whatever the operation and the path."""

    def _take(self, operations: list[Json]) -> None:
        super()._take(operations)
        self.lines = [*getattr(self, "lines", []), *(o["value"] for o in operations)]


class Watching:
    """The streams of one page."""

    def __init__(self, client: VkClient, nursery: trio.Nursery) -> None:
        self.client = client
        self._nursery = nursery

    async def stream(self, path: str, empty: Any, kind: type[Stream] = Stream) -> Any:
        stream = kind(empty)
        await self._nursery.start(stream.follow, self.client.url(path))
        return stream

    async def tasks(self, project: Json) -> Stream:
        path = f"/api/tasks/stream/ws?project_id={project['id']}"
        return await self.stream(path, {"tasks": {}})  # type: ignore[no-any-return]

    async def drafts(self, project: Json) -> Stream:
        path = f"/api/drafts/stream/ws?project_id={project['id']}"
        return await self.stream(path, {"drafts": {}})  # type: ignore[no-any-return]

    async def processes(self, attempt: Json) -> Stream:
        path = f"/api/execution-processes/stream/ws?task_attempt_id={attempt['id']}"
        empty: Json = {"execution_processes": {}}
        return await self.stream(f"{path}&show_soft_deleted=true", empty)  # type: ignore[no-any-return]

    async def diff(self, attempt: Json, query: str = "") -> Stream:
        path = f"/api/task-attempts/{attempt['id']}/diff/ws{query}"
        return await self.stream(path, {"entries": {}})  # type: ignore[no-any-return]

    async def conversation(self, process: Json) -> Stream:
        path = f"/api/execution-processes/{process['id']}/normalized-logs/ws"
        return await self.stream(path, {"entries": []})  # type: ignore[no-any-return]

    async def output(self, process: Json) -> Chunks:
        path = f"/api/execution-processes/{process['id']}/raw-logs/ws"
        return await self.stream(path, {"entries": []}, Chunks)  # type: ignore[no-any-return]


@asynccontextmanager
async def page(daemon: Daemon, base: str | None = None) -> AsyncIterator[Watching]:
    """The client as it is when the page is open, and closed again at the end of the block."""
    where = base or json.loads(daemon.daemon_file.read_text())["vk_url"]
    async with VkClient.at(where) as client, trio.open_nursery() as nursery:
        yield Watching(client, nursery)
        nursery.cancel_scope.cancel()
