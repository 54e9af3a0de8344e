"""The parts of GitHub's answers that are read; everything else in them is left alone."""

from __future__ import annotations

from msgspec import Struct, field

from anyond.model.ids import seconds, timestamp
from anyond.model.rows import PullRequestInfo


class User(Struct, frozen=True):
    """The person whose token it is."""

    login: str
    email: str | None = None


class Email(Struct, frozen=True):
    email: str
    primary: bool = False
    verified: bool = False


class Base(Struct, frozen=True):
    """The target of a pull request."""

    ref: str


class PullRequest(Struct, frozen=True):
    """A pull request, as all answers that contain one spell it."""

    number: int
    html_url: str
    state: str
    merged_at: str | None = None
    merge_commit_sha: str | None = None
    base: Base | None = None

    @property
    def info(self) -> PullRequestInfo:
        """Its stored form. Until it is merged, GitHub's merge commit is only a trial."""
        merged = self.merged_at is not None
        status = "merged" if merged else self.state if self.state in _STATES else "unknown"
        return PullRequestInfo(
            number=self.number,
            url=self.html_url,
            status=status,
            merged_at=_moment(self.merged_at),
            merge_commit_sha=self.merge_commit_sha if merged else None,
        )


class Flaw(Struct, frozen=True):
    """A fault of one sent field."""

    resource: str | None = None
    field: str | None = None
    code: str | None = None
    message: str | None = None

    @property
    def text(self) -> str:
        return self.message or (f"{self.field} is {self.code or 'wrong'}" if self.field else "")


class Complaint(Struct, frozen=True):
    """The reason of a refusal."""

    message: str = ""
    errors: list[Flaw | str] = field(default_factory=list)

    @property
    def flaws(self) -> list[Flaw]:
        return [flaw for flaw in self.errors if isinstance(flaw, Flaw)]

    @property
    def text(self) -> str:
        """All of it in one line."""
        parts = [self.message]
        for flaw in self.errors:
            parts.append(flaw if isinstance(flaw, str) else flaw.text)
        return "; ".join(part for part in parts if part)


class DeviceCode(Struct, frozen=True, kw_only=True):
    """The beginning of a sign-in on another device."""

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int = 900
    interval: int = 5


class Grant(Struct, frozen=True, kw_only=True):
    """The state of a sign-in: a token, or an error."""

    access_token: str | None = None
    error: str | None = None
    error_description: str | None = None
    interval: int | None = None


_STATES = {"open", "closed"}


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return timestamp(seconds(text))
    except (ValueError, OverflowError, OSError):
        return text[:40]  # a date that nobody can read is still news
