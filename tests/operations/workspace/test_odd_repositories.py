"""Repositories of rare kinds: what works in them, and what is refused by name."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from anyond.git.commits import deletion
from anyond.git.commits.commit import commit_all
from anyond.git.diff import diff, status
from anyond.git.program.command import version
from anyond.git.repo import branches
from anyond.git.snapshots import snapshots
from anyond.model.errors import AnyondError
from anyond.model.http.bodies import MergeStrategy, NewProject, Rebasing
from anyond.model.refusals.git import GitConfigBroken
from anyond.model.refusals.requests import Invalid
from anyond.model.rows import Project
from anyond.operations import projects as project_operations
from anyond.operations.branch import branch_naming, merging, rebasing
from anyond.operations.resources import Resources
from anyond.operations.workspace import removal
from tests.support.git.programs import another

_REFTABLE = (2, 45)
_LATIN = os.fsdecode("d\xe9/n\xf6n.txt".encode("latin-1"))


def git(*words: str | Path, cwd: Path) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@x", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", *who, *words], cwd=cwd, check=True, capture_output=True)
    return os.fsdecode(done.stdout).strip()


def commit(repository: Path, name: str, data: bytes) -> None:
    (repository / name).parent.mkdir(exist_ok=True)
    (repository / name).write_bytes(data)
    git("add", "-A", cwd=repository)
    git("commit", "-q", "-m", "change", cwd=repository)


def made(path: Path, *options: str) -> Path:
    git("init", "-q", "-b", "main", *options, path, cwd=path.parent)
    commit(path, "file.txt", b"one\n")
    return path


async def added(resources: Resources, repository: Path) -> Project:
    new = NewProject(name="P", git_repo_path=str(repository), use_existing_repo=True)
    return await project_operations.create(resources, new)


@pytest.mark.parametrize("extension", ["refStorage = reftable", "nobodyKnows = this"])
async def test_an_extension_that_git_does_not_know_is_named_when_a_project_is_added(
    resources: Resources, tmp_path: Path, extension: str
) -> None:
    if "reftable" in extension and await version() >= _REFTABLE:
        pytest.skip("this git knows it")
    repository = made(tmp_path / "repo")
    git("config", "core.repositoryFormatVersion", "1", cwd=repository)
    with (repository / ".git" / "config").open("a") as file:
        file.write(f"[extensions]\n\t{extension}\n")
    with pytest.raises(GitConfigBroken, match="newer git") as refusal:
        await added(resources, repository)
    assert extension.split(" ", maxsplit=1)[0].lower() in str(refusal.value)


@pytest.mark.parametrize("where", ["the checkout", "the repository", "a directory in it"])
async def test_a_place_that_is_not_utf8_is_refused_by_name(
    resources: Resources, tmp_path: Path, where: str
) -> None:
    odd = tmp_path / os.fsdecode("r\xe9po".encode("latin-1"))
    path = tmp_path / "link"
    if where == "the checkout":
        path.symlink_to(made(odd))
    elif where == "the repository":
        path = made(tmp_path / "repo", f"--separate-git-dir={odd}")
    else:
        (made(tmp_path / "repo") / odd.name).mkdir()
        path.symlink_to(tmp_path / "repo" / odd.name)
    with pytest.raises(Invalid, match="not UTF-8") as refusal:
        await added(resources, path)
    str(refusal.value).encode()
    assert "r\N{REPLACEMENT CHARACTER}po" in str(refusal.value)


async def test_a_partial_clone_without_its_remote_shows_what_it_has(
    resources: Resources, tmp_path: Path
) -> None:
    up = made(tmp_path / "up")
    git("config", "uploadpack.allowFilter", "true", cwd=up)
    git("branch", "other", cwd=up)
    commit(up, "old.txt", b"old\n" * 100)
    git("checkout", "-q", "other", cwd=up)
    commit(up, "old.txt", b"other\n" * 100)
    git("checkout", "-q", "main", cwd=up)
    repository = tmp_path / "repo"
    git("clone", "-q", "--filter=blob:none", f"file://{up}", repository, cwd=tmp_path)
    git("branch", "other", "origin/other", cwd=repository)
    away = up.rename(tmp_path / "away")
    project = await added(resources, repository)
    subject = await another(resources, project.id, "anyon/x")
    (subject.worktree / "new.txt").write_text("new\n")
    await commit_all(subject.worktree, "work")
    other = await branches.find(repository, "other")
    assert other is not None
    entries = await diff.snapshot(subject.worktree, other.oid)
    rows = {row.new_path: row for row in await diff.contents(subject.worktree, entries)}
    assert rows["new.txt"].new_content == "new\n"
    assert (rows["old.txt"].change, rows["old.txt"].content_omitted) == ("modified", True)
    await branch_naming.change_target(resources, subject, "other")
    with pytest.raises(AnyondError) as refusal:
        await rebasing.rebase_attempt(resources, subject, Rebasing(new_base_branch="other"))
    assert refusal.value.type == "objects_missing"
    away.rename(up)
    found = await diff.contents(subject.worktree, await diff.snapshot(subject.worktree, other.oid))
    assert {row.new_path: row.old_content for row in found}["old.txt"] == "other\n" * 100


async def test_a_file_whose_content_is_replaced_is_no_change(
    resources: Resources, tmp_path: Path
) -> None:
    repository = made(tmp_path / "repo")
    (tmp_path / "other").write_text("other\n")
    instead = git("hash-object", "-w", tmp_path / "other", cwd=repository)
    git("replace", git("rev-parse", "HEAD:file.txt", cwd=repository), instead, cwd=repository)
    for packed in (False, True):
        if packed:
            git("pack-refs", "--all", cwd=repository)
        project = await added(resources, repository)
        subject = await another(resources, project.id, f"anyon/{packed}")
        assert (subject.worktree / "file.txt").read_text() == "other\n"
        os.utime(subject.worktree / "file.txt", (1000, 1000))
        assert (await status.status(subject.worktree)).clean
        head = git("rev-parse", "HEAD", cwd=subject.worktree)
        assert await diff.snapshot(subject.worktree, head) == []
        assert await commit_all(subject.worktree, "nothing") is None
        (subject.worktree / "file.txt").write_text("edited\n")
        assert (await status.status(subject.worktree)).changed == ["file.txt"]
        await removal.delete_project(resources, project.id)


def sha256(path: Path) -> None:
    made(path, "--object-format=sha256")


def latin_names(path: Path) -> None:
    commit(made(path), _LATIN, b"one\n")
    subprocess.run([b"git", b"branch", b"br\xe9"], cwd=path, check=True)


def utf16(path: Path) -> None:
    commit(
        made(path), ".gitattributes", b"*.u text working-tree-encoding=UTF-16\n* export-ignore\n"
    )
    commit(path, "a.u", "grün\n".encode("utf-16"))


def names_in_both_cases(path: Path) -> None:
    made(path)
    for name in ("Main", "MAIN", "anyon/X"):
        git("branch", name, cwd=path)


def grafted(path: Path) -> None:
    commit(made(path), "file.txt", b"two\n")
    git("replace", "--graft", "HEAD", cwd=path)


def dead_submodule(path: Path) -> None:
    library = made(path.parent / "library")
    git("submodule", "--quiet", "add", library, "lib", cwd=made(path))
    git("commit", "-q", "-m", "submodule", cwd=path)
    for place in (library, path / "lib", path / ".git" / "modules"):
        shutil.rmtree(place)
    (path / "lib").mkdir()


@pytest.mark.parametrize(
    "kind",
    [sha256, latin_names, utf16, names_in_both_cases, grafted, dead_submodule],
    ids=lambda kind: kind.__name__,
)
async def test_work_goes_its_way(
    resources: Resources, tmp_path: Path, kind: Callable[[Path], None]
) -> None:
    repository = tmp_path / "repo"
    kind(repository)
    project = await added(resources, repository)
    assert "main" in [b.name for b in await project_operations.list_branches(resources, project.id)]
    subject = await another(resources, project.id, "anyon/x")
    work = subject.worktree
    for name in ("new.txt", os.fsdecode("k\xe9.txt".encode("latin-1"))):
        (work / name).write_bytes(b"new\n")
    for name, more in ((_LATIN, b"two\n"), ("a.u", "zwei\n".encode("utf-16-le"))):
        if (work / name).exists():
            with (work / name).open("ab") as file:
                file.write(more)
    await snapshots.take(repository, work, subject.attempt.id, "test")
    assert await commit_all(work, "work")
    main = await branches.find(repository, "main")
    assert main is not None
    rows = await diff.contents(work, await diff.snapshot(work, main.oid))
    assert {row.change for row in rows} <= {"added", "modified"}
    assert all(row.new_content and "\0" not in row.new_content for row in rows)
    odd = os.fsdecode("k\xe9.txt".encode("latin-1"))
    assert await deletion.delete_file(work, odd, message="gone")
    await merging.merge_attempt(resources, subject, MergeStrategy.MERGE)
    assert (repository / "new.txt").read_bytes() == b"new\n"
    assert not (repository / odd).exists()
    commit(repository, "theirs.txt", b"theirs\n")
    await rebasing.rebase_attempt(resources, subject, Rebasing())
    assert (await status.status(work)).clean
    await branch_naming.rename_branch(resources, subject, "other-name")
    await removal.delete_project(resources, project.id)
    await removal.clean_up(resources)
    assert not work.exists()
    git("fsck", "--no-dangling", cwd=repository)
