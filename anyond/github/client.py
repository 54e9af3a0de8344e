"""Requests to GitHub, and the meaning of its refusals."""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import quote

from msgspec import Struct

from anyond.github.answers import Email, PullRequest, User
from anyond.github.exchange import TIMEOUT_S, Answer, Exchange
from anyond.github.site import RepositoryName, Site
from anyond.model.errors import AnyondError
from anyond.model.refusals.merging import NothingToMerge
from anyond.model.refusals.remotes import (
    InsufficientPermissions,
    RateLimited,
    RepositoryNotFound,
    TokenInvalid,
    Unexpected,
)
from anyond.model.refusals.requests import Impossible


class Fresh(Struct, frozen=True):
    """A pull request, and the tag by which GitHub knows this state of it."""

    pull_request: PullRequest
    etag: str | None


class GitHub:
    """The API of one GitHub.

    It keeps no connection: what is asked is asked seldom.

    All questions raise `TokenInvalid`, `InsufficientPermissions`, `RepositoryNotFound`,
    `RateLimited`, `Unreachable`, `Slow` or `Unexpected`, besides what they name.

    Args:
        timeout_s: seconds for a whole question.
    """

    def __init__(self, site: Site, timeout_s: float = TIMEOUT_S) -> None:
        self.site = site
        self._exchange = Exchange(timeout_s)
        self._paused: dict[str, float] = {}

    # ------------------------------------------------------------ questions

    async def user(self, token: str) -> User:
        """Return the owner of the token."""
        return _good(await self._ask("GET", "/user", token), "the user").decoded(User)

    async def primary_email(self, token: str) -> str | None:
        """The address that the person gave as theirs; None if there is none."""
        answer = _good(await self._ask("GET", "/user/emails", token), "the e-mail addresses")
        emails = answer.decoded(list[Email])
        return next((email.email for email in emails if email.primary), None)

    async def pull_requests_from(
        self, token: str, repository: RepositoryName, owner: str, branch: str, state: str
    ) -> list[PullRequest]:
        """The pull requests for a branch, newest first.

        Args:
            repository: the one they would be merged into.
            owner: of the repository that has the branch.
            state: `open` or `all`.
        """
        path = f"/repos/{repository}/pulls"
        query = {"head": f"{owner}:{branch}", "state": state, "per_page": "100"}
        answer = await self._ask("GET", path, token, query=query)
        return _good(answer, str(repository)).decoded(list[PullRequest])

    async def create_pull_request(
        self,
        token: str,
        repository: RepositoryName,
        *,
        title: str,
        body: str,
        head: str,
        base: str,
        head_repo: str | None = None,
    ) -> PullRequest | None:
        """A new pull request, or None if there is one already.

        Args:
            head: `owner:branch`.
            base: the branch to merge into.
            head_repo: the repository of the head, if it is another one of the same owner.

        Raises:
            Conflict: `nothing_to_merge`.
            Impossible: there is no such `base`, or something else is wrong with what was sent.
        """
        sent = {"title": title, "body": body, "head": head, "base": base}
        if head_repo is not None:
            sent["head_repo"] = head_repo
        answer = await self._ask("POST", f"/repos/{repository}/pulls", token, body=sent)
        if answer.status == 422:
            complaint = answer.complaint
            text = complaint.text
            if "already exists" in text:
                return None
            if "No commits between" in text:
                raise NothingToMerge.on_github(base, text)
            if any(flaw.field == "base" for flaw in complaint.flaws):
                raise Impossible("target_branch", f"{repository} has no branch {base!r}.")
            if any(flaw.field == "head" for flaw in complaint.flaws):
                reason_text = (
                    f"{repository} finds no branch {head}. If the repository has got another owner,"
                    " give the remote its new address (git remote set-url)."
                )
                raise Impossible("pull_request", reason_text)
            raise Impossible("pull_request", f"GitHub does not take it: {text}")
        return _good(answer, str(repository)).decoded(PullRequest)

    async def pull_request(
        self, token: str, repository: RepositoryName, number: int, etag: str | None = None
    ) -> Fresh | None:
        """A pull request, or None if it is as it was when GitHub gave it this `etag`."""
        path = f"/repos/{repository}/pulls/{number}"
        known = {"If-None-Match": etag} if etag else {}
        answer = await self._ask("GET", path, token, headers=known)
        if answer.status == 304:
            return None
        found = _good(answer, f"{repository} (or its pull request {number})").decoded(PullRequest)
        return Fresh(found, answer.headers.get("etag"))

    async def form(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Send a form to the site that people see, as sign-ins want it. The status may be any."""
        return await self._exchange.send("POST", f"{self.site.web}{path}", form=fields)

    # ------------------------------------------------------------ one question

    async def _ask(
        self,
        method: str,
        path: str,
        token: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """An answer of any status but those that speak of the token and of how much was asked."""
        paused = self._paused.get(token, 0.0) - time.monotonic()
        if paused > 0:
            raise RateLimited(paused)  # to go on asking makes it worse
        url = self.site.api + quote(path, safe="/")
        sent = {"Authorization": f"Bearer {token}", "X-GitHub-Api-Version": "2022-11-28"}
        answer = await self._exchange.send(
            method, url, query=query, body=body, headers={**sent, **(headers or {})}
        )
        pause = answer.pause
        if pause is not None:
            until = time.monotonic() + pause
            self._paused = {token: max(until, self._paused.get(token, until))}
            raise RateLimited(pause)
        if answer.status == 401:
            raise TokenInvalid
        if answer.status == 403:
            raise InsufficientPermissions(answer.complaint.text)
        return answer


def usable(token: str) -> bool:
    """Return whether a token can be sent at all: no spaces, no line breaks, nothing but ASCII."""
    return token.isascii() and token.isprintable() and " " not in token


def _good(answer: Answer, what: str) -> Answer:
    """The answer, if it is one to what was asked."""
    if 200 <= answer.status < 300:
        return answer
    raise _refusal(answer, what)


def _refusal(answer: Answer, what: str) -> AnyondError:
    reason = answer.complaint.text
    if answer.status in {404, 410, 451}:
        return RepositoryNotFound(what, "" if reason == "Not Found" else reason)
    if answer.status == 422:
        return Impossible("pull_request", f"GitHub does not take it: {reason}")
    return Unexpected("GitHub", f"status {answer.status}. {reason}")
