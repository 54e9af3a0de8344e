"""What becomes of the submodules of an attempt when its work is merged, pushed, or deleted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from anyond.model.errors import Conflict
from anyond.model.http.bodies import MergeStrategy
from anyond.operations import remarks
from anyond.operations.branch.merging import merge_attempt
from anyond.operations.branch.publish import push_attempt
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import removal, worktree
from tests.support.checkout import Checkout
from tests.support.operations.attempts import attempt


@pytest.fixture
def project(home: Path, tmp_path: Path) -> Checkout:
    """A clone whose submodule `lib` is checked out as `git clone --recurse-submodules` does."""
    (home / ".gitconfig").write_text(
        "[user]\nname = Ada\nemail = ada@localhost\n[init]\ndefaultBranch = main\n"
        '[protocol "file"]\nallow = always\n'
    )
    for name in ("lib", "origin"):
        (tmp_path / name).mkdir()
        made = Checkout(tmp_path / name)
        made.git("init", "-q", "--template=")
        made.commit({f"{name}.txt": "one\n"})
    origin = Checkout(tmp_path / "origin")
    origin.git("submodule", "--quiet", "add", tmp_path / "lib", "lib")
    origin.commit({})
    bare = tmp_path / "origin.git"
    origin.git("clone", "-q", "--bare", origin.path, bare)
    origin.git("clone", "-q", "--recurse-submodules", bare, tmp_path / "project")
    return Checkout(tmp_path / "project")


def work_inside(subject: Subject) -> str:
    return Checkout(subject.worktree / "lib").commit({"new.txt": "new\n"}, "in the submodule")


async def output(resources: Resources, subject: Subject) -> str:
    return "\n".join(r.text for r in await remarks.read_waiting(resources, subject.attempt.id))


async def test_a_merge_brings_commits_of_submodules_along(
    resources: Resources, project: Checkout
) -> None:
    subject = await attempt(resources, project.path)
    oid = work_inside(subject)
    await merge_attempt(resources, subject, MergeStrategy.MERGE)
    assert project.git("ls-tree", "main", "lib").split()[2] == oid
    inner = Checkout(project.path / "lib")
    assert inner.oid() == oid
    assert inner.read("new.txt") == "new\n"
    assert project.status() == []
    await removal.delete_task(resources, subject.task.id)
    await removal.clean_up(resources)
    assert not subject.worktree.exists()
    inner.git("gc", "-q", "--prune=now")
    inner.git("checkout", "-q", "HEAD~1")
    project.git("submodule", "--quiet", "update")
    assert inner.oid() == oid


async def test_a_submodule_in_which_a_person_works_is_left_alone_and_told_of(
    resources: Resources, project: Checkout
) -> None:
    inner = Checkout(project.path / "lib")
    inner.git("switch", "-q", "-c", "mine")
    before = inner.oid()
    subject = await attempt(resources, project.path)
    oid = work_inside(subject)
    await merge_attempt(resources, subject, MergeStrategy.SQUASH)
    assert (inner.oid(), inner.git("branch", "--show-current")) == (before, "mine")
    assert "lib" in await output(resources, subject)
    assert "git submodule update" in await output(resources, subject)
    project.git("submodule", "--quiet", "update")
    assert inner.oid() == oid


async def test_a_merge_that_would_leave_a_commit_behind_is_refused_by_name(
    resources: Resources, project: Checkout
) -> None:
    project.git("submodule", "--quiet", "deinit", "--all", "--force")
    shutil.rmtree(project.path / ".git/modules")
    subject = await attempt(resources, project.path)
    assert "lib" in await output(resources, subject)
    Checkout(subject.worktree).git("submodule", "--quiet", "update", "--init")
    oid = work_inside(subject)
    before = project.oid()
    with pytest.raises(Conflict) as refusal:
        await merge_attempt(resources, subject, MergeStrategy.MERGE)
    assert refusal.value.type == "submodule_not_pushed"
    assert oid[:12] in str(refusal.value)
    assert project.oid() == before
    Checkout(subject.worktree / "lib").git("push", "-q", "origin", "HEAD:refs/heads/side")
    await merge_attempt(resources, subject, MergeStrategy.MERGE)
    assert project.git("ls-tree", "main", "lib").split()[2] == oid


async def test_a_push_of_what_nobody_could_get_is_refused_by_name(
    resources: Resources, project: Checkout, tmp_path: Path
) -> None:
    subject = await attempt(resources, project.path)
    oid = work_inside(subject)
    with pytest.raises(Conflict) as refusal:
        await push_attempt(resources, subject, force=False)
    assert refusal.value.type == "submodule_not_pushed"
    assert oid[:12] in str(refusal.value)
    bare = Checkout(tmp_path / "origin.git")
    assert subject.attempt.branch not in bare.git("branch")
    Checkout(subject.worktree / "lib").git("push", "-q", "origin", "HEAD:refs/heads/side")
    await push_attempt(resources, subject, force=False)
    assert bare.git("ls-tree", subject.attempt.branch, "lib").split()[2] == oid


async def test_a_push_goes_with_its_submodules_where_git_is_told_so(
    resources: Resources, project: Checkout, tmp_path: Path
) -> None:
    subject = await attempt(resources, project.path)
    inner = Checkout(subject.worktree / "lib")
    # So does git: the branch must have the same name there.
    inner.git("switch", "-q", "-c", subject.attempt.branch)
    oid = work_inside(subject)
    project.git("config", "push.recurseSubmodules", "on-demand")
    await push_attempt(resources, subject, force=False)
    assert Checkout(tmp_path / "lib").oid(subject.attempt.branch) == oid


async def test_other_work_is_merged_although_a_submodule_cannot_be_had(
    resources: Resources, project: Checkout, tmp_path: Path
) -> None:
    project.git("submodule", "--quiet", "deinit", "--all", "--force")
    shutil.rmtree(project.path / ".git/modules")
    shutil.rmtree(tmp_path / "lib")
    subject = await attempt(resources, project.path)
    Checkout(subject.worktree).write("a.txt", "a\n")
    await merge_attempt(resources, subject, MergeStrategy.MERGE)
    assert project.read("a.txt") == "a\n"
    await removal.delete_task(resources, subject.task.id)
    await removal.clean_up(resources)
    assert not os.path.lexists(subject.worktree)


async def test_edits_that_a_submodule_has_not_committed_refuse_a_merge_and_a_push(
    resources: Resources, project: Checkout
) -> None:
    subject = await attempt(resources, project.path)
    (subject.worktree / "mine.txt").write_text("mine\n")
    (subject.worktree / "lib" / "built.o").write_text("what a build leaves behind\n")
    edited = subject.worktree / "lib" / "lib.txt"
    edited.write_text("edited\n")
    before = project.oid()
    with pytest.raises(Conflict) as refusal:
        await merge_attempt(resources, subject, MergeStrategy.MERGE)
    assert refusal.value.type == "submodule_dirty"
    assert "lib" in str(refusal.value)
    assert project.oid() == before
    with pytest.raises(Conflict) as refusal:
        await push_attempt(resources, subject, force=False)
    assert refusal.value.type == "submodule_dirty"
    edited.write_text("one\n")
    await merge_attempt(resources, subject, MergeStrategy.MERGE)
    assert project.read("mine.txt") == "mine\n"


async def test_a_worktree_that_was_emptied_gets_its_submodules_back(
    resources: Resources, project: Checkout
) -> None:
    subject = await attempt(resources, project.path)
    oid = work_inside(subject)
    for file in subject.worktree.iterdir():
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    await worktree.prepare(resources, subject)
    inner = Checkout(subject.worktree / "lib")
    assert inner.read("new.txt") == "new\n"
    assert inner.oid() == oid
    assert Checkout(subject.worktree).status() == [" M lib"]
