from __future__ import annotations

from pathlib import Path

import pytest
import trio
import trio.testing

from anyond.git.repo import inspection, repository
from anyond.git.repo.repository import Repositories
from anyond.git.worktree.worktrees import head
from anyond.model.refusals.requests import Invalid, NotFound
from tests.support.checkout import Checkout, until


async def test_a_plain_directory_is_no_repository(tmp_path: Path) -> None:
    assert not (await inspection.inspect(tmp_path)).is_repo
    assert not (await inspection.inspect(tmp_path / "nowhere")).is_repo


async def test_a_repository_says_what_it_is(repo: Checkout) -> None:
    info = await inspection.inspect(repo.path)
    assert info.is_repo
    assert not info.bare
    assert info.default_branch == "main"
    assert info.root == repo.path
    assert info.pygit2_writes


async def test_a_worktree_belongs_to_the_repository(repo: Checkout, attempt: Checkout) -> None:
    info = await inspection.inspect(attempt.path)
    assert info.common_dir == repo.path / ".git"
    assert info.default_branch == "main"


async def test_a_bare_repository_is_recognised(tmp_path: Path, repo: Checkout) -> None:
    repo.git("clone", "-q", "--bare", repo.path, tmp_path / "bare")
    info = await inspection.inspect(tmp_path / "bare")
    assert info.bare
    assert info.default_branch == "main"


async def test_features_that_pygit2_ignores_are_seen(repo: Checkout) -> None:
    repo.git("config", "commit.gpgsign", "yes")
    repo.git("config", "filter.shout.clean", "tr a-z A-Z")
    assert not (await inspection.inspect(repo.path)).filters
    repo.write("sub/.gitattributes", "*.txt filter=shout\n")
    repo.git("add", "-A")
    repo.hook("pre-commit", "true")
    repo.git("sparse-checkout", "set", "sub")
    info = await inspection.inspect(repo.path)
    assert (info.gpgsign, info.filters, info.hooks, info.sparse) == (True, True, True, True)
    assert info.pygit2_reads
    assert not info.pygit2_writes


async def test_init_makes_a_first_commit_on_main(tmp_path: Path) -> None:
    info = await inspection.init(tmp_path / "deep" / "new")
    assert info.default_branch == "main"
    assert not info.unborn
    assert await head(tmp_path / "deep" / "new")


async def test_init_refuses_a_directory_with_something_else(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years\n")
    with pytest.raises(Invalid) as caught:
        await inspection.init(tmp_path / "full")
    assert caught.value.field == "git_repo_path"
    assert not (tmp_path / "full" / ".git").exists()


async def test_init_leaves_a_repository_alone(repo: Checkout) -> None:
    before = repo.oid()
    assert (await inspection.init(repo.path)).is_repo
    assert repo.oid() == before


@pytest.mark.parametrize("cut", ["in init", "before HEAD", "before the commit", "in the commit"])
async def test_a_repository_that_a_crash_left_without_a_commit_is_completed(
    tmp_path: Path, repo: Checkout, cut: str
) -> None:
    # Inside of another repository, which git takes it for where it is none yet.
    made = Checkout(repo.path / "new")
    made.path.mkdir()
    made.git("init", "-q", "--initial-branch=main")
    if cut == "in init":
        (made.path / ".git" / "objects" / "info").rmdir()
        (made.path / ".git" / "objects" / "pack").rmdir()
        (made.path / ".git" / "objects").rmdir()
    elif cut == "before HEAD":
        (made.path / ".git" / "HEAD").unlink()
    elif cut == "in the commit":
        tree = made.git("write-tree")
        made.git("commit-tree", "-m", "nobody's", tree)
        made.git("read-tree", "--empty")
    info = await inspection.init(made.path)
    assert (info.root, info.default_branch, info.unborn) == (made.path, "main", False)
    assert made.git("log", "--format=%s", "main") == inspection.FIRST_COMMIT
    assert repo.git("log", "--format=%s") == "base"


@pytest.mark.parametrize("held", ["a file", "a staged file", "a tag", "a remote branch"])
async def test_a_repository_without_a_commit_that_holds_something_is_left_alone(
    tmp_path: Path, repo: Checkout, held: str
) -> None:
    made = Checkout(tmp_path / "new")
    made.path.mkdir()
    made.git("init", "-q", "--initial-branch=main")
    if held in ("a file", "a staged file"):
        made.write("thesis.txt")
    if held == "a staged file":
        made.git("add", "-A")
        (made.path / "thesis.txt").unlink()
    if held == "a tag":
        made.git("tag", "numbers", made.git("write-tree"))
    if held == "a remote branch":
        made.git("fetch", "-q", repo.path, "main:refs/remotes/origin/main")
    before = made.git("for-each-ref"), made.git("ls-files")
    assert (await inspection.init(made.path)).unborn
    assert (made.git("for-each-ref"), made.git("ls-files")) == before


async def test_without_an_identity_commits_are_anyons_and_the_config_stays(
    tmp_path: Path, home: Path
) -> None:
    (home / ".gitconfig").write_text("")
    await inspection.init(tmp_path / "new")
    made = Checkout(tmp_path / "new")
    assert made.git("log", "-1", "--format=%an <%ae> %cn") == "Anyon <anyon@localhost> Anyon"
    assert made.git("config", "--get", "user.name", code=1) == ""


async def test_half_an_identity_is_completed_not_replaced(repo: Checkout, home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\nname = Grace\n[committer]\nemail = bot@x\n")
    who = await repository.identity(repo.path)
    assert who["GIT_AUTHOR_NAME"] == who["GIT_COMMITTER_NAME"] == "Grace"
    assert who["GIT_AUTHOR_EMAIL"] == repository.EMAIL
    assert who["GIT_COMMITTER_EMAIL"] == "bot@x"


async def test_all_worktrees_of_a_repository_share_one_lock(
    repo: Checkout, attempt: Checkout
) -> None:
    repos = Repositories()
    order: list[str] = []

    async def second() -> None:
        async with repos.lock(attempt.path):
            order.append("second")

    async with trio.open_nursery() as nursery, repos.lock(repo.path):
        nursery.start_soon(second)
        key = await repository.common_dir(repo.path)
        await until(lambda: repos._locks[key].statistics().tasks_waiting)
        order.append("first")
    assert order == ["first", "second"]
    assert not repos._locks


async def test_there_is_no_lock_without_a_repository(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        async with Repositories().lock(tmp_path):
            pass
