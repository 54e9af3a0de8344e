"""Renaming an attempt's branch, and changing its target."""

from __future__ import annotations

from anyond.git.repo import branches
from anyond.git.worktree import renaming
from anyond.model.errors import AnyondError
from anyond.model.http.answers import TargetChanged
from anyond.model.ids import now
from anyond.model.refusals.merging import PullRequestOpen
from anyond.model.refusals.requests import Impossible, Invalid, NotFound
from anyond.model.refusals.worktrees import NameTaken
from anyond.model.rows import PullRequestMerge
from anyond.operations.branch import intent_outcomes
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.store.board import attempts
from anyond.store.engine.transaction import Tx
from anyond.store.runs import intents, merges
from anyond.store.runs.intents import Intent


async def rename_branch(resources: Resources, subject: Subject, name: str) -> str:
    """Rename the branch of an attempt; attempts that are to be merged into it follow.

    Returns:
        The name that it has now.

    Raises:
        Invalid: no branch can be called so.
        Conflict: `name_taken`, `rebase_in_progress`, `pull_request_open`; nothing has changed.
    """
    attempt, name = subject.attempt, name.strip()
    if name == attempt.branch:
        return name
    if not branches.valid_new_name(name):
        raise Invalid("new_branch_name", f"no branch can be called {name!r}.")
    tip = ""
    if await branches.exists(subject.repository, attempt.branch):
        tip = await renaming.check(subject.repository, attempt.branch, name)
    elif attempt.container_ref is not None:
        raise NotFound("branch", attempt.branch)

    def begin(tx: Tx) -> Intent:
        for merge in merges.of_attempt(tx, attempt.id):
            if isinstance(merge, PullRequestMerge) and merge.pr_info.status == "open":
                raise PullRequestOpen(merge.pr_info.url)
        if attempts.by_branch(tx, subject.project.id, name) is not None:
            raise NameTaken.by_attempt(name)
        intent = Intent(attempt_id=attempt.id, kind="rename", name=name, tip=tip, created_at=now())
        if tip:
            intents.put(tx, intent)
        else:
            # The branch was never made; there is nothing to wait for.
            intent_outcomes.complete(tx, subject, intent)
        return intent

    intent = await resources.store.write(begin)
    if tip:
        try:
            await renaming.rename(resources.repositories, subject.repository, attempt.branch, name)
        except AnyondError:
            # It may have been cut short in the middle, by its deadline for instance.
            if not await intent_outcomes.done_after_all(resources, attempt.id):
                raise
            return name
        await resources.store.write(lambda tx: intent_outcomes.complete(tx, subject, intent))
    return name


async def change_target(resources: Resources, subject: Subject, name: str) -> TargetChanged:
    """Choose another branch for an attempt to be merged into; nothing happens in git.

    Raises:
        Impossible: there is no such branch, or it is the attempt's own.
    """
    attempt = subject.attempt
    if name == attempt.branch:
        raise Impossible("new_target_branch", "an attempt cannot be merged into itself.")
    target = await branches.resolve(subject.repository, name, "new_target_branch")
    mine = await branches.find(subject.repository, attempt.branch)
    ahead, behind, related = 0, 0, True
    if mine is not None:
        related = await branches.merge_base(subject.repository, mine.oid, target.oid) is not None
        ahead, behind = await branches.ahead_behind(subject.repository, mine.oid, target.oid)

    def work(tx: Tx) -> None:
        if attempts.get(tx, attempt.id).target_branch != name:
            attempts.set_target(tx, attempt.id, name, now())
            if related:
                # Else where the attempt began stays all that its changes can be compared with.
                attempts.set_base_commit(tx, attempt.id, None)
        under_way = intents.get(tx, attempt.id)
        if under_way is not None and under_way.kind == "rebase":
            # The later word counts: when that rebase is finished, the target stays this one.
            intents.delete(tx, attempt.id)

    await resources.store.write(work)
    return TargetChanged(new_target_branch=name, status=(ahead, behind))
