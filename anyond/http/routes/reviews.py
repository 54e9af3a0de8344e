"""The chapter Reviews: comments that collect, and go to the agent as one message."""

from __future__ import annotations

from anyond.api import reviews as api
from anyond.api.declaration.params import OfAttempt
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.reviews import (
    CommentPatch,
    NewComment,
    Review,
    SeeingFile,
    SeenFile,
    Submission,
)
from anyond.model.ids import new_id, now
from anyond.store.runs import reviews


async def list_reviews(backend: Backend, params: OfAttempt) -> list[Review]:
    return await backend.services.reviews.list_reviews(params.task_attempt_id)


async def add_comment(backend: Backend, params: OfAttempt, new: NewComment) -> Review:
    ids = (new_id(), new_id())
    return await backend.store.write(
        lambda tx: reviews.add(tx, params.task_attempt_id, new, ids=ids, now=now())
    )


async def edit_comment(backend: Backend, params: api.OfComment, patch: CommentPatch) -> Review:
    return await backend.store.write(
        lambda tx: reviews.edit(tx, params.task_attempt_id, params.comment_id, patch.body, now())
    )


async def delete_comment(backend: Backend, params: api.OfComment) -> Review:
    return await backend.store.write(
        lambda tx: reviews.remove(tx, params.task_attempt_id, params.comment_id)
    )


async def submit_review(backend: Backend, params: OfAttempt, body: Submission) -> Review:
    return await backend.services.reviews.submit(params.task_attempt_id, body)


async def list_files_seen(backend: Backend, params: OfAttempt) -> list[SeenFile]:
    return await backend.store.read(lambda r: reviews.files_seen(r, params.task_attempt_id))


async def mark_file_seen(backend: Backend, params: OfAttempt, body: SeeingFile) -> list[SeenFile]:
    return await backend.store.write(lambda tx: reviews.see_file(tx, params.task_attempt_id, body))


ROUTES = (
    route(api.LIST_REVIEWS, list_reviews),
    route(api.ADD_COMMENT, add_comment),
    route(api.EDIT_COMMENT, edit_comment),
    route(api.DELETE_COMMENT, delete_comment),
    route(api.SUBMIT_REVIEW, submit_review),
    route(api.LIST_FILES_SEEN, list_files_seen),
    route(api.MARK_FILE_SEEN, mark_file_seen),
)
