"""Answers to errors: the one table from kind to status, and the words for the rest."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import NamedTuple

import structlog
import trio

from anyond.http.answer.envelope import JSON, failure
from anyond.http.request.body import BodyError, Late, TooLong, largest
from anyond.model.errors import SHORTAGES, AnyondError, Kind, Unavailable
from anyond.model.ids import new_id
from anyond.model.refusals.files import Unreadable

STATUS: dict[Kind, HTTPStatus] = {
    Kind.INVALID: HTTPStatus.BAD_REQUEST,
    Kind.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    Kind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Kind.UNSUPPORTED: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Kind.IMPOSSIBLE: HTTPStatus.UNPROCESSABLE_ENTITY,
    Kind.BROKEN_TOOL: HTTPStatus.BAD_GATEWAY,
    Kind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Kind.TIMED_OUT: HTTPStatus.GATEWAY_TIMEOUT,
}

_DISK_ERRORS = {
    errno.EACCES,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ENXIO,
    errno.EPERM,
    errno.ESTALE,
}

LATE = "body: did not arrive in time"

log = structlog.get_logger("anyond.http")


class Misdirected(Exception):
    """A request that nothing of ours takes, as it is.

    Args:
        status: of 400 to 499.
        message: a sentence for the client.
        headers: those that belong to the status.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class Refusal(NamedTuple):
    """A whole answer that says no."""

    status: int
    body: bytes
    headers: dict[str, str]


def refusal(error: BaseException, method: str, path: str) -> Refusal:
    """The answer to a request that ended with `error`.

    What is no refusal is a bug: it is logged with its
    traceback, and the client gets the number under which it can be found there.
    """
    cause = _cause(error)
    headers = {"Content-Type": JSON}
    if isinstance(cause, OSError):
        cause = _of_system(cause) or cause
    if isinstance(cause, AnyondError):
        if cause.kind is Kind.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        return Refusal(STATUS[cause.kind], failure(str(cause), cause.data), headers)
    if isinstance(cause, TooLong):
        return Refusal(413, failure(too_long(path)), headers)
    if isinstance(cause, Late):
        return Refusal(408, failure(LATE), headers)
    if isinstance(cause, Misdirected):
        return Refusal(cause.status, failure(str(cause)), {**headers, **cause.headers})
    return Refusal(500, failure(incident(error, method, path)), headers)


def incident(error: BaseException, method: str, path: str) -> str:
    """Log a bug of ours; returns the sentence for the client, which names the log entry."""
    number = new_id()[:8]
    log.error("request failed", incident=number, method=method, path=path, exc_info=error)
    return f"Anyon made a mistake. The details are in its log under incident {number}."


def refused(error: BaseException) -> AnyondError | None:
    """The refusal that `error` is, or None if it is a bug."""
    cause = _cause(error)
    return cause if isinstance(cause, AnyondError) else None


def cancelled(error: BaseException) -> bool:
    """Return whether `error` must go on to the nursery that wants this task to end."""
    return any(isinstance(leaf, trio.Cancelled) for leaf in _leaves(error))


def _of_system(error: OSError) -> AnyondError | None:
    """The refusal for what the system did not allow, where nobody nearer has found words for it.

    A place that cannot be had is no mistake of ours, whoever has named it; and a machine that has
    run out of something will have it again. None for anything else.
    """
    why = error.strerror or str(error)
    if error.errno in _DISK_ERRORS and isinstance(error.filename, str | bytes):
        place = os.fsencode(error.filename).decode("utf-8", "replace")
        log.warning("place refused", path=place, why=why)
        return Unreadable(place, why, "path", "used")
    if error.errno in SHORTAGES:
        log.warning("out of resources", why=why)
        return Unavailable(f"The system does not allow it at the moment: {why}.")
    return None


def _cause(error: BaseException) -> BaseException:
    """The error itself; of a group that holds nothing but refusals, the first of them."""
    leaves = list(_leaves(error))
    expected = all(
        isinstance(leaf, AnyondError | Misdirected | OSError | BodyError) for leaf in leaves
    )
    return leaves[0] if expected else error


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _leaves(member)
    else:
        yield error


def too_long(path: str) -> str:
    """The words for a body that is larger than it may be at `path`."""
    return f"body: is larger than {largest(path) // 1024**2} MiB"
