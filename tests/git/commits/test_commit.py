from __future__ import annotations

from pathlib import Path

import pytest
import trio

from anyond.git.commits.commit import commit_all
from anyond.git.commits.oversize import LIMIT_BYTES, oversized
from anyond.git.commits.unstorable import unstorable
from anyond.git.program.command import GitFailed
from anyond.git.repo.repository import Repositories
from anyond.git.worktree.worktrees import exclude
from anyond.model.errors import Conflict
from anyond.model.refusals.requests import Invalid, NotFound
from tests.support.checkout import Checkout, run_unprivileged, until

SIGNER = """\
#!/bin/sh
cat > /dev/null
echo signature
echo '[GNUPG:] SIG_CREATED ' >&2
"""


async def test_everything_becomes_one_commit(attempt: Checkout) -> None:
    attempt.write("new/[strange] name.txt", "n\n")
    attempt.write("base.txt", "edited\n")
    (attempt.path / "other.txt").unlink()
    oid = await commit_all(attempt.path, "# Subject\n\nbody\n\n")
    assert oid == attempt.oid("refs/heads/work")
    assert attempt.status() == []
    listed = attempt.git("show", "--no-renames", "--name-status", "--format=%an%n%B", "HEAD")
    assert listed.split("\n") == [
        "Ada",
        "# Subject",
        "",
        "body",
        "",
        "",
        "M\tbase.txt",
        "A\tnew/[strange] name.txt",
        "D\tother.txt",
    ]


async def test_nothing_to_commit_is_no_commit(attempt: Checkout) -> None:
    before = attempt.oid()
    assert await commit_all(attempt.path, "message") is None
    assert attempt.oid() == before


@pytest.mark.parametrize("message", ["", " \n", "a\0b"])
async def test_a_commit_needs_a_message(attempt: Checkout, message: str) -> None:
    attempt.write("new.txt")
    with pytest.raises(Invalid):
        await commit_all(attempt.path, message)


async def test_ignored_and_excluded_files_are_not_committed(
    attempt: Checkout, repos: Repositories
) -> None:
    await exclude(repos, attempt.path, ["/secret.env"])
    attempt.write(".gitignore", "*.log\n")
    attempt.write("a.log")
    attempt.write("secret.env")
    await commit_all(attempt.path, "message")
    assert attempt.git("ls-files").split("\n") == [".gitignore", "base.txt", "other.txt"]


def sparse(tree: Checkout, name: str, size: int) -> None:
    """A file that is large, and takes no place."""
    with tree.write(name, "").open("r+b") as file:
        file.truncate(size)


async def test_a_new_file_that_is_very_large_stays_uncommitted(attempt: Checkout) -> None:
    sparse(attempt, "dir/[core].1", LIMIT_BYTES + 1)
    attempt.write("dir/new.txt")
    assert await commit_all(attempt.path, "message")
    assert attempt.git("ls-files", "dir") == "dir/new.txt"
    assert attempt.status() == ["?? dir/[core].1"]
    assert await oversized(attempt.path) == [("dir/[core].1", LIMIT_BYTES + 1)]
    assert await commit_all(attempt.path, "message") is None


async def test_a_file_that_git_cannot_store_holds_up_no_other_and_is_known(
    attempt: Checkout,
) -> None:
    # Git takes no name that means `.git` on some system.
    attempt.write("git~1")
    attempt.write("dir/.git ")
    attempt.write("new.md")
    assert [file.path for file in await unstorable(attempt.path, [])] == ["dir/.git ", "git~1"]
    assert await commit_all(attempt.path, "message")
    assert attempt.git("diff", "--name-only", "HEAD~1", "HEAD") == "new.md"
    assert await commit_all(attempt.path, "message") is None
    attempt.write("lasting.md")
    assert [file.path for file in await unstorable(attempt.path, ["git~1"])] == ["dir/.git "]
    assert attempt.status() == ["?? dir/", "?? git~1", "?? lasting.md"]


SHOW_UNSTORABLE = """
import sys, trio
from pathlib import Path
from anyond.git.commits.unstorable import unstorable
for path, why in trio.run(unstorable, Path(sys.argv[1]), []):
    print(path, why)
"""


def test_what_may_not_be_read_is_known(attempt: Checkout) -> None:
    attempt.write("new.txt")
    shut = attempt.write("it's/file").parent
    attempt.write("base.txt", "mine\n").chmod(0)
    shut.chmod(0)
    assert run_unprivileged(SHOW_UNSTORABLE, str(attempt.path)) == [
        "base.txt may not be read",
        "it's is a directory that may not be opened",
    ]
    shut.chmod(0o755)


async def test_a_large_file_whose_content_git_does_not_keep_is_committed(
    attempt: Checkout,
) -> None:
    attempt.git("config", "filter.pointer.clean", "wc -c")
    attempt.commit({".gitattributes": "*.data filter=pointer\n"})
    sparse(attempt, "set.data", LIMIT_BYTES + 1)
    assert await commit_all(attempt.path, "message")
    assert attempt.git("show", "HEAD:set.data").strip() == str(LIMIT_BYTES + 1)


async def test_a_large_file_that_was_moved_is_committed_where_it_is_now(attempt: Checkout) -> None:
    attempt.write("large.bin", b"l" * 5000)
    attempt.write("other.bin", b"o" * 5000)
    attempt.commit({"gone.txt": "gone\n"})
    (attempt.path / "gone.txt").unlink()
    (attempt.path / "large.bin").rename(attempt.path / "moved.bin")
    attempt.write("new.bin", b"n" * 5000)
    assert await oversized(attempt.path, limit=4000) == [("new.bin", 5000)]


async def test_without_an_identity_the_commit_is_anyons(attempt: Checkout, home: Path) -> None:
    (home / ".gitconfig").write_text("")
    attempt.write("new.txt")
    await commit_all(attempt.path, "message")
    assert attempt.git("log", "-1", "--format=%an <%ae>") == "Anyon <anyon@localhost>"


async def test_a_refusing_hook_leaves_head_index_and_files_as_they_were(attempt: Checkout) -> None:
    attempt.hook("pre-commit", "echo not like this >&2; exit 1")
    attempt.write("staged.txt")
    attempt.git("add", "staged.txt")
    attempt.write("base.txt", "edited\n")
    before = attempt.oid(), attempt.status()
    with pytest.raises(GitFailed, match="not like this"):
        await commit_all(attempt.path, "message")
    assert (attempt.oid(), attempt.status()) == before
    assert before[1] == [" M base.txt", "A  staged.txt"]
    assert not attempt.index().with_name("index.lock").exists()


async def test_a_cancelled_commit_leaves_the_index_as_it_was(
    attempt: Checkout, tmp_path: Path
) -> None:
    attempt.hook("pre-commit", f"touch '{tmp_path}/started'; exec sleep 1000")
    attempt.write("base.txt", "edited\n")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(commit_all, attempt.path, "message")
        await until((tmp_path / "started").exists)
        nursery.cancel_scope.cancel()
    assert attempt.status() == [" M base.txt"]


async def test_what_a_hook_adds_is_in_the_commit(attempt: Checkout) -> None:
    attempt.hook("pre-commit", "echo formatted > base.txt; git add base.txt")
    attempt.write("base.txt", "ugly\n")
    await commit_all(attempt.path, "message")
    assert attempt.git("show", "HEAD:base.txt") == "formatted"
    assert attempt.status() == []


async def test_files_in_conflict_are_not_taken_for_resolved(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    attempt.git("rebase", "main", code=1)
    with pytest.raises(Conflict) as caught:
        await commit_all(attempt.path, "message")
    assert caught.value.type == "rebase_in_progress"
    assert attempt.status() == ["UU base.txt"]


@pytest.mark.parametrize("how", ["squash", "stash"])
async def test_nor_are_those_of_which_git_keeps_no_record(
    repo: Checkout, attempt: Checkout, how: str
) -> None:
    repo.commit({"base.txt": "theirs\n"})
    if how == "stash":
        attempt.write("base.txt", "before\n")
        attempt.git("stash", "-q")
    attempt.commit({"base.txt": "mine\n"})
    attempt.git(*(("merge", "--squash", "main") if how == "squash" else ("stash", "pop")), code=1)
    attempt.write("new.txt")
    text = attempt.read("base.txt")
    with pytest.raises(Conflict) as caught:
        await commit_all(attempt.path, "message")
    assert caught.value.type == "dirty"
    assert (caught.value.data or {})["files"] == ["base.txt"]
    assert sorted(attempt.status()) == ["?? new.txt", "UU base.txt"]
    assert attempt.read("base.txt") == text
    attempt.write("base.txt", "both\n")
    attempt.git("add", "base.txt")
    assert await commit_all(attempt.path, "message") == attempt.oid()


async def test_a_detached_head_and_an_unborn_one_can_be_committed_to(
    attempt: Checkout, tmp_path: Path
) -> None:
    attempt.git("switch", "-q", "--detach")
    attempt.write("new.txt")
    assert await commit_all(attempt.path, "message") == attempt.oid()
    (tmp_path / "new").mkdir()
    fresh = Checkout(tmp_path / "new")
    fresh.git("init", "-q")
    assert await commit_all(fresh.path, "message") is None
    fresh.write("a.txt")
    assert await commit_all(fresh.path, "message") == fresh.oid("main")


async def test_filters_of_the_repository_apply(attempt: Checkout) -> None:
    attempt.git("config", "filter.shout.clean", "tr a-z A-Z")
    attempt.git("config", "filter.shout.smudge", "tr A-Z a-z")
    attempt.write(".gitattributes", "*.txt filter=shout\n")
    attempt.write("new.txt", "quiet\n")
    await commit_all(attempt.path, "message")
    assert attempt.git("show", "HEAD:new.txt") == "QUIET"
    assert attempt.read("new.txt") == "quiet\n"
    assert attempt.status() == []


async def test_signing_is_asked_for_where_it_is_configured(
    attempt: Checkout, tmp_path: Path
) -> None:
    signer = tmp_path / "signer"
    signer.write_text(SIGNER)
    signer.chmod(0o755)
    attempt.git("config", "commit.gpgsign", "true")
    attempt.git("config", "gpg.program", str(signer))
    attempt.write("new.txt")
    await commit_all(attempt.path, "message")
    assert "gpgsig signature" in attempt.git("cat-file", "commit", "HEAD")


async def test_a_sparse_checkout_commits_what_is_there_and_deletes_nothing(
    repo: Checkout, tmp_path: Path
) -> None:
    repo.commit({"in/a.txt": "a\n", "out/b.txt": "b\n"})
    repo.git("sparse-checkout", "set", "in")
    tree = repo.worktree("w", "x")
    tree.write("in/a.txt", "changed\n")
    tree.write("out/new.txt", "new\n")
    await commit_all(tree.path, "message")
    changed = tree.git("show", "--name-status", "--format=", "HEAD").split("\n")
    assert changed == ["M\tin/a.txt", "A\tout/new.txt"]


async def test_an_inner_repository_without_commits_does_not_hold_up_the_rest(
    attempt: Checkout,
) -> None:
    attempt.write("inner/x")
    Checkout(attempt.path / "inner").git("init", "-q")
    attempt.write("new.txt")
    assert await commit_all(attempt.path, "message")
    assert attempt.status() == ["?? inner/"]


async def test_where_there_is_no_checkout_there_is_no_commit(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await commit_all(tmp_path, "message")


async def test_a_refusal_for_line_ends_holds_up_no_work(attempt: Checkout) -> None:
    attempt.git("config", "core.autocrlf", "true")
    attempt.git("config", "core.safecrlf", "true")
    attempt.write("new.txt", "one\ntwo\n")
    assert await commit_all(attempt.path, "message")
    assert attempt.git("cat-file", "-s", "HEAD:new.txt") == "8"
