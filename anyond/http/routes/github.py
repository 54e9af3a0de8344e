"""The chapter GitHub: signing in, pushing an attempt's branch, and its pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from quart import Blueprint, Response

from anyond.http import decode
from anyond.http.decode import line, prose
from anyond.http.envelope import answer
from anyond.http.query import identity
from anyond.model.answers import DeviceFlow
from anyond.model.bodies import NewPullRequest

if TYPE_CHECKING:
    from anyond.actors.services import Services


class Pushing(Struct, frozen=True, kw_only=True):
    """The body of a push, which may be left out."""

    force: bool | None = None


def routes(services: Services) -> Blueprint:
    """`/api/auth/github`, and of an attempt `push`, `pr` and `pr/attach`."""
    chapter = Blueprint("github", __name__)

    @chapter.post("/api/auth/github/device/start")
    async def start() -> Response:
        code = await services.sign_in.start()
        return answer(
            DeviceFlow(
                user_code=code.user_code,
                verification_uri=code.verification_uri,
                expires_in=code.expires_in,
                interval=code.interval,
            )
        )

    @chapter.post("/api/auth/github/device/poll")
    async def poll() -> Response:
        return answer(await services.sign_in.poll())

    @chapter.get("/api/auth/github/check")
    async def check() -> Response:
        return answer(await services.sign_in.check())

    @chapter.post("/api/task-attempts/<key>/push")
    async def push(key: str) -> Response:
        id = _id(key)
        wanted = await decode.optional_body(Pushing)
        force = wanted is not None and bool(wanted.force)
        await services.publishing.push(id, force=force)
        return answer(None)

    @chapter.post("/api/task-attempts/<key>/pr")
    async def create_pull_request(key: str) -> Response:
        id = _id(key)
        wanted = await decode.body(NewPullRequest)
        line(wanted.title, "title")
        prose(wanted.body, "body")
        return answer(await services.publishing.create_pull_request(id, wanted))

    @chapter.post("/api/task-attempts/<key>/pr/attach")
    async def attach_pull_request(key: str) -> Response:
        return answer(await services.publishing.attach_pull_request(_id(key)))

    return chapter


def _id(key: str) -> str:
    return identity(key, "task_attempt_id")
