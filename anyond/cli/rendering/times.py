"""Times for people: how long ago, and how long."""

from __future__ import annotations

import re
import time
from datetime import datetime

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_LIMIT = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)?")


def age(moment: str, now: float | None = None) -> str:
    """The time since an RFC 3339 `moment`, in its largest unit: `3m`."""
    passed = (time.time() if now is None else now) - datetime.fromisoformat(moment).timestamp()
    return largest_unit(passed)


def largest_unit(seconds: float) -> str:
    """A time in its largest unit: `3m`."""
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "now"


def duration(seconds: float) -> str:
    """A time in its two largest units: `3m 20s`."""
    whole = max(0, round(seconds))
    parts: list[str] = []
    for unit, size in _UNITS:
        if whole >= size or (unit == "s" and not parts):
            parts.append(f"{whole // size}{unit}")
            whole %= size
    return " ".join(parts[:2])


def between(began: str, ended: str) -> float:
    """Seconds between two moments."""
    return datetime.fromisoformat(ended).timestamp() - datetime.fromisoformat(began).timestamp()


def parsed(text: str) -> float:
    """Seconds of a limit such as `90`, `30m` or `1.5h`. Raises `ValueError`."""
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return float(found[1]) * dict(_UNITS).get(found[2] or "s", 1)
