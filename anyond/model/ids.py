"""Ids and timestamps: hyphenated UUIDs, RFC 3339 UTC with milliseconds."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

NAMESPACE = uuid.UUID("6f1d3a52-1f0e-4a8e-9d0b-0f6a5c1e7a90")


def new_id() -> str:
    """A fresh random id: a lower-case hyphenated UUID."""
    return str(uuid.uuid4())


def derived_id(*parts: str) -> str:
    """The id that always belongs to `parts`, so that a replay finds the same one again."""
    return str(uuid.uuid5(NAMESPACE, "\x00".join(parts)))


def is_id(text: str) -> bool:
    """Return whether `text` is an id as Anyon writes them."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def timestamp(seconds: float) -> str:
    """Unix `seconds` as `2025-01-08T00:00:00.000Z`."""
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def timestamp_ns(nanoseconds: int) -> str:
    """Unix `nanoseconds` as `2025-01-08T00:00:00.000Z`."""
    return timestamp(nanoseconds / 1e9)


def now() -> str:
    """This moment, as `timestamp` writes it."""
    return timestamp(time.time())


def after(newest: str | None, moment: str) -> str:
    """`moment`, unless the clock was set back since `newest`: then what comes next after that."""
    if newest is None or newest <= moment:
        return moment
    return timestamp(seconds(newest) + 0.0011)  # a tenth more than the millisecond: floats


def seconds(moment: str) -> float:
    """Unix seconds of a `timestamp`; the inverse of it up to a millisecond."""
    return datetime.fromisoformat(moment).timestamp()
