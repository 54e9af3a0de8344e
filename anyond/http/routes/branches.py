"""The chapter Branches: how what an attempt has done gets into its target branch."""

from __future__ import annotations

from anyond.api import branches as api
from anyond.api.declaration.params import OfAttempt
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.answers import Renamed, TargetChanged
from anyond.model.http.bodies import (
    MergeStrategy,
    Merging,
    NewBranchName,
    NewPullRequest,
    NewTarget,
    Pushing,
    Rebasing,
)
from anyond.model.rows import AttachedPullRequest


async def change_target(backend: Backend, params: OfAttempt, body: NewTarget) -> TargetChanged:
    return await backend.services.branches.change_target(params.task_attempt_id, body)


async def rename(backend: Backend, params: OfAttempt, body: NewBranchName) -> Renamed:
    return await backend.services.branches.rename_branch(params.task_attempt_id, body)


async def rebase(backend: Backend, params: OfAttempt, body: Rebasing) -> None:
    await backend.services.branches.rebase(params.task_attempt_id, body)


async def abort_conflicts(backend: Backend, params: OfAttempt) -> None:
    await backend.services.branches.abort_conflicts(params.task_attempt_id)


async def delete_file(backend: Backend, params: api.OfFile) -> None:
    await backend.services.attempts.delete_file(params.task_attempt_id, params.file_path)


async def merge(backend: Backend, params: OfAttempt, body: Merging) -> None:
    strategy = body.strategy or MergeStrategy.MERGE
    await backend.services.branches.merge(params.task_attempt_id, strategy)


async def push(backend: Backend, params: OfAttempt, body: Pushing) -> None:
    await backend.services.publishing.push(params.task_attempt_id, force=bool(body.force))


async def create_pull_request(backend: Backend, params: OfAttempt, body: NewPullRequest) -> str:
    return await backend.services.publishing.create_pull_request(params.task_attempt_id, body)


async def attach_pull_request(backend: Backend, params: OfAttempt) -> AttachedPullRequest:
    return await backend.services.publishing.attach_pull_request(params.task_attempt_id)


ROUTES = (
    route(api.CHANGE_TARGET_BRANCH, change_target),
    route(api.RENAME_BRANCH, rename),
    route(api.REBASE_ON_TARGET_BRANCH, rebase),
    route(api.ABORT_CONFLICTS, abort_conflicts),
    route(api.DELETE_FILE, delete_file),
    route(api.MERGE_TO_TARGET_BRANCH, merge),
    route(api.PUSH_BRANCH, push),
    route(api.CREATE_PULL_REQUEST, create_pull_request),
    route(api.ATTACH_PULL_REQUEST, attach_pull_request),
)
