"""Pull requests of an attempt: creating them, and recording what becomes of them."""

from __future__ import annotations

from msgspec import Struct

from anyond.git.repo import branches, remotes
from anyond.git.repo.remotes import Remote
from anyond.github.answers import PullRequest
from anyond.github.site import RepositoryName
from anyond.model.addresses import Address
from anyond.model.http.bodies import NewPullRequest
from anyond.model.ids import new_id, now
from anyond.model.refusals.remotes import NotOnGitHub, Unexpected
from anyond.model.refusals.requests import Impossible, Invalid
from anyond.model.rows import PullRequestMerge, TaskStatus
from anyond.operations.branch import publish
from anyond.operations.branch.publish import Way
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.store.board import attempts, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import merges


class Checked(Struct, frozen=True):
    """The state of a pull request, and the tag of that state."""

    row: PullRequestMerge
    etag: str | None


async def create(
    resources: Resources, subject: Subject, body: NewPullRequest
) -> tuple[PullRequestMerge, bool]:
    """Push the branch and make a pull request of it; if it has an open one, that is the answer.

    However often this is asked, and wherever it was interrupted, there is one pull request.

    Returns:
        Its row, and whether it is new.

    Raises:
        Conflict: `no_remote`, `not_on_github`, `nothing_to_merge`, or as `publish.push`.
        Impossible: GitHub has no such target branch.
        AnyondError: GitHub or the push; see `GitHub` and `git.pushing`.
    """
    target = _target(resources, subject, body.target_branch)
    found = await publish.way(subject, target)
    base, head = await _on_github(resources, subject, found)
    branch = subject.attempt.branch
    if base == head and found.target == branch:
        raise Impossible("target_branch", "a branch cannot be merged into itself.")
    token = publish.token(resources)
    only = found.target if (body.target_branch or "").strip() else None
    # Asked first: what GitHub has to say about token and repository is said before anything moves.
    existing = await _open(resources, token, base, head, branch=branch, target=only)
    await publish.push(resources, subject, found)
    made = None
    if existing is None:
        made = await resources.github.create_pull_request(
            token,
            base,
            title=body.title.strip(),
            body=body.body or "",
            head=f"{head.owner}:{branch}",
            base=found.target,
            head_repo=head.name if head.owner == base.owner and head != base else None,
        )
    # Made by somebody else meanwhile, or by a request whose answer never arrived.
    there = (
        existing or made or await _open(resources, token, base, head, branch=branch, target=only)
    )
    if there is None:
        raise Unexpected("GitHub", "it has such a pull request already, but shows none")
    return await _keep(resources, subject, found.target, there), made is not None


async def attach(resources: Resources, subject: Subject) -> PullRequestMerge | None:
    """Find the pull request of the attempt's branch: an open one, else the newest.

    Raises:
        Conflict: `no_remote`, `not_on_github`, `token_missing`.
        AnyondError: see `GitHub`.
    """
    found = await publish.way(subject, _target(resources, subject, None))
    base, head = await _on_github(resources, subject, found)
    known = await resources.github.pull_requests_from(
        publish.token(resources), base, head.owner, subject.attempt.branch, "all"
    )
    if not known:
        return None
    chosen = next((one for one in known if one.state == "open"), known[0])
    return await _keep(resources, subject, found.target, chosen)


async def check(resources: Resources, row: PullRequestMerge, etag: str | None) -> Checked:
    """Ask GitHub how a pull request stands, and write down what is new.

    Args:
        etag: of the state that `row` is in; None if that is not known.

    Raises:
        Conflict: `not_on_github`, `token_missing`.
        NotFound: the attempt is gone.
        AnyondError: see `GitHub`.
    """
    place = resources.github.site.pull_request(row.pr_info.url)
    if place is None:
        raise _elsewhere(resources, row.pr_info.url)
    fresh = await resources.github.pull_request(publish.token(resources), *place, etag)
    if fresh is None:
        return Checked(row, etag)
    target = row.target_branch_name
    recorded = await resources.store.write(
        lambda tx: record(tx, row.task_attempt_id, target, fresh.pull_request, row.id)
    )
    return Checked(recorded, fresh.etag)


def record(
    tx: Tx, attempt_id: str, target: str, known: PullRequest, row_id: str | None = None
) -> PullRequestMerge:
    """Write down how a pull request stands. The task of a merged one is done.

    Args:
        target: the branch to merge into, if GitHub does not say.
        row_id: the row that is about it, whatever its address is by now.
    """
    moment = now()
    row, news = merges.keep_pull_request(
        tx,
        id=new_id(),
        attempt_id=attempt_id,
        target_branch_name=known.base.ref if known.base is not None else target,
        info=known.info,
        now=moment,
        row_id=row_id,
    )
    if news and row.pr_info.status == "merged":
        tasks.set_status(tx, attempts.place(tx, attempt_id).task_id, TaskStatus.DONE, moment)
    return row


async def _keep(
    resources: Resources, subject: Subject, target: str, known: PullRequest
) -> PullRequestMerge:
    return await resources.store.write(lambda tx: record(tx, subject.attempt.id, target, known))


async def _open(
    resources: Resources,
    token: str,
    base: RepositoryName,
    head: RepositoryName,
    *,
    branch: str,
    target: str | None,
) -> PullRequest | None:
    """The open pull request of the branch; with `target`, the one into that branch."""
    found = await resources.github.pull_requests_from(token, base, head.owner, branch, "open")
    for one in found:
        fits = target is None or one.base is None or one.base.ref == target
        if one.state == "open" and fits:
            return one
    return None


def _target(resources: Resources, subject: Subject, named: str | None) -> str:
    default = resources.config.config.github.default_pr_base
    names = (named, subject.attempt.target_branch, default, "main")
    target = next(name.strip() for name in names if name and name.strip())
    if not branches.valid_name(target):
        raise Invalid("target_branch", f"no branch can be called {target!r}.")
    return target


async def _on_github(
    resources: Resources, subject: Subject, found: Way
) -> tuple[RepositoryName, RepositoryName]:
    """The two repositories between which a pull request is made."""

    async def name(remote: Remote, *addresses: Address) -> RepositoryName:
        site = resources.github.site
        for address in addresses:
            real = await remotes.behind_alias(address, subject.repository)
            known = site.repository(address) or site.repository(real)
            if known is not None:
                return known
        raise _elsewhere(resources, f"the remote {remote.name}")

    # Fetched is what the work is to be merged into; what is pushed to may be somebody's fork of
    # it, also under the name of one remote.
    base = await name(found.base, found.base.address, found.base.push_address)
    return base, await name(found.head, found.head.push_address, found.head.address)


def _elsewhere(resources: Resources, what: str) -> NotOnGitHub:
    return NotOnGitHub(what, resources.github.site.web)
