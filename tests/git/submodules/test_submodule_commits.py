"""Submodules of attempts: they come up without network, and none of their commits is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

from anyond.git.diff.status import branch_status
from anyond.git.repo.repository import Repositories
from anyond.git.snapshots.snapshots import take
from anyond.git.submodules import submodule_commits
from anyond.git.submodules.submodule_checkouts import bring
from anyond.git.submodules.submodules import unsaved
from anyond.git.worktree import worktrees
from anyond.model.configuration.settings import Submodules
from tests.support.checkout import Checkout
from tests.support.git.submodule_project import ID, begun, made, project, unplug

__all__ = ["project"]

REFS = f"refs/anyon/submodules/{ID}"


async def test_submodules_come_up_without_network(project: Checkout) -> None:
    unplug(project)
    attempt = begun(project)
    assert await bring(project.path, attempt.path, Submodules.AS_CHECKOUT) == []
    assert attempt.read("vendor/lib/lib.txt") == "lib\n"
    assert attempt.read("vendor/lib/deep/leaf/leaf.txt") == "leaf\n"
    assert attempt.status() == []
    lines = attempt.git("submodule", "status", "--recursive").splitlines()
    assert [line[0] for line in lines] == [" ", " "]
    inner, theirs = Checkout(attempt.path / "vendor/lib"), Checkout(project.path / "vendor/lib")
    assert inner.git("remote", "get-url", "origin") == theirs.git("remote", "get-url", "origin")
    assert inner.oid("origin/main") == theirs.oid("origin/main")
    assert (
        await submodule_commits.only_here(Path(inner.git("rev-parse", "--absolute-git-dir"))) == []
    )
    inner.git("switch", "-q", "-c", "new")
    inner.commit({"new.txt": "new\n"})
    assert theirs.status() == []
    assert "new" not in theirs.git("branch")


async def test_what_the_project_has_not_checked_out_is_told(project: Checkout) -> None:
    project.git("submodule", "--quiet", "deinit", "--all", "--force")
    attempt = begun(project)
    (reported,) = await bring(project.path, attempt.path, Submodules.AS_CHECKOUT)
    assert "vendor/lib" in reported
    assert await bring(project.path, attempt.path, Submodules.NONE) == []
    assert await bring(project.path, attempt.path, Submodules.ALL) == []
    assert attempt.read("vendor/lib/deep/leaf/leaf.txt") == "leaf\n"


async def test_all_are_fetched_or_named_if_they_cannot_be_had(tmp_path: Path) -> None:
    lib, repo = made(tmp_path / "lib", lib_txt="lib\n"), made(tmp_path / "origin", a_txt="a\n")
    repo.git("submodule", "--quiet", "add", lib.path, "lib")
    repo.commit({}, "lib")
    repo.git("clone", "-q", repo.path, tmp_path / "project")
    project = Checkout(tmp_path / "project")
    attempt = begun(project)
    assert await bring(project.path, attempt.path, Submodules.ALL) == []
    assert attempt.read("lib/lib.txt") == "lib\n"
    other = project.worktree("other", "other")
    shutil.rmtree(lib.path)
    (reported,) = await bring(project.path, other.path, Submodules.ALL)
    assert reported.startswith("The submodule lib is missing: ")


async def test_a_commit_that_the_project_has_not_either_is_fetched_or_named(
    project: Checkout, tmp_path: Path
) -> None:
    lib = Checkout(tmp_path / "lib")
    newer = lib.commit({"lib.txt": "newer\n"})
    theirs = Checkout(tmp_path / "origin/vendor/lib")
    theirs.git("pull", "-q", "origin", "main")
    Checkout(tmp_path / "origin").commit({}, "newer lib")
    project.git("pull", "-q", "--no-recurse-submodules")
    attempt = begun(project)
    assert await bring(project.path, attempt.path, Submodules.AS_CHECKOUT) == []
    assert Checkout(attempt.path / "vendor/lib").oid() == newer
    other = project.worktree("other", "other")
    unplug(project)
    (reported,) = await bring(project.path, other.path, Submodules.AS_CHECKOUT)
    assert newer[:12] in reported


async def test_commits_of_submodules_outlive_the_worktree(
    project: Checkout, repos: Repositories
) -> None:
    attempt = begun(project)
    await bring(project.path, attempt.path, Submodules.AS_CHECKOUT)
    inner = Checkout(attempt.path / "vendor/lib")
    leaf = Checkout(attempt.path / "vendor/lib/deep/leaf")
    on_branch = [inner.commit({"y.txt": "y\n"})]
    inner.git("checkout", "-q", "-b", "side")
    on_branch.append(inner.commit({"z.txt": "z\n"}))
    inner.git("checkout", "-q", "--detach", "origin/main")
    adrift = inner.commit({"adrift.txt": "a\n"})
    inner.git("checkout", "-q", "--detach", "origin/main")
    deep = leaf.commit({"deep.txt": "d\n"})
    await take(project.path, attempt.path, ID, "delete")
    await worktrees.remove(repos, project.path, attempt.path)
    theirs = Checkout(project.path / "vendor/lib")
    for oid in (*on_branch, adrift):
        theirs.git("cat-file", "-e", oid)
    Checkout(theirs.path / "deep/leaf").git("cat-file", "-e", deep)
    for place in (theirs, Checkout(theirs.path / "deep/leaf")):
        place.git("gc", "-q", "--prune=now")
        assert place.git("for-each-ref", REFS) != ""
        assert place.git("fsck", "--connectivity-only") == ""
    await submodule_commits.forget(project.path, ID)
    assert theirs.git("for-each-ref", REFS) == ""


async def test_without_a_submodule_of_its_own_the_project_keeps_its_commits(
    project: Checkout, repos: Repositories
) -> None:
    project.git("submodule", "--quiet", "deinit", "--all", "--force")
    shutil.rmtree(project.path / ".git/modules")
    attempt = begun(project)
    attempt.git("submodule", "--quiet", "update", "--init", "vendor/lib")
    oid = Checkout(attempt.path / "vendor/lib").commit({"y.txt": "y\n"})
    # Also if it is not checked out any more.
    attempt.git("submodule", "--quiet", "deinit", "--force", "vendor/lib")
    await take(project.path, attempt.path, ID, "delete")
    await worktrees.remove(repos, project.path, attempt.path)
    assert project.git("for-each-ref", "--format=%(objectname)", REFS) == oid
    await submodule_commits.forget(project.path, ID)
    assert project.git("for-each-ref", REFS) == ""


async def test_what_a_remote_has_is_not_kept_twice(project: Checkout) -> None:
    attempt = begun(project)
    await bring(project.path, attempt.path, Submodules.AS_CHECKOUT)
    inner = Checkout(attempt.path / "vendor/lib")
    inner.commit({"y.txt": "y\n"})
    inner.git("push", "-q", "origin", "HEAD:refs/heads/side")
    assert await submodule_commits.keep(project.path, attempt.path, ID) == []


async def test_a_name_that_leads_elsewhere_is_refused(project: Checkout) -> None:
    attempt = begun(project)
    rules = attempt.read(".gitmodules").replace('"vendor/lib"', '"../../../../evil"')
    attempt.write(".gitmodules", rules)
    (reported,) = await bring(project.path, attempt.path, Submodules.AS_CHECKOUT)
    assert "no name of a submodule" in reported
    assert not (project.path.parent / "evil").exists()


async def test_changes_that_no_submodule_has_committed_are_found(project: Checkout) -> None:
    attempt = begun(project)
    await bring(project.path, attempt.path, Submodules.AS_CHECKOUT)
    assert await unsaved(attempt.path) == []
    attempt.write("vendor/lib/deep/leaf/leaf.txt", "edited\n")
    assert await unsaved(attempt.path) == ["vendor/lib/deep/leaf"]
    attempt.write("vendor/lib/new.txt")
    assert await unsaved(attempt.path) == ["vendor/lib", "vendor/lib/deep/leaf"]
    assert await unsaved(attempt.path, untracked=False) == ["vendor/lib/deep/leaf"]


async def test_changes_inside_of_submodules_count_as_uncommitted(project: Checkout) -> None:
    attempt = begun(project)
    await bring(project.path, attempt.path, Submodules.AS_CHECKOUT)

    async def counted() -> tuple[bool, int]:
        row = await branch_status(project.path, attempt.path, "work", "main")
        return row.has_uncommitted_changes, row.uncommitted_count

    assert await counted() == (False, 0)
    attempt.write("vendor/lib/deep/leaf/leaf.txt", "edited\n")
    assert await counted() == (True, 1)
    attempt.write("vendor/lib/new.txt")
    assert await counted() == (True, 2)
    Checkout(attempt.path / "vendor/lib").commit({}, "new")
    assert await counted() == (True, 2)


async def test_files_of_submodules_that_are_nowhere_else_are_in_a_snapshot(
    project: Checkout, repos: Repositories
) -> None:
    attempt = begun(project)
    await bring(project.path, attempt.path, Submodules.AS_CHECKOUT)
    attempt.write("vendor/lib/deep/leaf/leaf.txt", "edited\n")
    attempt.write("vendor/lib/deep/leaf/new.txt", "new\n")
    ref = await take(project.path, attempt.path, ID, "delete")
    await worktrees.remove(repos, project.path, attempt.path)
    names = project.git("ls-tree", "-r", "--name-only", ref).splitlines()
    assert "vendor/lib/lib.txt" in names
    assert project.git("show", f"{ref}:vendor/lib/deep/leaf/leaf.txt") == "edited"
    assert project.git("show", f"{ref}:vendor/lib/deep/leaf/new.txt") == "new"
