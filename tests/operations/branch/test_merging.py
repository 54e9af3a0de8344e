"""Merging an attempt: one act for the person, its record, and nothing after a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from anyond.git.merging import merge
from anyond.git.merging.merge_record import MergeRecord
from anyond.model.http.bodies import MergeStrategy
from anyond.model.refusals.merging import MergeConflicts, NothingToMerge
from anyond.model.rows import TaskStatus
from anyond.operations import subject
from anyond.operations.branch.merging import merge_attempt
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.store.engine.transaction import Tx
from anyond.store.runs import intents, merges
from tests.support.git.deadly_git import outcome
from tests.support.git.repository import commit, run, status
from tests.support.operations.attempts import attempt


async def state(resources: Resources, attempt_subject: Subject) -> tuple[TaskStatus, int, bool]:
    """The status of the task, how many merges are recorded, and whether one is under way."""
    id = attempt_subject.attempt.id
    records = await resources.store.read(lambda r: merges.of_attempt(r, id))
    intent = await resources.store.read(lambda r: intents.get(r, id))
    return (await subject.read(resources, id)).task.status, len(records), intent is not None


@pytest.mark.parametrize("description", [None, "  Not too hot.\n"])
async def test_a_merge_takes_what_is_not_committed_yet_and_the_task_is_done(
    resources: Resources, repository: Path, description: str | None
) -> None:
    attempt_subject = await attempt(resources, repository)
    if description is not None:
        attempt_subject = replace(
            attempt_subject, task=replace(attempt_subject.task, description=description)
        )
    before = run(repository, "rev-parse", "main")
    commit(attempt_subject.worktree, {"a.txt": "a\n"})
    (attempt_subject.worktree / "b.txt").write_text("b\n")
    oid = await merge_attempt(resources, attempt_subject, MergeStrategy.SQUASH)
    assert run(repository, "rev-parse", "main") == oid
    assert run(repository, "log", "--format=%H", f"{oid}~1") == before
    assert [(repository / name).read_text() for name in ("a.txt", "b.txt")] == ["a\n", "b\n"]
    assert status(repository) == []
    title = f"T (anyon {attempt_subject.attempt.id[:8]})"
    message = f"{title}\n\nNot too hot." if description else title
    assert run(repository, "log", "-1", "--format=%B") == message
    assert await state(resources, attempt_subject) == (TaskStatus.DONE, 1, False)
    found = await resources.store.read(lambda r: merges.latest_merge(r, attempt_subject.attempt.id))
    assert found is not None
    assert (found.commit, found.target_before) == (oid, before)
    # The state before is kept, uncommitted changes included.
    snapshots = run(repository, "for-each-ref", "--format=%(refname)", "refs/anyon/snapshots")
    [saved] = [ref for ref in snapshots.split() if attempt_subject.attempt.id in ref]
    assert run(repository, "show", f"{saved}:b.txt") == "b"


async def test_what_conflicts_is_refused_and_only_the_attempts_own_work_is_committed(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    (attempt_subject.worktree / "a.txt").write_text("mine\n")
    there = commit(repository, {"a.txt": "theirs\n"})
    with pytest.raises(MergeConflicts) as refused:
        await merge_attempt(resources, attempt_subject, MergeStrategy.MERGE)
    assert "a.txt" in str(refused.value.data)
    assert run(repository, "rev-parse", "main") == there
    assert status(attempt_subject.worktree) == []
    assert run(attempt_subject.worktree, "log", "-1", "--format=%s") == "T"
    assert await state(resources, attempt_subject) == (TaskStatus.TODO, 0, False)


async def test_what_adds_nothing_is_refused(resources: Resources, repository: Path) -> None:
    attempt_subject = await attempt(resources, repository)
    with pytest.raises(NothingToMerge):
        await merge_attempt(resources, attempt_subject, MergeStrategy.MERGE)
    assert await state(resources, attempt_subject) == (TaskStatus.TODO, 0, False)


async def test_a_merge_that_was_written_down_and_failed_leaves_no_intent(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    commit(attempt_subject.worktree, {"a.txt": "a\n"})
    hook = repository / ".git" / "hooks" / "reference-transaction"
    hook.write_text('#!/bin/sh\ncase "$(cat)" in *refs/heads/main*) exit 1;; esac\n')
    hook.chmod(0o755)
    before = run(repository, "rev-parse", "main")
    assert not await outcome(merge_attempt(resources, attempt_subject, MergeStrategy.MERGE))
    assert run(repository, "rev-parse", "main") == before
    assert status(repository) == []
    assert await state(resources, attempt_subject) == (TaskStatus.TODO, 0, False)


async def test_an_intent_that_another_has_written_meanwhile_is_not_taken_for_ours(
    resources: Resources, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt_subject = await attempt(resources, repository)
    commit(attempt_subject.worktree, {"a.txt": "a\n"})
    really = merge.merge

    async def meanwhile(*arguments: object, **named: object) -> MergeRecord:
        record = await really(*arguments, **named)  # type: ignore[arg-type]

        def other(tx: Tx) -> None:
            found = intents.get(tx, attempt_subject.attempt.id)
            assert found is not None
            assert (found.kind, found.name) == ("merge", "main")
            assert (found.tip, found.onto) == (record.before, record.after)
            intents.put(tx, replace(found, onto=record.before))

        await resources.store.write(other)
        return record

    monkeypatch.setattr(merge, "merge", meanwhile)
    oid = await merge_attempt(resources, attempt_subject, MergeStrategy.MERGE)
    assert run(repository, "rev-parse", "main") == oid
    assert await state(resources, attempt_subject) == (TaskStatus.TODO, 0, True)
