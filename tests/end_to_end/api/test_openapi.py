"""A real daemon keeps what its description promises, for every example in it and for much else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import trio
from trio_websocket import ConnectionClosed

from anyond.api.chapters import ENDPOINTS
from anyond.api.declaration import samples
from anyond.api.declaration.endpoint import Answering, Endpoint, EventStream, Stream, UploadCall
from anyond.api.examples import things
from tests.support.clients.schemas import Judge
from tests.support.daemon import TIMEOUT_S, local_client
from tests.support.hostile.fuzz_target import FuzzTarget, open_fuzz_target

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
            samples.PROJECT_ID: known["project"],
            samples.TASK_ID: known["task"],
            samples.ATTEMPT_ID: known["attempt"],
            samples.PROCESS_ID: known["process"],
            samples.APPROVAL_ID: known["question"],
            samples.TAG_ID: known["tag"],
            samples.IMAGE_ID: image["id"],
            things.REPOSITORY: known["folder"],
            samples.WORKTREE: attempt["container_ref"],
            samples.COMMIT: "HEAD",
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

    def target(self, endpoint: Endpoint[Any]) -> str:
        """Path and query of the example; only what must be in the query is."""
        path, query = endpoint.path, {}
        for parameter in endpoint.parameters():
            example = self.real(str(parameter.example))
            if parameter.place == "path":
                path = path.replace(f"{{{parameter.name}}}", quote(example))
            elif parameter.required:
                query[parameter.name] = example
        return f"{path}?{urlencode(query)}" if query else path

    def described(self, endpoint: Endpoint[Any]) -> dict[str, Any]:
        return self.document["paths"][endpoint.path][endpoint.verb]  # type: ignore[no-any-return]

    async def send(self, endpoint: Endpoint[Any]) -> Any:
        """The example of `endpoint`, when nothing is at work in its attempt."""
        await self.quiet()
        if endpoint.method == "DELETE":  # not what something is at work in
            self.names[samples.TASK_ID] = self.fuzz_target.names["doomed"]
            self.names[samples.PROJECT_ID] = self.fuzz_target.names["victim"]
        target = self.target(endpoint)
        if isinstance(endpoint, UploadCall):
            return await self.upload(target)
        content = self.described(endpoint).get("requestBody", {}).get("content", {})
        if not content:
            return await self.daemon.request(endpoint.method, target)
        body = json.loads(self.real(json.dumps(content["application/json"]["example"])))
        return await self.daemon.request(endpoint.method, target, json=body)

    async def quiet(self) -> None:
        path = f"/api/execution-processes?task_attempt_id={self.fuzz_target.names['attempt']}"

        async def look() -> bool:
            rows = await self.daemon.ask("GET", path)
            return all(row["status"] != "running" for row in rows)

        await self.daemon.until(look, "an attempt at rest")

    def flaws(self, endpoint: Endpoint[Any], answer: Any) -> list[str]:
        """What the description does not say of `answer`."""
        responses = self.described(endpoint)["responses"]
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
        if kind != "application/json" or endpoint.path == "/openapi.json":
            return missing
        return missing + self.judge.flaws(contents[kind]["schema"], answer.json())


EXPECTED = {
    "startGithubDeviceFlow": (409, "client_id_missing"),
    "pollDeviceFlow": (409, "no_device_flow"),
    "pushBranch": (409, "no_remote"),
    "createPullRequest": (409, "no_remote"),
    "attachPullRequest": (409, "no_remote"),
    "runAgentSetup": (422, "setup_not_supported"),
    "createLink": (403, "no_link"),
    "deleteApprovalRule": (404, "not_found"),
    "deleteComment": (404, "not_found"),  # its review is sent by then
}
"""What cannot be done in a daemon without GitHub, a token of its own and rules, in this project."""

MADE_BY = {"addComment": samples.COMMENT_ID, "createToken": samples.TOKEN_ID}
"""The endpoints that make the things of later examples."""


def in_order() -> list[Endpoint[Any]]:
    """Requests whose example can be sent one after another: what destroys comes last."""

    def late(endpoint: Endpoint[Any]) -> tuple[bool, bool, bool]:
        deletes = endpoint.method == "DELETE"
        whole = deletes and endpoint.path.startswith("/api/projects")
        return deletes, endpoint.path.endswith(LAST), whole

    plain = (e for e in ENDPOINTS if not isinstance(e, Stream | EventStream))
    return sorted(plain, key=late)


@pytest.fixture(scope="module")
def fuzz_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzTarget]:
    with open_fuzz_target(tmp_path_factory.mktemp("openapi") / "daemon") as made:
        yield made


@pytest.fixture(scope="module")
def document(fuzz_target: FuzzTarget) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        answer = await fuzz_target.daemon.request("GET", "/openapi.json")
        return dict(answer.json())

    return dict(on_its_own(fuzz_target, read))


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
        for endpoint in in_order():
            answer = await around.send(endpoint)
            flaws = around.flaws(endpoint, answer)
            assert flaws == [], (endpoint.method, endpoint.path, answer.text)
            kind = answer.headers.get("Content-Type", "")
            error = answer.json().get("error_data") if kind == "application/json" else None
            found[endpoint.operation_id] = (answer.status_code, (error or {}).get("type"))
            sample = MADE_BY.get(endpoint.operation_id)
            if sample is not None:
                made = answer.json()["data"]
                made = made["comments"][-1] if "comments" in made else made["record"]
                around.names[sample] = made["id"]
        return found

    with open_fuzz_target(tmp_path_factory.mktemp("examples") / "daemon") as fuzz_target:
        found = trio.run(fuzz_target.visited, lambda: work(fuzz_target))
    expected = {e.operation_id: EXPECTED.get(e.operation_id, (status(e), None)) for e in in_order()}
    assert found == expected


def status(endpoint: Endpoint[Any]) -> int:
    """Of a success."""
    return endpoint.status if isinstance(endpoint, Answering) else 200


async def frames(fuzz_target: FuzzTarget, target: str) -> AsyncIterator[Any]:
    """The messages of a stream until it ends, or until no more come at once."""
    timeout = TIMEOUT_S
    async with fuzz_target.daemon.socket(target) as connection:
        while True:
            message = None
            with trio.move_on_after(timeout), suppress(ConnectionClosed):
                message = await connection.get_message()
            if message is None:
                return
            yield json.loads(message)
            timeout = 0.2


@pytest.mark.parametrize(
    "endpoint", [e for e in ENDPOINTS if isinstance(e, Stream)], ids=lambda e: e.operation_id
)
def test_every_frame_of_a_stream_is_as_described(
    fuzz_target: FuzzTarget, endpoint: Endpoint[Any]
) -> None:
    async def work() -> None:
        around = Surroundings(fuzz_target)
        await around.begin()
        described = around.described(endpoint)["x-websocket"]
        if endpoint.path.startswith("/api/drafts"):
            path = f"/api/task-attempts/{fuzz_target.names['attempt']}/draft"
            await fuzz_target.daemon.ask("PUT", path, {"prompt": "Mention the price."})
        query = [p for p in endpoint.parameters() if p.place == "query"]
        needed = any(parameter.required for parameter in query)
        asked = "&" if needed else "?"
        modes = ["", f"{asked}batch=true"] if described["batch"] else [""]
        if needed:
            modes.append("&after=0")
        for mode in modes:
            schema = described["batch"] if "batch" in mode else described["frame"]
            count = 0
            async for frame in frames(fuzz_target, around.target(endpoint) + mode):
                last = "finished" in frame
                flaws = around.judge.flaws(described["last"] if last else schema, frame)
                assert flaws == [], frame
                count += not last
            assert count > 0, (endpoint.path, mode)

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
        expected = {"task_created", "attempt_created", "process_started", "approval_requested"}
        seen = set()
        name = ""
        with trio.fail_after(TIMEOUT_S):
            async with (
                local_client(fuzz_target.daemon.url) as client,
                client.stream("GET", "/api/events?after=0") as answer,
            ):
                async for line in answer.aiter_lines():
                    kind, _, value = line.partition(": ")
                    if kind == "event":
                        name = value
                    elif kind == "data":
                        assert around.judge.flaws(described[name], json.loads(value)) == [], line
                        seen.add(name)
                        if expected <= seen:
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
