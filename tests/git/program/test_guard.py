"""The daemon's git runs nothing that somebody has put into a worktree."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from anyond.git.commits.commit import commit_all
from anyond.git.diff import diff, status
from anyond.git.disk import locations
from anyond.git.files.file_listing import take
from anyond.git.merging.merge import merge
from anyond.git.program import guard
from anyond.git.program.command import GitFailed, git
from anyond.git.repo import inspection, libgit2, repository
from anyond.git.repo.repository import Repositories
from anyond.git.snapshots import snapshots
from anyond.git.submodules import submodule_commits, submodules
from anyond.git.worktree.repair import ensure
from anyond.model.ids import new_id
from anyond.model.refusals.git import Refused
from anyond.model.refusals.merging import MergeConflicts
from tests.support.checkout import Checkout


class Canary:
    """A program that leaves a mark when it is run, and passes on what it reads."""

    def __init__(self, directory: Path) -> None:
        self.mark = directory / "was-run"
        self.program = directory / "canary"
        self.program.write_text(f'#!/bin/sh\necho "$0 $*" >> {self.mark}\ncat\n')
        self.program.chmod(0o755)

    @property
    def ran(self) -> str:
        return self.mark.read_text() if self.mark.exists() else ""


@pytest.fixture
def canary(tmp_path: Path) -> Canary:
    directory = tmp_path / "canary"
    directory.mkdir()
    return Canary(directory)


@pytest.fixture
async def known(repo: Checkout, attempt: Checkout) -> Checkout:
    """The worktree of an attempt, as the daemon knows it."""
    shared = await repository.adopt(repo.path)
    assert shared is not None
    locations.remember(attempt.path, shared)
    return attempt


def _arm(repo: Checkout, canary: Canary) -> None:
    """Name the canary wherever a look at that repository would run it."""
    repo.git("config", "core.fsmonitor", f"{canary.program} fsmonitor")
    repo.git("config", "filter.evil.clean", f"{canary.program} clean")
    repo.git("config", "filter.evil.process", f"{canary.program} process")
    repo.git("config", "core.hooksPath", str(canary.program.parent))
    for hook in ("pre-commit", "post-checkout", "post-index-change", "reference-transaction"):
        shutil.copy2(canary.program, canary.program.parent / hook)
    info = repo.path / ".git" / "info"
    if info.is_dir():
        (info / "attributes").write_text("* filter=evil\n")


def _age(*files: Path) -> None:
    """Make git read them again: their times are not those that it knows."""
    for number, file in enumerate(files):
        os.utime(file, (1000 + number, 1000 + number))


async def _everything(repos: Repositories, repo: Path, worktree: Path) -> None:
    """What the daemon does by itself in a worktree."""
    await status.status(worktree)
    await diff.snapshot(worktree, await git_head(worktree))
    await take(worktree, ignored=True)
    await snapshots.take(repo, worktree, new_id(), "test")
    await submodules.nested_repositories(worktree, None)
    await commit_all(worktree, "all of it")


async def git_head(path: Path) -> str:
    return (await git("rev-parse", "HEAD", cwd=path)).text


def _nested(worktree: Checkout) -> Checkout:
    inner = worktree.path / "inner"
    inner.mkdir()
    nested = Checkout(inner)
    nested.git("init", "-q")
    nested.commit({"file.txt": "text\n"}, "inner")
    return nested


@pytest.mark.parametrize("form", ["untracked", "staged", "submodule"])
async def test_a_repository_inside_is_not_entered(
    repos: Repositories, repo: Checkout, known: Checkout, canary: Canary, form: str
) -> None:
    nested = _nested(known)
    if form != "untracked":
        known.git("add", "inner")
    if form == "submodule":
        (known.path / ".gitmodules").write_text(
            '[submodule "inner"]\n\tpath = inner\n\turl = ./inner\n\tignore = none\n'
        )
        known.git("add", ".gitmodules")
        known.git("commit", "-q", "-m", "with a submodule")
    _arm(nested, canary)
    _age(nested.path / "file.txt")

    await _everything(repos, repo.path, known.path)

    assert canary.ran == ""


async def test_a_submodule_that_moved_on_is_still_committed(
    repo: Checkout, known: Checkout, canary: Canary
) -> None:
    nested = _nested(known)
    known.git("add", "inner")
    known.git("commit", "-q", "-m", "inner")
    newer = nested.commit({"file.txt": "newer\n"}, "newer")
    _arm(nested, canary)

    assert await commit_all(known.path, "moved on") is not None

    assert known.git("rev-parse", "HEAD:inner").strip() == newer
    assert canary.ran == ""


@pytest.mark.parametrize("how", ["rewritten", "replaced", "link", "pipe", "removed", "record"])
async def test_where_dot_git_leads_does_not_matter(
    repos: Repositories, repo: Checkout, known: Checkout, canary: Canary, tmp_path: Path, how: str
) -> None:
    head = known.git("rev-parse", "HEAD").strip()
    other = Checkout(tmp_path / "other")
    other.path.mkdir()
    other.git("init", "-q")
    other.commit({"base.txt": "other\n"}, "other")
    _arm(other, canary)
    dot_git = known.path / ".git"
    dot_git.unlink()
    if how == "rewritten":
        dot_git.write_text(f"gitdir: {other.path / '.git'}\n")
    elif how == "replaced":
        shutil.copytree(other.path / ".git", dot_git)
    elif how == "link":
        dot_git.symlink_to(other.path / ".git")
    elif how == "pipe":
        os.mkfifo(dot_git)
    elif how == "record":
        record = repo.path / ".git" / "worktrees" / "attempt"
        evil = record.with_name("evil")
        shutil.copytree(record, evil)
        (evil / "commondir").write_text(str(other.path / ".git"))
        dot_git.write_text(f"gitdir: {evil}\n")
    _age(known.path / "base.txt")

    there = await git("rev-parse", "HEAD", "--git-common-dir", cwd=known.path)
    await git("status", cwd=known.path)
    merge_base = await libgit2.fork_point(known.path, ["refs/heads/main"], None)

    assert there.text.splitlines() == [head, str(repo.path / ".git")]
    assert merge_base == head
    assert canary.ran == ""


async def test_a_record_that_leads_elsewhere_is_mended(
    repos: Repositories, repo: Checkout, known: Checkout, canary: Canary, tmp_path: Path
) -> None:
    head = known.oid()
    other = Checkout(tmp_path / "other")
    other.path.mkdir()
    other.git("init", "-q", "-b", "work")
    other.commit({"base.txt": "other\n"}, "other")
    _arm(other, canary)
    (repo.path / ".git/worktrees/attempt/commondir").write_text(f"{other.path}/.git\n")

    refused = await git("rev-parse", "HEAD", cwd=known.path, check=False)
    await ensure(repos, repo.path, known.path, "work")

    assert refused.code == 128
    assert await git_head(known.path) == head
    assert canary.ran == ""


async def test_a_worktree_that_git_has_forgotten_is_no_part_of_what_lies_above(
    repo: Checkout, known: Checkout
) -> None:
    (known.path / ".git").unlink()
    shutil.rmtree(repo.path / ".git" / "worktrees")
    outer = Checkout(known.path.parent)
    outer.git("init", "-q")

    found = await git("rev-parse", "--show-toplevel", cwd=known.path, check=False)

    assert found.code == 128


async def test_core_worktree_moves_nothing(repo: Checkout, known: Checkout, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    repo.git("config", "core.worktree", str(elsewhere))

    top = await git("rev-parse", "--show-toplevel", cwd=repo.path)

    assert Path(top.text) == repo.path


async def test_a_known_checkout_has_its_hooks_and_filters(
    repo: Checkout, known: Checkout, canary: Canary
) -> None:
    _arm(repo, canary)
    (repo.path / ".gitattributes").write_text("*.txt filter=evil\n")
    _age(known.path / "base.txt")
    (known.path / "base.txt").write_text("changed\n")

    repo.git("config", "--unset", "filter.evil.process")
    await commit_all(known.path, "changed")

    assert "pre-commit" in canary.ran
    assert "fsmonitor" not in canary.ran


async def test_adding_a_repository_runs_nothing_of_it(repo: Checkout, canary: Canary) -> None:
    _arm(repo, canary)
    _age(repo.path / "base.txt")

    info = await inspection.inspect(repo.path)
    await repository.adopt(repo.path)

    assert info.root == repo.path
    assert canary.ran == ""


@pytest.mark.skipif(os.getuid() != 0, reason="needs a repository of somebody else")
async def test_a_repository_of_somebody_else_is_not_taken(repo: Checkout) -> None:
    for path in (repo.path, repo.path / ".git"):
        os.chown(path, 12345, 12345)

    with pytest.raises(Refused, match=r"dubious ownership.*safe\.directory"):
        await repository.adopt(repo.path)


async def test_completing_an_empty_repository_runs_nothing_of_it(
    tmp_path: Path, canary: Canary
) -> None:
    place = Checkout(tmp_path / "fresh")
    place.path.mkdir()
    place.git("init", "-q")
    _arm(place, canary)
    place.git("config", "commit.gpgSign", "true")
    place.git("config", "gpg.program", str(canary.program))
    for hook in ("prepare-commit-msg", "post-commit", "commit-msg"):
        shutil.copy2(canary.program, canary.program.parent / hook)

    with suppress(GitFailed):  # the person has no key to sign with
        await inspection.init(place.path)

    assert canary.ran == ""


async def test_what_an_agent_has_put_into_a_submodule_is_not_run(
    repos: Repositories, repo: Checkout, known: Checkout, canary: Canary, tmp_path: Path
) -> None:
    library = Checkout(tmp_path / "library")
    library.path.mkdir()
    library.git("init", "-q")
    library.commit({"lib.txt": "lib\n"}, "lib")
    known.git("submodule", "--quiet", "add", library.path, "lib")
    known.git("commit", "-qm", "with a submodule")
    inner = Checkout(known.path / "lib")
    oid = inner.commit({"lib.txt": "mine\n"}, "mine")
    inner.git("config", "filter.evil.clean", f"{canary.program} clean")
    inner.git("config", "filter.evil.smudge", f"{canary.program} smudge")
    inner.git("config", "core.hooksPath", str(canary.program.parent))
    shutil.copy2(canary.program, canary.program.parent / "reference-transaction")
    store = Path(inner.git("rev-parse", "--absolute-git-dir"))
    (store / "info").mkdir(exist_ok=True)
    (store / "info" / "attributes").write_text("* filter=evil\n")
    inner.write("lib.txt", "MINE\n")
    attempt_id = new_id()

    assert await submodules.unsaved(known.path) == ["lib"]
    (saved,) = await submodule_commits.keep(repo.path, known.path, attempt_id)
    await snapshots.take(repo.path, known.path, attempt_id, "test")

    assert saved.oid == oid
    assert canary.ran == ""


async def test_what_is_withheld_is_not_run_with_the_attributes_of_others_either(
    repos: Repositories, repo: Checkout, known: Checkout, canary: Canary
) -> None:
    repo.commit({".gitattributes": "base.txt merge=join\n"}, "rules")
    known.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    repo.git("switch", "-q", "-c", "elsewhere", "HEAD~2")
    repo.git("config", "merge.join.driver", f"{canary.program} %A %B")
    shared = repo.path / ".git"
    guard.install(shared, guard.Guard(repo.path, {}, withheld=True))
    try:
        with pytest.raises(MergeConflicts):
            await merge(repos, repo.path, "work", "main", message="Join")
    finally:
        guard.install(shared, guard.Guard(repo.path, {}))
    assert canary.ran == ""
