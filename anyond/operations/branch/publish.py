"""Pushing an attempt's branch to the remote where it belongs."""

from __future__ import annotations

from msgspec import Struct

from anyond.git.repo import checkouts, pushing, remotes
from anyond.git.repo.remotes import Remote
from anyond.git.snapshots import snapshots
from anyond.github.client import usable
from anyond.model.errors import AnyondError
from anyond.model.refusals.remotes import TokenInvalid, TokenMissing
from anyond.operations.branch.commits import commit_rest
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import submodules, withheld, worktree


class Way(Struct, frozen=True):
    """From where to where.

    Args:
        base: the remote of the branch that the work is to be merged into.
        target: what that branch is called there.
        head: the remote that the attempt's branch is pushed to; another one if it is a fork.
    """

    base: Remote
    target: str
    head: Remote


def token(resources: Resources) -> str:
    """The token for GitHub: the one that the person has set, else the one of their sign-in.

    Raises:
        TokenMissing, TokenInvalid: see there.
    """
    github = resources.config.config.github
    found = (github.pat or github.oauth_token or "").strip()
    if not found:
        raise TokenMissing
    if not usable(found):
        raise TokenInvalid
    return found


async def way(subject: Subject, target: str) -> Way:
    """Return the remote and the branch to push to if the work is for `target`.

    Raises:
        NoRemote: see there.
    """
    repository = subject.repository
    base = await remotes.of_target(repository, target)
    head = await remotes.for_push(repository, subject.attempt.branch, target, base)
    return Way(base, await remotes.branch_there(repository, target, base), head)


async def push_attempt(resources: Resources, subject: Subject, *, force: bool) -> None:
    """Push the attempt's branch.

    Raises:
        Conflict: `no_remote`, `token_missing`, or as `push`.
        AnyondError: the push failed; see `git.pushing`.
    """
    found = await way(subject, subject.attempt.target_branch)
    await push(resources, subject, found, force=force)


async def push(resources: Resources, subject: Subject, found: Way, *, force: bool = False) -> None:
    """Commit what is left, and push the attempt's branch to where `found` leads. Only GitHub is
    given the token.

    Raises:
        Conflict: `dirty` with `files`: some are in conflict; `rebase_in_progress` and so on;
            `off_branch`: the newest work may be elsewhere; `submodule_dirty`,
            `submodule_not_pushed`.
        GitFailed: what is left could not be committed, so nothing was pushed.
    """
    secret = (
        token(resources) if resources.github.site.takes_token(found.head.push_address) else None
    )
    subject = await worktree.prepare(resources, subject)
    await snapshots.take(subject.repository, subject.worktree, subject.attempt.id, "push")
    await submodules.refuse_unsaved(subject)
    # What the remote gets is what a merge would bring: all of the work, or a refusal.
    await commit_rest(subject)
    await checkouts.require(subject.worktree, subject.attempt.branch)
    await submodules.refuse_unpushed(subject)
    try:
        await pushing.push(
            resources.repositories,
            subject.worktree,
            found.head,
            subject.attempt.branch,
            token=secret,
            force=force,
        )
    except AnyondError as error:
        raise withheld.pointed_out(subject, error) from None
