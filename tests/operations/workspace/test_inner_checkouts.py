"""What is in checkouts that an agent made inside of its worktree outlives the attempt."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.operations.resources import Resources
from anyond.operations.workspace import removal
from tests.support.operations.remarked_attempts import attempt, git


@pytest.mark.parametrize("how", ["detached", "on a branch", "deeper"])
async def test_work_in_a_checkout_inside_is_kept_when_the_attempt_is_deleted(
    resources: Resources, repository: Path, how: str
) -> None:
    subject = await attempt(resources, repository)
    place = subject.worktree / ("a/b" if how == "deeper" else "sub")
    git(
        subject.worktree,
        "worktree",
        "add",
        "-q",
        *(("-b", "mine") if how == "on a branch" else ("--detach",)),
        str(place),
    )
    (place / "own.txt").write_text("own\n")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "Own")
    oid = git(place, "rev-parse", "HEAD")
    (place / "new.txt").write_text("new\n")
    await removal.delete_task(resources, subject.task.id)
    await removal.clean_up(resources)
    assert not subject.worktree.exists()
    refs = git(repository, "for-each-ref", "--format=%(refname)", "--contains", oid).splitlines()
    assert f"refs/anyon/kept/{subject.attempt.id}/inside-{oid}" in refs
    snapshot = next(ref for ref in refs if "/snapshots/" in ref)
    assert git(repository, "show", f"{snapshot}:new.txt") == "new"
    name = place.relative_to(subject.worktree)
    assert git(repository, "log", "-1", "--format=%s", snapshot) == f"delete: {name}"
    assert git(repository, "worktree", "list", "--porcelain").count("worktree ") == 1
