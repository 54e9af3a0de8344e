"""The submodules of an attempt when its work goes somewhere."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from anyond.git.merging.merge_record import MergeRecord
from anyond.git.program.text import as_utf8
from anyond.git.repo import branches
from anyond.git.repo.remotes import setting
from anyond.git.submodules import submodule_commits
from anyond.git.submodules.submodule_commits import Change
from anyond.git.submodules.submodules import unsaved
from anyond.logs.notes import Remark
from anyond.model.errors import AnyondError
from anyond.model.refusals.merging import SubmoduleDirty, SubmoduleNotPushed
from anyond.operations import remarks
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject

log = structlog.get_logger()


async def refuse_unsaved(subject: Subject) -> None:
    """Refuse to publish without the edits in a submodule that nobody has committed there.

    New files may be what a build leaves behind: those are told of when a run ends.

    Raises:
        Conflict: `submodule_dirty` (with `submodules`).
    """
    found = [as_utf8(path) for path in await unsaved(subject.worktree, untracked=False)]
    if found:
        raise SubmoduleDirty(found)


async def hand_over_commits(subject: Subject) -> None:
    """Bring the commits of submodules that a merge would name to the project's checkout.

    Raises:
        Conflict: `submodule_not_pushed` (with `submodules`): some can be had nowhere after it.
        GitFailed: they could not be brought.
    """
    found = await _changes(subject)
    missed = await submodule_commits.hand_over(subject.repository, subject.attempt.id, found)
    if missed:
        raise _refusal(
            missed,
            "they are on none of its remotes, and it is not checked out in the project's checkout. "
            "Push them from the attempt, or check the submodule out there",
        )


async def refuse_unpushed(subject: Subject) -> None:
    """Whoever gets the branch must be able to get the commits of submodules that it names.

    Not if git is configured to push these along.

    Raises:
        Conflict: `submodule_not_pushed` (with `submodules`).
    """
    if await setting(subject.repository, "push.recurseSubmodules") in {"on-demand", "only"}:
        return
    found = [c for c in await _changes(subject) if not await submodule_commits.is_pushed(c)]
    if found:
        raise _refusal(found, "they are on none of its remotes. Push them first, from the attempt")


async def follow_merge(resources: Resources, subject: Subject, merge_record: MergeRecord) -> None:
    """Check out what a merge has named, where nobody works; the log says where somebody does."""
    try:
        found = await submodule_commits.changes(
            subject.worktree, merge_record.before, merge_record.after
        )
        target = subject.attempt.target_branch
        behind = await submodule_commits.follow(subject.repository, target, found)
    except AnyondError as error:
        # The merge has happened, and is what was asked for.
        log.warning("submodules_behind", attempt=subject.attempt.id, why=str(error))
        return
    texts = [
        f"The submodule {as_utf8(path)} of the checkout of {as_utf8(target)} was left as it is, "
        "because a branch is checked out in it, or it has changes. To bring it along: "
        "git submodule update"
        for path in dict.fromkeys(behind)
    ]
    await remarks.leave(resources, subject.attempt.id, texts, is_error=False)


async def uncommitted(subject: Subject) -> list[Remark]:
    """Return remarks on changes that are in no commit of a submodule."""
    return [
        Remark(
            text=f"The submodule {as_utf8(path)} has changes that are committed nowhere, so they "
            "will not be merged. If they should be, commit them in the submodule.",
            error=True,
        )
        for path in (await unsaved(subject.worktree))[:10]
    ]


async def _changes(subject: Subject) -> list[Change]:
    tips = await branches.find_all(
        subject.repository, subject.attempt.branch, subject.attempt.target_branch
    )
    mine, target = tips.get(subject.attempt.branch), tips.get(subject.attempt.target_branch)
    if mine is None or target is None:
        return []
    base = await branches.merge_base(subject.repository, target.oid, mine.oid)
    return await submodule_commits.changes(subject.worktree, base or target.oid, mine.oid)


def _refusal(missed: Sequence[Change], why: str) -> SubmoduleNotPushed:
    return SubmoduleNotPushed([(as_utf8(change.path), change.oid) for change in missed], why)
