"""Refusals by other machines: GitHub, any remote of a repository, and the way there.

The sentence holds what the other side said, where that helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anyond.model.errors import AnyondError, Conflict, Kind, TimedOut, Unavailable


class TokenMissing(Conflict, type="token_missing"):
    """No GitHub token is set, or git has no login for the remote."""

    def __init__(
        self,
        sentence: str = "No GitHub token is set. Sign in with the device flow, or set github.pat"
        " in the configuration.",
    ) -> None:
        super().__init__(sentence)

    @classmethod
    def of_remote(cls, where: str, output: str) -> TokenMissing:
        """Git was asked for a login at `where`, and has none."""
        return cls(
            f"{where} wants a login, and git has none. Set up a credential helper (`git config"
            " credential.helper`), or start the daemon with GIT_ASKPASS; `git push` in the"
            f" worktree must work without a question. ({output})"
        )


class TokenInvalid(Conflict, type="token_invalid"):
    """GitHub does not accept the token, or the remote the login that git has."""

    def __init__(
        self,
        sentence: str = "GitHub does not accept the token. Sign in again, or set another"
        " github.pat.",
    ) -> None:
        super().__init__(sentence)

    @classmethod
    def of_remote(cls, where: str, output: str) -> TokenInvalid:
        """Git has a login for `where`, and it is not taken."""
        return cls(f"{where} does not accept the login that git has. ({output})")


class InsufficientPermissions(Conflict, type="insufficient_permissions"):
    """The other side does not let this token do it."""

    def __init__(self, output: str = "") -> None:
        super().__init__(_with("The permissions do not suffice", output))


class RepositoryNotFound(Conflict, type="repo_not_found_or_no_access"):
    """No such repository, or no access to it."""

    def __init__(self, which: str, output: str = "") -> None:
        super().__init__(
            _with(f"The repository {which} does not exist, or there is no access to it", output)
        )


class Rejected(Conflict, type="rejected"):
    """The push was refused; `reason` is `non_fast_forward`, `stale`, `remote` or `local_hook`.

    Args:
        reason: `non_fast_forward` (it has commits that we lack), `stale` (a forced push that would
            have overwritten what we have not seen), `remote` (a rule or hook over there),
            `local_hook` (a hook over here).
        output: the other side's words.
    """

    reason: str

    def __init__(self, reason: str, branch: str, output: str = "") -> None:
        sentences = {
            "non_fast_forward": f"The remote's {branch} has commits that this one lacks",
            "stale": f"The remote's {branch} has commits that were never seen here",
            "remote": f"The remote refuses the push of {branch}",
            "local_hook": f"The repository's pre-push hook refuses the push of {branch}",
        }
        super().__init__(_with(sentences[reason], output))
        self.reason = reason


class NoRemote(Conflict, type="no_remote"):
    """There is nowhere to push to."""

    @classmethod
    def of(cls, repository: Path) -> NoRemote:
        """It has none."""
        return cls(f"The repository {repository} has no remote to push to.")

    @classmethod
    def among(cls, target: str, names: Sequence[str]) -> NoRemote:
        """It has several, and none that is meant."""
        listed = ", ".join(names)
        return cls(f"No remote is called origin, and {target} follows none of: {listed}.")

    @classmethod
    def named(cls, setting: str, name: str) -> NoRemote:
        """A setting names one that is not there."""
        return cls(f"{setting} names {name}, and no remote is called so.")

    @classmethod
    def without_address(cls, name: str) -> NoRemote:
        """It has no URL."""
        return cls(f"The remote {name} has no address.")

    @classmethod
    def not_at(cls, address: str) -> NoRemote:
        """Git takes that for no address."""
        return cls(f"Nothing can be pushed to {address}.")


class NotOnGitHub(Conflict, type="not_on_github"):
    """The remote is not a repository of the configured GitHub."""

    def __init__(self, what: str, site: str) -> None:
        super().__init__(f"{what} is not at {site}, so it has no pull requests there.")


class RateLimited(Unavailable, type="rate_limited"):
    """Too much was asked of GitHub.

    `retry_after_s` tells when to ask again.

    Attributes:
        wait_s: the same, as it was told.
    """

    message: str
    retry_after_s: int

    def __init__(self, retry_after_s: float) -> None:
        self.wait_s = retry_after_s
        self.retry_after_s = max(1, round(retry_after_s))
        super().__init__(f"GitHub's rate limit is reached; ask again in {self.retry_after_s} s.")


class Unreachable(Unavailable, type="unreachable"):
    """There is no way to the other side."""

    message: str

    def __init__(self, where: str, why: str) -> None:
        super().__init__(_with(f"{where} cannot be reached", why))


class Slow(TimedOut, type="timed_out"):
    """No answer in time; it may have happened nevertheless."""

    message: str

    def __init__(self, where: str, seconds: float) -> None:
        super().__init__(f"{where} did not answer within {seconds:g} s.")


class Unexpected(AnyondError, type="remote_failed"):
    """The other side gave an unexpected answer."""

    kind = Kind.BROKEN_TOOL

    message: str

    def __init__(self, where: str, what: str) -> None:
        super().__init__(_with(f"{where} gave an unexpected answer", what))


def _with(sentence: str, output: str) -> str:
    words = " ".join(output.split())[:500].rstrip(".")
    return f"{sentence}: {words}." if words else f"{sentence}."
