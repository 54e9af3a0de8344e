"""The chapter Changes: what attempts have changed, and states to go back to."""

from __future__ import annotations

from anyond.api import changes as api
from anyond.api.declaration.params import OfAttempt
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.changes import ChangeList, FileChanges, SavedState, Undoing, Undone
from anyond.model.refusals.requests import Invalid


async def list_changes(backend: Backend, params: api.ComparedAttempt) -> ChangeList:
    changes = backend.services.changes
    return await changes.files(params.task_attempt_id, params.against, params.commit)


async def get_file_changes(backend: Backend, params: api.ComparedFile) -> FileChanges:
    if not 0 <= params.context <= api.MOST_CONTEXT:
        raise Invalid("context", f"must be between 0 and {api.MOST_CONTEXT}")
    return await backend.services.changes.file(
        params.task_attempt_id,
        params.path,
        params.old_path,
        against=params.against,
        commit=params.commit,
        context=params.context,
        ignore_whitespace=params.ignore_whitespace,
    )


async def list_saved_states(backend: Backend, params: OfAttempt) -> list[SavedState]:
    return await backend.services.changes.saved_states(params.task_attempt_id)


async def undo(backend: Backend, params: OfAttempt, body: Undoing) -> Undone:
    return await backend.services.changes.undo(params.task_attempt_id, body.number)


ROUTES = (
    route(api.LIST_CHANGES, list_changes),
    route(api.GET_FILE_CHANGES, get_file_changes),
    route(api.LIST_SAVED_STATES, list_saved_states),
    route(api.UNDO, undo),
)
