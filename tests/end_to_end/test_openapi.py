"""A real daemon keeps what its description promises, for every example in it and for much else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed

from anyond.http.openapi import examples
from anyond.http.openapi.chapters import CHAPTERS
from anyond.http.openapi.operation import WEBSOCKET, Operation
from tests.end_to_end.daemon import PATIENCE
from tests.end_to_end.fuzz_target import FuzzTarget, open_fuzz_target
from tests.end_to_end.schemas import Judge

OPERATIONS = [operation for chapter in CHAPTERS for operation in chapter.operations]
PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
LAST = ("merge", "delete-file", "rename-branch", "respond", "replace-process")
"""After these an attempt is not what the others expect."""


class Surroundings:
    """A furnished daemon, spoken to by the examples of its description."""

    def __init__(self, fuzz_target: FuzzTarget) -> None:
        self.fuzz_target = fuzz_target
        self.daemon = fuzz_target.daemon
        self.names: dict[str, str] = {}
        self.document: dict[str, Any] = {}

    async def begin(self) -> None:
        """Find out what stands in this daemon for the things of the examples."""
        answer = await self.daemon.request("GET", "/openapi.json")
        self.document = answer.json()
        self.judge = Judge(self.document)
        known = self.fuzz_target.names
        attempt = await self.daemon.ask("GET", f"/api/task-attempts/{known['attempt']}")
        image = (await self.upload("/api/images/upload")).json()["data"]
        self.names = {
            examples.PROJECT_ID: known["project"],
            examples.TASK_ID: known["task"],
            examples.ATTEMPT_ID: known["attempt"],
            examples.PROCESS_ID: known["process"],
            examples.APPROVAL_ID: known["question"],
            examples.TAG_ID: known["tag"],
            examples.IMAGE_ID: image["id"],
            examples.REPOSITORY: known["folder"],
            examples.WORKTREE: attempt["container_ref"],
            examples.COMMIT: "HEAD",
            "/home/ada": known["root"],
            # Agents that are installed or logged in by what they bring from elsewhere.
            "CURSOR_AGENT": "DEMO",
        }

    async def upload(self, path: str) -> Any:
        return await self.daemon.request("POST", path, files={"image": ("one.gif", PIXEL)})

    def real(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(name, value)
        return text

    def target(self, operation: Operation) -> str:
        """Path and query of the example; only what must be in the query is."""
        path = operation.path
        if operation.key is not None:
            example = quote(self.real(str(operation.key.example)))
            path = path.replace(f"{{{operation.key.name}}}", example)
        query = {p.name: self.real(str(p.example)) for p in operation.query if p.required}
        return f"{path}?{urlencode(query)}" if query else path

    def described(self, operation: Operation) -> dict[str, Any]:
        return self.document["paths"][operation.path][operation.verb]  # type: ignore[no-any-return]

    async def send(self, operation: Operation) -> Any:
        """The example of `operation`, when nothing is at work in its attempt."""
        await self.quiet()
        if operation.method == "DELETE":  # not what something is at work in
            self.names[examples.TASK_ID] = self.fuzz_target.names["doomed"]
            self.names[examples.PROJECT_ID] = self.fuzz_target.names["victim"]
        target = self.target(operation)
        if operation.upload is not None:
            return await self.upload(target)
        content = self.described(operation).get("requestBody", {}).get("content", {})
        if not content:
            return await self.daemon.request(operation.method, target)
        body = json.loads(self.real(json.dumps(content["application/json"]["example"])))
        return await self.daemon.request(operation.method, target, json=body)

    async def quiet(self) -> None:
        path = f"/api/execution-processes?task_attempt_id={self.fuzz_target.names['attempt']}"

        async def look() -> bool:
            rows = await self.daemon.ask("GET", path)
            return all(row["status"] != "running" for row in rows)

        await self.daemon.until(look, "an attempt at rest")

    def flaws(self, operation: Operation, answer: Any) -> list[str]:
        """What the description does not say of `answer`."""
        responses = self.described(operation)["responses"]
        response = responses.get(str(answer.status_code))
        if response is None:
            return [f"status {answer.status_code}: {answer.text}"]
        if "$ref" in response:
            response = self.document["components"]["responses"][str(answer.status_code)]
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        contents = response.get("content", {})
        if kind not in (contents or {"": None}):
            return [f"it is of the type {kind}"]
        missing = [name for name in response.get("headers", ()) if name not in answer.headers]
        if kind != "application/json" or operation.path == "/openapi.json":
            return missing
        return missing + self.judge.flaws(contents[kind]["schema"], answer.json())


EXPECTED = {
    "startGithubDeviceFlow": (409, "client_id_missing"),
    "pollDeviceFlow": (409, "no_device_flow"),
    "pushBranch": (409, "no_remote"),
    "createPullRequest": (409, "no_remote"),
    "attachPullRequest": (409, "no_remote"),
    "runAgentSetup": (422, "setup_not_supported"),
}
"""What cannot be done in a daemon without GitHub, and with this project."""


def in_order() -> list[Operation]:
    """Requests whose example can be sent one after another: what destroys comes last."""

    def late(operation: Operation) -> tuple[bool, bool, bool]:
        deletes = operation.method == "DELETE"
        whole = deletes and operation.path.startswith("/api/projects")
        return deletes, operation.path.endswith(LAST), whole

    return sorted((o for o in OPERATIONS if o.stream is None), key=late)


@pytest.fixture(scope="module")
def fuzz_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzTarget]:
    with open_fuzz_target(tmp_path_factory.mktemp("openapi") / "daemon") as made:
        yield made


@pytest.fixture(scope="module")
def document(fuzz_target: FuzzTarget) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        return (await fuzz_target.daemon.request("GET", "/openapi.json")).json()  # type: ignore[no-any-return]

    return on_its_own(fuzz_target, read)


def on_its_own(fuzz_target: FuzzTarget, work: Callable[[], Any]) -> Any:
    """Run `work` with a client of this run of trio; the target's belongs to another one."""
    return trio.run(fuzz_target.visited, work)


def test_every_example_is_taken_and_every_answer_is_as_described(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async def work(fuzz_target: FuzzTarget) -> dict[str, Any]:
        around = Surroundings(fuzz_target)
        await around.begin()
        found = {}
        for operation in in_order():
            answer = await around.send(operation)
            flaws = around.flaws(operation, answer)
            assert flaws == [], (operation.method, operation.path, answer.text)
            kind = answer.headers.get("Content-Type", "")
            error = answer.json().get("error_data") if kind == "application/json" else None
            found[operation.id] = (answer.status_code, (error or {}).get("type"))
        return found

    with open_fuzz_target(tmp_path_factory.mktemp("examples") / "daemon") as fuzz_target:
        found = trio.run(fuzz_target.visited, lambda: work(fuzz_target))
    wanted = {o.id: EXPECTED.get(o.id, (o.status, None)) for o in in_order()}
    assert found == wanted


async def frames(fuzz_target: FuzzTarget, target: str) -> AsyncIterator[Any]:
    """The messages of a stream until it ends, or until no more come at once."""
    patience = PATIENCE
    async with fuzz_target.daemon.socket(target) as connection:
        while True:
            message = None
            with trio.move_on_after(patience), suppress(ConnectionClosed):
                message = await connection.get_message()
            if message is None:
                return
            yield json.loads(message)
            patience = 0.2


@pytest.mark.parametrize(
    "operation", [o for o in OPERATIONS if o.method == WEBSOCKET], ids=lambda o: o.id
)
def test_every_frame_of_a_stream_is_as_described(
    fuzz_target: FuzzTarget, operation: Operation
) -> None:
    async def work() -> None:
        around = Surroundings(fuzz_target)
        await around.begin()
        described = around.described(operation)["x-websocket"]
        if operation.path.startswith("/api/drafts"):
            path = f"/api/task-attempts/{fuzz_target.names['attempt']}/draft"
            await fuzz_target.daemon.ask("PUT", path, {"prompt": "Mention the price."})
        asked = "&" if operation.query[0].required else "?"
        modes = ["", f"{asked}batch=true"] if described["batch"] else [""]
        if operation.query[0].required:
            modes.append("&after=0")
        for mode in modes:
            schema = described["batch"] if "batch" in mode else described["frame"]
            count = 0
            async for frame in frames(fuzz_target, around.target(operation) + mode):
                last = "finished" in frame
                flaws = around.judge.flaws(described["last"] if last else schema, frame)
                assert flaws == [], frame
                count += not last
            assert count > 0, (operation.path, mode)

    on_its_own(fuzz_target, work)


def test_every_example_of_a_frame_is_as_described(document: dict[str, Any]) -> None:
    judge = Judge(document)
    for path, methods in document["paths"].items():
        stream = methods.get("get", {}).get("x-websocket", {"examples": ()})
        for example in stream["examples"]:
            assert judge.flaws(stream["frame"], example) == [], path


def test_every_example_of_an_answer_and_a_body_is_as_described(document: dict[str, Any]) -> None:
    judge = Judge(document)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            answers = [r for s, r in operation["responses"].items() if s.startswith("2")]
            for part in (*answers, operation.get("requestBody", {})):
                for content in part.get("content", {}).values():
                    if "example" in content:
                        assert judge.flaws(content["schema"], content["example"]) == [], path


def test_every_event_is_as_described(fuzz_target: FuzzTarget) -> None:
    async def work() -> set[str]:
        around = Surroundings(fuzz_target)
        await around.begin()
        described = around.document["paths"]["/api/events"]["get"]["x-events"]
        wanted = {"task_created", "attempt_created", "process_started", "approval_requested"}
        seen = set()
        name = ""
        with trio.fail_after(PATIENCE):
            async with (
                httpx.AsyncClient(base_url=fuzz_target.daemon.url) as client,
                client.stream("GET", "/api/events?after=0") as answer,
            ):
                async for line in answer.aiter_lines():
                    kind, _, value = line.partition(": ")
                    if kind == "event":
                        name = value
                    elif kind == "data":
                        assert around.judge.flaws(described[name], json.loads(value)) == [], line
                        seen.add(name)
                        if wanted <= seen:
                            break
        return seen

    assert "process_completed" in on_its_own(fuzz_target, work)


def test_the_document_is_sent_once_and_the_page_may_load_nothing(fuzz_target: FuzzTarget) -> None:
    async def work() -> None:
        for path in ("/openapi.json", "/docs"):
            answer = await fuzz_target.daemon.request("GET", path)
            assert answer.status_code == 200
            held = {"If-None-Match": answer.headers["ETag"]}
            again = await fuzz_target.daemon.request("GET", path, headers=held)
            assert (again.status_code, again.content) == (304, b"")
            foreign = {"Host": "evil.example"}
            assert (
                await fuzz_target.daemon.request("GET", path, headers=foreign)
            ).status_code == 403
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")

    on_its_own(fuzz_target, work)
