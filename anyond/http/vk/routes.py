"""The calls that vibe-kanban has and we have not, or that mean something else there."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from quart import Blueprint, Response, request

from anyond.api.declaration.checks import checked, identity, line
from anyond.http.answer.envelope import answer, cached
from anyond.http.request import decode
from anyond.http.request.framework import QuartRequest, as_response
from anyond.http.request.params import flag
from anyond.http.routes import images
from anyond.http.routes.approvals import decision
from anyond.model.configuration.project_settings import ProjectSettings
from anyond.model.http.bodies import ProjectPatch
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Approval, ApprovalStatus, Project
from anyond.settings.declared import setting_of
from anyond.store.runs import approvals

if TYPE_CHECKING:
    from anyond.services.services import Services

_IMAGE_FIELDS = ("file",)


def routes(services: Services) -> Blueprint:
    """Below `/vk`."""
    chapter = Blueprint("vk", __name__, url_prefix="/vk/api")

    @chapter.get("/health")
    async def health() -> Response:
        return as_response(answer("OK"))

    @chapter.get("/config")
    async def config() -> Response:
        return as_response(cached(services.settings.config.public(), QuartRequest()))

    @chapter.put("/projects/<key>")
    async def update_project(key: str) -> Response:
        id = identity(key, "project_id")
        received = await decode.body(QuartRequest(), dict[str, Any])
        cleared = {n: "" for n in _cleared() if n in received and received[n] is None}
        body = msgspec.json.encode({**received, **cleared})
        patch = checked(decode.decode(body, ProjectPatch), ProjectPatch)
        return as_response(answer(await services.projects.update(id, patch)))

    @chapter.delete("/task-attempts/<key>")
    async def delete_attempt(key: str) -> Response:
        await services.attempts.delete(identity(key, "task_attempt_id"))
        return as_response(answer(None))

    @chapter.post("/images/upload")
    async def upload() -> Response:
        return as_response(answer(await images.received(services, None, _IMAGE_FIELDS)))

    @chapter.post("/images/task/<key>/upload")
    async def upload_to_task(key: str) -> Response:
        task_id = identity(key, "task_id")
        return as_response(answer(await images.received(services, task_id, _IMAGE_FIELDS)))

    @chapter.delete("/images/<key>")
    async def remove_image(key: str) -> Response:
        """They delete what they show no more, though other tasks may show it."""
        id = identity(key, "image_id")
        with suppress(NotFound):
            if flag(request.args.get("force", "false"), "force"):
                await services.images.delete(id, force=True)
            else:
                await services.images.withdraw(id)
        return as_response(answer(None))

    @chapter.get("/images/named/<name>")
    async def linked_image(name: str) -> Response:
        return await images.sent(*await services.images.file_named(line(name, "file_name")))

    @chapter.get("/approvals/<key>/status")
    async def status(key: str) -> Response:
        id = identity(key, "approval_id")
        row = await services.store.read(lambda r: approvals.get(r, id))
        return as_response(cached(decision(row), QuartRequest()))

    @chapter.get("/approvals/pending")
    async def pending() -> Response:
        status = ApprovalStatus.PENDING
        rows = await services.store.read(lambda r: approvals.fetch_all(r, status))
        return as_response(cached([_with_request(row) for row in rows], QuartRequest()))

    return chapter


def _with_request(approval: Approval) -> dict[str, Any]:
    """A question under the names that entries of a log have for it, and under ours."""
    names = {"approval_id": approval.id, "requested_at": approval.created_at}
    row: dict[str, Any] = msgspec.to_builtins(approval)
    return {**row, **names}


@cache
def _cleared() -> tuple[str, ...]:
    """The settings of a project that null clears for these clients: those that can be null."""
    names = ProjectSettings.__struct_fields__
    return tuple(name for name in names if setting_of(Project, name).nullable)
