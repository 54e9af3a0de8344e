"""Answers that vibe-kanban's clients know in another shape, and that shape: one table."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from anyond.model.refusals.requests import Malformed, NotFound
from anyond.store.board import attempts, tasks

if TYPE_CHECKING:
    from anyond.model.rows import TaskAttempt, TaskWithAttemptStatus
    from anyond.services.services import Services
    from anyond.store.engine.transaction import Reader


class Answer(NamedTuple):
    """An answer in the envelope.

    Args:
        error: what it refuses with.
    """

    status: int
    body: dict[str, Any]
    error: BaseException | None = None

    @property
    def good(self) -> bool:
        return self.status < 300

    @property
    def refusal_type(self) -> str:
        """The type by which programs match the refusal."""
        data = self.body.get("error_data")
        return str(data.get("type", "")) if isinstance(data, dict) else ""


Reshape = Callable[[Answer], Awaitable[Answer]]
Shape = Callable[["Services", Answer], Awaitable[Answer]]

_SOFT = range(400, 500)
_HARD = {401, 403, 404, 408, 413}
"""What stays an error of HTTP: it is about the request, not about what was asked for."""
_GITHUB = {
    "token_missing": "TOKEN_INVALID",
    "token_invalid": "TOKEN_INVALID",
    "insufficient_permissions": "INSUFFICIENT_PERMISSIONS",
    "repo_not_found_or_no_access": "REPO_NOT_FOUND_OR_NO_ACCESS",
}
_REBASE = {"merge_conflicts", "rebase_in_progress"}


def _refused(error_data: object, message: str | None) -> Answer:
    body = {"success": False, "data": None, "error_data": error_data, "message": message}
    return Answer(200, body)


def _given(data: object) -> Answer:
    return Answer(200, {"success": True, "data": data, "error_data": None, "message": None})


async def _soft(_: Services, found: Answer) -> Answer:
    """A refusal is a sentence at 200."""
    if found.good or found.status not in _SOFT or found.status in _HARD:
        return found
    if isinstance(found.error, Malformed):
        return found  # what is no such body never reaches what would refuse it softly
    return _refused(None, found.body["message"])


async def _rebased(services: Services, found: Answer) -> Answer:
    """Conflicts are data without a sentence, and everything else a sentence without data."""
    if found.refusal_type in _REBASE:
        return _refused(found.body["error_data"], None)
    return await _soft(services, found)


async def _published(services: Services, found: Answer) -> Answer:
    """Give the refusals that a dialog can help with as bare words."""
    if not found.good and found.refusal_type in _GITHUB:
        return _refused(_GITHUB[found.refusal_type], None)
    return await _soft(services, found)


async def _signed_in(_: Services, found: Answer) -> Answer:
    """Of a code that is too old, the sentence is the name."""
    if found.refusal_type != "expired_token":
        return found
    return Answer(found.status, {**found.body, "message": found.refusal_type})


async def _compared(services: Services, found: Answer) -> Answer:
    """Return the distance of HEAD from a commit, seen from HEAD; linear if HEAD has all of the
    commit's.
    """
    if not found.good:
        return await _soft(services, found)
    data = found.body["data"]
    ahead, behind = data["behind_from_head"], data["ahead_from_head"]
    seen = {"ahead_from_head": ahead, "behind_from_head": behind, "is_linear": behind == 0}
    return _given({**data, **seen})


async def _profiles_saved(services: Services, found: Answer) -> Answer:
    if found.good:
        return _given("The profiles of the agents are updated.")
    return await _soft(services, found)


async def _none(_: Services, found: Answer) -> Answer:
    """Of something that is not there, there is nothing."""
    return _given([]) if found.status == 404 else found


async def _oldest_first(services: Services, found: Answer) -> Answer:
    if found.good:
        return _given(found.body["data"][::-1])
    return await _none(services, found)


async def _started(services: Services, found: Answer) -> Answer:
    """A task is there even if its agent could not be started; its log shows why."""
    return await _all_the_same(services, found, tasks_of)


async def _begun(services: Services, found: Answer) -> Answer:
    return await _all_the_same(services, found, attempts.get)


def tasks_of(reader: Reader, attempt_id: str) -> TaskWithAttemptStatus:
    """The task of an attempt. Raises `NotFound`."""
    return tasks.with_status(reader, attempts.get(reader, attempt_id).task_id)


async def _all_the_same(
    services: Services,
    found: Answer,
    read: Callable[[Reader, str], TaskAttempt | TaskWithAttemptStatus],
) -> Answer:
    data = found.body.get("error_data")
    attempt_id = data.get("task_attempt_id") if isinstance(data, dict) else None
    if found.good or not isinstance(attempt_id, str):
        return found
    try:
        row = await services.store.read(lambda r: read(r, attempt_id))
    except NotFound:
        return found  # somebody has deleted it meanwhile
    return _given(msgspec.to_builtins(row))


_ATTEMPT = "/api/task-attempts/<>"

_TABLE: dict[tuple[str, str], Shape] = {
    ("PUT", "/api/config"): _soft,
    ("PUT", "/api/profiles"): _profiles_saved,
    ("POST", "/api/auth/github/device/poll"): _signed_in,
    ("POST", "/api/tasks/create-and-start"): _started,
    ("GET", "/api/task-attempts"): _none,
    ("POST", "/api/task-attempts"): _begun,
    ("GET", f"{_ATTEMPT}/commit-compare"): _compared,
    ("POST", f"{_ATTEMPT}/pr"): _published,
    ("POST", f"{_ATTEMPT}/rebase"): _rebased,
    ("POST", f"{_ATTEMPT}/change-target-branch"): _soft,
    ("POST", f"{_ATTEMPT}/rename-branch"): _soft,
    ("POST", f"{_ATTEMPT}/start-dev-server"): _soft,
    ("GET", "/api/execution-processes"): _oldest_first,
    ("GET", "/api/images/task/<>"): _none,
}

_ROWS = [
    (method, re.compile(re.escape(path).replace("<>", "[^/]+")), shape)
    for (method, path), shape in _TABLE.items()
]


def of(method: str, path: str) -> Shape | None:
    """The shape of the answers to such requests; None if it is ours."""
    for known, pattern, shape in _ROWS:
        if known == method and pattern.fullmatch(path):
            return shape
    return None
