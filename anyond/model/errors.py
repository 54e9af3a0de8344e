"""Every refusal that Anyon can utter; anything else that is raised is a bug of ours."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar

SHORTAGES = frozenset(
    {errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ENOSPC}
)
"""With these numbers the system says that it has no more of something; there may be again."""


class Kind(StrEnum):
    """What sort of refusal it is; the HTTP front has the one table from kind to status."""

    INVALID = "invalid"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    IMPOSSIBLE = "impossible"
    BROKEN_TOOL = "broken_tool"
    UNAVAILABLE = "unavailable"
    TIMED_OUT = "timed_out"


class AnyondError(Exception):
    """A refusal: `str(error)` is the sentence for the person, `data` is for programs (or None)."""

    kind: ClassVar[Kind]

    def __init__(self, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.data = data


class Invalid(AnyondError):
    """The request is malformed; `field` names the part of it that is."""

    kind = Kind.INVALID

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}", {"type": "invalid", "field": field})
        self.field = field


class Malformed(Invalid):
    """A body that cannot be read as what it must be: it is torn, or lacks a field."""


class Unauthorized(AnyondError):
    kind = Kind.UNAUTHORIZED


class Forbidden(AnyondError):
    kind = Kind.FORBIDDEN


class NotFound(AnyondError):
    """Nothing of that sort has that key."""

    kind = Kind.NOT_FOUND

    def __init__(self, what: str, key: object) -> None:
        super().__init__(f"There is no {what} {key}.", {"type": "not_found", "what": what})


class Deleted(AnyondError):
    """What was to be written belongs to something that was deleted meanwhile."""

    kind = Kind.NOT_FOUND

    def __init__(self) -> None:
        told = "What this belongs to was deleted meanwhile."
        super().__init__(told, {"type": "not_found", "what": "parent"})


class Conflict(AnyondError):
    """The state does not allow it now; `type` is the stable name that programs match on."""

    kind = Kind.CONFLICT

    def __init__(self, type: str, message: str, **more: Any) -> None:
        super().__init__(message, {"type": type, "message": message, **more})
        self.type = type


class Busy(Conflict):
    """Somebody else is writing in the worktree."""

    def __init__(self, message: str) -> None:
        super().__init__("busy", message)


class MergeConflicts(Conflict):
    """Git could not combine two histories; `files` says where."""

    def __init__(self, op: str, files: Sequence[str]) -> None:
        shown = ", ".join(files[:10]) + (f" and {len(files) - 10} more" if len(files) > 10 else "")
        super().__init__("merge_conflicts", f"Conflicts in {shown}", op=op, files=list(files))
        self.files = list(files)


class Impossible(AnyondError):
    """Well-formed, but there is no such variant, branch or program."""

    kind = Kind.IMPOSSIBLE

    def __init__(self, field: str, problem: str, type: str = "impossible") -> None:
        super().__init__(f"{field}: {problem}", {"type": type, "field": field})
        self.field = field


class TooLarge(AnyondError):
    kind = Kind.TOO_LARGE


class Unsupported(AnyondError):
    kind = Kind.UNSUPPORTED


class ToolFailed(AnyondError):
    """A program that we rely on (git, an editor) failed, and we have no better name for it."""

    kind = Kind.BROKEN_TOOL

    def __init__(self, tool: str, message: str) -> None:
        super().__init__(message, {"type": "tool_failed", "tool": tool})


class ProgramMissing(AnyondError):
    """An agent's program was looked for and not found.

    Args:
        program: what was looked for.
        looked_in: where.
        install: one sentence that tells how to get it.
    """

    kind = Kind.IMPOSSIBLE

    def __init__(self, program: str, looked_in: Sequence[str], install: str) -> None:
        places = ", ".join(looked_in) or "(PATH is empty)"
        super().__init__(
            f"The program {program!r} was not found. Looked in: {places}. {install}",
            {"type": "program_missing", "program": program, "install": install},
        )
        self.program = program
        self.install = install


class Unavailable(AnyondError):
    kind = Kind.UNAVAILABLE


class ActorGone(Unavailable):
    """Whoever was asked ended before the answer."""


class TimedOut(AnyondError):
    kind = Kind.TIMED_OUT
