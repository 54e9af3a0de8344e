"""The rest of the chapter Task Attempts: what is done to an attempt by one press of a button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from quart import Blueprint, Response, request

from anyond.http import decode
from anyond.http.decode import line, prose
from anyond.http.envelope import answer, cached
from anyond.http.query import identity
from anyond.model.bodies import (
    AgentSetup,
    NewBranchName,
    NewTarget,
    OpenEditor,
    Rebasing,
    Replacing,
)
from anyond.model.errors import Invalid

if TYPE_CHECKING:
    from anyond.actors.services import Services


def routes(services: Services) -> Blueprint:
    """Below `/api/task-attempts/{id}`, and the editor of projects."""
    chapter = Blueprint("attempt_actions", __name__, url_prefix="/api")

    @chapter.post("/task-attempts/<key>/replace-process")
    async def replace_process(key: str) -> Response:
        id = _id(key)
        wanted = await decode.body(Replacing)
        if not wanted.prompt.strip():
            raise Invalid("prompt", "must not be blank")
        prose(wanted.prompt, "prompt")
        process_id = identity(wanted.process_id, "process_id")
        wanted = msgspec.structs.replace(wanted, process_id=process_id)
        return answer(await services.attempt_actions.replace_process(id, wanted))

    @chapter.post("/task-attempts/<key>/run-agent-setup")
    async def run_agent_setup(key: str) -> Response:
        id = _id(key)
        wanted = await decode.body(AgentSetup)
        await services.attempt_actions.run_agent_setup(id, wanted.executor_profile_id)
        return answer({})

    @chapter.get("/task-attempts/<key>/commit-info")
    async def commit_info(key: str) -> Response:
        return cached(await services.attempt_actions.commit_info(_id(key), _needed("sha")))

    @chapter.get("/task-attempts/<key>/commit-compare")
    async def commit_compare(key: str) -> Response:
        return cached(await services.attempt_actions.commit_compare(_id(key), _needed("sha")))

    @chapter.post("/task-attempts/<key>/rebase")
    async def rebase(key: str) -> Response:
        id = _id(key)
        wanted = await decode.optional_body(Rebasing) or Rebasing()
        for field in ("old_base_branch", "new_base_branch"):
            if getattr(wanted, field) is not None:
                line(getattr(wanted, field), field)
        await services.attempt_actions.rebase(id, wanted)
        return answer(None)

    @chapter.post("/task-attempts/<key>/conflicts/abort")
    async def abort_conflicts(key: str) -> Response:
        await services.attempt_actions.abort_conflicts(_id(key))
        return answer(None)

    @chapter.post("/task-attempts/<key>/change-target-branch")
    async def change_target(key: str) -> Response:
        id = _id(key)
        wanted = await decode.body(NewTarget)
        line(wanted.new_target_branch, "new_target_branch")
        return answer(await services.attempt_actions.change_target(id, wanted))

    @chapter.post("/task-attempts/<key>/rename-branch")
    async def rename_branch(key: str) -> Response:
        id = _id(key)
        wanted = await decode.body(NewBranchName)
        line(wanted.new_branch_name, "new_branch_name")
        return answer(await services.attempt_actions.rename_branch(id, wanted))

    @chapter.post("/task-attempts/<key>/delete-file")
    async def delete_file(key: str) -> Response:
        await services.attempt_actions.delete_file(_id(key), _needed("file_path"))
        return answer(None)

    @chapter.post("/task-attempts/<key>/start-dev-server")
    async def start_dev_server(key: str) -> Response:
        await services.attempt_actions.start_dev_server(_id(key))
        return answer(None)

    @chapter.get("/task-attempts/<key>/children")
    async def children(key: str) -> Response:
        return cached(await services.attempt_actions.relations(_id(key)))

    @chapter.post("/task-attempts/<key>/open-editor")
    async def open_attempt(key: str) -> Response:
        id = _id(key)
        wanted = await decode.optional_body(OpenEditor) or OpenEditor()
        return answer(await services.attempt_actions.open_attempt(id, wanted))

    @chapter.post("/projects/<key>/open-editor")
    async def open_project(key: str) -> Response:
        id = identity(key, "project_id")
        wanted = await decode.optional_body(OpenEditor) or OpenEditor()
        return answer(await services.attempt_actions.open_project(id, wanted))

    return chapter


def _id(key: str) -> str:
    return identity(key, "task_attempt_id")


def _needed(name: str) -> str:
    """A text that must be in the query string."""
    text: str | None = request.args.get(name)
    if not text:
        raise Invalid(name, f"is missing; add ?{name}=…")
    if "\0" in text:
        raise Invalid(name, "must not contain NUL characters")
    return line(text, name) if name == "sha" else text
