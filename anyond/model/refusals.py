"""How other machines refuse us: GitHub, any remote of a repository, and the way there.

The `type` of each is what programs match on; the sentence is for the person, and holds what the
other side said, where that helps.
"""

from __future__ import annotations

from anyond.model.errors import AnyondError, Conflict, Kind, TimedOut, Unavailable


class TokenMissing(Conflict):
    """A login is needed and there is none: no GitHub token, or none that git knows for a remote."""

    def __init__(self, message: str = "") -> None:
        super().__init__(
            "token_missing",
            message
            or "No GitHub token is set. Sign in with the device flow, or set github.pat in the"
            " configuration.",
        )


class TokenInvalid(Conflict):
    """The login is refused: GitHub does not know the token (any more), or a remote what git has."""

    def __init__(self, message: str = "") -> None:
        super().__init__(
            "token_invalid",
            message
            or "GitHub does not accept the token. Sign in again, or set another github.pat.",
        )


class InsufficientPermissions(Conflict):
    """The other side knows who asks, and does not let them."""

    def __init__(self, said: str = "") -> None:
        super().__init__("insufficient_permissions", _with("The permissions do not suffice", said))


class RepositoryNotFound(Conflict):
    """There is no such repository, or we may not know of it."""

    def __init__(self, which: str, said: str = "") -> None:
        super().__init__(
            "repo_not_found_or_no_access",
            _with(f"The repository {which} does not exist, or there is no access to it", said),
        )


class Rejected(Conflict):
    """The push arrived and was refused.

    Args:
        reason: `non_fast_forward` (it has commits that we lack), `stale` (a forced push that would
            have overwritten what we have not seen), `remote` (a rule or hook over there),
            `local_hook` (a hook over here).
        said: the other side's words.
    """

    def __init__(self, reason: str, branch: str, said: str = "") -> None:
        told = {
            "non_fast_forward": f"The remote's {branch} has commits that this one lacks",
            "stale": f"The remote's {branch} has commits that were never seen here",
            "remote": f"The remote refuses the push of {branch}",
            "local_hook": f"The repository's pre-push hook refuses the push of {branch}",
        }
        super().__init__("rejected", _with(told[reason], said), reason=reason)
        self.reason = reason


class NoRemote(Conflict):
    """There is nowhere to push to."""

    def __init__(self, message: str) -> None:
        super().__init__("no_remote", message)


class RateLimited(Unavailable):
    """Too much was asked; `retry_after_s` tells when to ask again."""

    def __init__(self, retry_after_s: float) -> None:
        seconds = max(1, round(retry_after_s))
        message = f"GitHub's rate limit is reached; ask again in {seconds} s."
        data = {"type": "rate_limited", "message": message, "retry_after_s": seconds}
        super().__init__(message, data)
        self.retry_after_s = retry_after_s


class Unreachable(Unavailable):
    """No connection, or none that works."""

    def __init__(self, where: str, why: str) -> None:
        message = _with(f"{where} cannot be reached", why)
        super().__init__(message, {"type": "unreachable", "message": message})


class Slow(TimedOut):
    """No answer in time. What was asked for may have happened."""

    def __init__(self, where: str, seconds: float) -> None:
        message = f"{where} did not answer within {seconds:g} s."
        super().__init__(message, {"type": "timed_out", "message": message})


class Unexpected(AnyondError):
    """An answer that nobody can do anything with."""

    kind = Kind.BROKEN_TOOL

    def __init__(self, where: str, what: str) -> None:
        message = _with(f"{where} gave an unexpected answer", what)
        super().__init__(message, {"type": "remote_failed", "message": message})


def _with(sentence: str, said: str) -> str:
    words = " ".join(said.split())[:500].rstrip(".")
    return f"{sentence}: {words}." if words else f"{sentence}."
