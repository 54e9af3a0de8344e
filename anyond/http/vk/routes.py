"""The calls that vibe-kanban has and we have not, or that mean something else there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from anyond.api.declaration.checks import checked, identity, line
from anyond.http.answer.envelope import answer, cached
from anyond.http.request import decode
from anyond.http.request.json_request import JsonAnswer, JsonRequest
from anyond.http.request.params import flag
from anyond.http.routes import images
from anyond.http.routes.approvals import decision
from anyond.http.routing import Route
from anyond.http.views import FileAnswer, FormRequest
from anyond.model.access import Scope
from anyond.model.configuration.project_settings import ProjectSettings
from anyond.model.http.bodies import ProjectPatch
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Approval, ApprovalStatus, Project
from anyond.settings.declared import setting_of
from anyond.store.runs import approvals

if TYPE_CHECKING:
    from anyond.services.services import Services

_IMAGE_FIELDS = ("file",)


def routes(services: Services) -> Iterator[Route]:
    """Below `/vk`."""

    async def health(_: JsonRequest) -> JsonAnswer:
        return answer("OK")

    async def config(request: JsonRequest) -> JsonAnswer:
        return cached(services.settings.config.public(), request)

    async def update_project(request: JsonRequest) -> JsonAnswer:
        id = _id(request, "project_id")
        received = await decode.body(request, dict[str, Any])
        cleared = {n: "" for n in _cleared() if n in received and received[n] is None}
        body = msgspec.json.encode({**received, **cleared})
        patch = checked(decode.decode(body, ProjectPatch), ProjectPatch)
        return answer(await services.projects.update(id, patch))

    async def delete_attempt(request: JsonRequest) -> JsonAnswer:
        await services.attempts.delete(_id(request, "task_attempt_id"))
        return answer(None)

    async def upload(request: FormRequest) -> JsonAnswer:
        return answer(await images.received(services, request.form, None, _IMAGE_FIELDS))

    async def upload_to_task(request: FormRequest) -> JsonAnswer:
        task_id = _id(request, "task_id")
        return answer(await images.received(services, request.form, task_id, _IMAGE_FIELDS))

    async def remove_image(request: JsonRequest) -> JsonAnswer:
        """They delete what they show no more, though other tasks may show it."""
        id = _id(request, "image_id")
        with suppress(NotFound):
            if flag(request.query.get("force") or "false", "force"):
                await services.images.delete(id, force=True)
            else:
                await services.images.withdraw(id)
        return answer(None)

    async def linked_image(request: JsonRequest) -> FileAnswer:
        name = line(request.path_params.get("key") or "", "file_name")
        return images.as_file(*await services.images.file_named(name))

    async def status(request: JsonRequest) -> JsonAnswer:
        id = _id(request, "approval_id")
        row = await services.store.read(lambda r: approvals.get(r, id))
        return cached(decision(row), request)

    async def pending(request: JsonRequest) -> JsonAnswer:
        status = ApprovalStatus.PENDING
        rows = await services.store.read(lambda r: approvals.fetch_all(r, status))
        return cached([_with_request(row) for row in rows], request)

    read, write = Scope.READ, Scope.WRITE
    yield Route("GET", "/vk/api/health", health, read, "Check health")
    yield Route("GET", "/vk/api/config", config, read, "Get configuration")
    yield Route("PUT", "/vk/api/projects/{key}", update_project, Scope.ADMIN, "Update project")
    yield Route(
        "DELETE", "/vk/api/task-attempts/{key}", delete_attempt, Scope.LAND, "Delete attempt"
    )
    yield Route("POST", "/vk/api/images/upload", upload, write, "Upload image", framework=True)
    yield Route(
        "POST",
        "/vk/api/images/task/{key}/upload",
        upload_to_task,
        write,
        "Upload task image",
        framework=True,
    )
    yield Route("DELETE", "/vk/api/images/{key}", remove_image, write, "Delete image")
    yield Route(
        "GET", "/vk/api/images/named/{key}", linked_image, read, "Get image file", framework=True
    )
    yield Route("GET", "/vk/api/approvals/{key}/status", status, read, "Get approval status")
    yield Route("GET", "/vk/api/approvals/pending", pending, read, "List approvals")


def _id(request: JsonRequest, field: str) -> str:
    return identity(request.path_params.get("key") or "", field)


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
