from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyond.git.repo import branches
from anyond.git.repo.branches import branch_name, slug, valid_name
from anyond.model.refusals.requests import Impossible, Invalid, NotFound
from tests.support.checkout import Checkout

ID = "0123abcd-0000-4000-8000-000000000000"


async def test_the_current_branch_is_first_then_the_newest(repo: Checkout) -> None:
    for day, name in ((1, "old"), (3, "new"), (2, "middle")):
        repo.git("switch", "-q", "-c", name)
        date = f"2001-01-0{day}T00:00:00Z"
        repo.git("commit", "-q", "--allow-empty", "-m", name, GIT_COMMITTER_DATE=date)
        repo.git("switch", "-q", "main")
    repo.git("switch", "-q", "middle")
    found = await branches.list_branches(repo.path)
    assert [branch.name for branch in found] == ["middle", "main", "new", "old"]
    assert [branch.is_current for branch in found] == [True, False, False, False]
    assert found[0].last_commit_date == "2001-01-02T00:00:00.000Z"


async def test_a_repository_without_a_commit_is_told_apart_from_a_wrong_name(
    tmp_path: Path, repo: Checkout
) -> None:
    repo.git("init", "-q", "-b", "main", tmp_path / "new")
    with pytest.raises(Impossible, match=r"^base_branch: .*/new has no commit yet; make a first"):
        await branches.resolve(tmp_path / "new", "main")
    with pytest.raises(Impossible, match="there is no branch 'mian'"):
        await branches.resolve(repo.path, "mian")


async def test_remote_branches_are_listed_without_the_remotes_head(
    repo: Checkout, tmp_path: Path
) -> None:
    repo.git("branch", "develop")
    repo.git("clone", "-q", repo.path, tmp_path / "clone")
    found = await branches.list_branches(tmp_path / "clone")
    assert {(branch.name, branch.is_remote) for branch in found} == {
        ("main", False),
        ("origin/main", True),
        ("origin/develop", True),
    }


@pytest.mark.parametrize("name", ["ветка/ä", "a'b", 'a"b', "a;b", "$(x)", "{a}", "a&b"])
async def test_strange_names_are_listed_and_found_verbatim(repo: Checkout, name: str) -> None:
    assert valid_name(name)
    repo.git("branch", name)
    assert name in [branch.name for branch in await branches.list_branches(repo.path)]
    assert (await branches.resolve(repo.path, name)).oid == repo.oid()


@pytest.mark.parametrize(
    "name",
    ["", "-x", "--upload-pack=touch x", "a..b", "a b", "a~1", "a^", "a:b", "*", "a?", "[a]", "@",
     "a@{1}", "HEAD", "a.lock", "a.lock/b", ".a", "a/.b", "a//b", "/a", "a/", "a.", "a\\b", "a\nb",
     "a\0b", "a\x7f", "x" * 300],
)  # fmt: skip
async def test_impossible_names_are_no_branches(repo: Checkout, name: str) -> None:
    assert not valid_name(name)
    assert not await branches.exists(repo.path, name)
    with pytest.raises(Impossible) as caught:
        await branches.resolve(repo.path, name)
    assert caught.value.field == "base_branch"


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12))
def test_what_is_valid_for_us_is_valid_for_git(name: str) -> None:
    command = ["git", "check-ref-format", "--branch", name]
    checked = subprocess.run(command, capture_output=True, check=False)
    assert not valid_name(name) or checked.returncode == 0


async def test_a_directory_of_branches_is_no_branch(repo: Checkout) -> None:
    repo.git("branch", "a/b")
    assert not await branches.exists(repo.path, "a")


async def test_a_local_branch_named_like_a_remote_one_wins(repo: Checkout, tmp_path: Path) -> None:
    repo.git("clone", "-q", repo.path, tmp_path / "clone")
    clone = Checkout(tmp_path / "clone")
    assert (await branches.resolve(clone.path, "origin/main")).is_remote
    clone.git("branch", "origin/main")
    assert not (await branches.resolve(clone.path, "origin/main")).is_remote


async def test_ahead_and_behind_count_the_commits_of_each_side(
    repo: Checkout, attempt: Checkout
) -> None:
    repo.commit({"m.txt": "m\n"})
    attempt.commit({"a.txt": "a\n"})
    assert await branches.ahead_behind(repo.path, "refs/heads/work", "refs/heads/main") == (1, 1)
    attempt.commit({"b.txt": "b\n"})
    assert await branches.ahead_behind(repo.path, "refs/heads/work", "refs/heads/main") == (2, 1)


async def test_the_merge_base_is_where_they_went_apart(repo: Checkout, attempt: Checkout) -> None:
    base = repo.oid()
    repo.commit({"m.txt": "m\n"})
    attempt.commit({"a.txt": "a\n"})
    assert await branches.merge_base(attempt.path, "HEAD", "refs/heads/main") == base


async def test_where_pygit2_refuses_git_itself_answers(repo: Checkout, attempt: Checkout) -> None:
    attempt.commit({"a.txt": "a\n"})
    repo.git("config", "core.repositoryformatversion", "1")
    repo.git("config", "extensions.partialClone", "origin")
    assert await branches.ahead_behind(repo.path, "refs/heads/work", "refs/heads/main") == (1, 0)
    assert await branches.merge_base(repo.path, "refs/heads/work", "HEAD") == repo.oid()


@pytest.mark.parametrize("refused", [False, True])
async def test_the_fork_point_is_where_a_checkout_left_its_target(
    repo: Checkout, attempt: Checkout, refused: bool
) -> None:
    base = repo.oid()
    repo.commit({"m.txt": "m\n"})
    head = attempt.commit({"a.txt": "a\n"})
    if refused:
        repo.git("config", "core.repositoryformatversion", "1")
        repo.git("config", "extensions.partialClone", "origin")
    assert await branches.fork_point(attempt.path, "main") == base
    assert await branches.fork_point(attempt.path, "gone") == head
    assert await branches.fork_point(attempt.path, "-no..name") == head
    assert await branches.fork_point(attempt.path, "main", head) == base
    assert await branches.fork_point(attempt.path, "gone", base) == base
    for not_in_it in (repo.oid(), "1" * 40):
        assert await branches.fork_point(attempt.path, "gone", not_in_it) == head
    attempt.git("switch", "-q", "--orphan", "empty")
    assert await branches.fork_point(attempt.path, "main") is None


async def test_a_commit_is_found_by_any_of_its_names(repo: Checkout) -> None:
    oid = repo.commit({"a": "a"}, "Subject\n\nbody")
    repo.git("tag", "-a", "-m", "t", "v1")
    for name in (oid, oid[:8], "v1", "HEAD", "main"):
        assert await branches.commit(repo.path, name) == oid
    assert await branches.subject(repo.path, oid) == "Subject"


@pytest.mark.parametrize("name", ["", "nope", "--git-dir", "HEAD..HEAD~1", "HEAD:base.txt", "a\0"])
async def test_what_is_no_commit_is_not_found(repo: Checkout, name: str) -> None:
    repo.commit({"a": "a"})
    with pytest.raises(NotFound):
        await branches.commit(repo.path, name)


def test_titles_in_any_script_become_slugs() -> None:
    assert slug("Fix the Login, please!") == "fix-the-login-please"
    assert slug("Исправить вход") == "ispravit-vkhod"
    assert slug("登录") == "deng-lu"
    assert slug("???") == "task"
    assert slug("") == "task"


def test_a_long_slug_is_cut_at_a_word() -> None:
    title = "Make the very first paragraph of the page a little longer"
    assert slug(title) == "make-the-very-first-paragraph-of-the"
    assert slug("x" * 60) == "x" * 40


@given(st.text(), st.sampled_from(["anyon", "", "a/b"]))
def test_every_title_makes_a_valid_branch(title: str, prefix: str) -> None:
    name = branch_name(prefix, title, ID)
    assert valid_name(name)
    assert name.endswith("-0123abcd")
    assert name.startswith(f"{prefix}/" if prefix else slug(title))


def test_an_impossible_prefix_is_refused() -> None:
    with pytest.raises(Invalid):
        branch_name("a b", "title", ID)
