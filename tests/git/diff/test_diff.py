from __future__ import annotations

import os
from pathlib import Path

import pytest

from anyond.git.diff import diff
from anyond.git.files.blobs import FILE_LIMIT
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Diff
from tests.support.checkout import Checkout, run_unprivileged
from tests.support.git.started import started_gits


async def rows(tree: Checkout, base: str | None = "main", **more: int) -> dict[str, Diff]:
    oid = tree.git("merge-base", "HEAD", base) if base else None
    made = await diff.contents(tree.path, await diff.snapshot(tree.path, oid), **more)
    return {row.new_path or row.old_path or "": row for row in made}


async def test_committed_staged_edited_deleted_and_untracked_changes_all_count(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"committed.txt": "c\n"})
    attempt.write("staged.txt", "s\n")
    attempt.git("add", "staged.txt")
    attempt.write("base.txt", "base\nmore\n")
    (attempt.path / "other.txt").unlink()
    attempt.write("deep/untracked.txt", "1\n2\nno newline")
    repo.commit({"later.txt": "not mine\n"})
    found = await rows(attempt)
    assert {path: row.change for path, row in found.items()} == {
        "base.txt": "modified",
        "committed.txt": "added",
        "deep/untracked.txt": "added",
        "other.txt": "deleted",
        "staged.txt": "added",
    }
    assert list(found) == sorted(found)
    assert found["base.txt"] == Diff(
        change="modified",
        old_path="base.txt",
        new_path="base.txt",
        old_content="base\n",
        new_content="base\nmore\n",
        additions=1,
        deletions=0,
    )
    assert found["other.txt"].new_path is None
    assert found["other.txt"].old_content == "other\n"
    assert found["other.txt"].deletions == 1
    assert found["deep/untracked.txt"].old_path is None
    assert found["deep/untracked.txt"].additions == 3


async def test_ignored_files_do_not_count(attempt: Checkout) -> None:
    attempt.commit({".gitignore": "*.log\nbuild/\n"})
    attempt.write("a.log")
    attempt.write("build/x")
    assert list(await rows(attempt)) == [".gitignore"]


async def test_the_users_index_is_not_touched(attempt: Checkout) -> None:
    (attempt.path / "other.txt").rename(attempt.path / "moved.txt")
    before = attempt.index_bytes()
    await rows(attempt)
    assert attempt.index_bytes() == before


@pytest.mark.parametrize("known", [True, False])
async def test_a_moved_file_is_a_rename_whether_git_was_told_or_not(
    attempt: Checkout, known: bool
) -> None:
    attempt.commit({"a.txt": "".join(f"{n}\n" for n in range(20))})
    attempt.git("branch", "-f", "start")
    (attempt.path / "a.txt").rename(attempt.path / "b.txt")
    attempt.write("b.txt", attempt.read("b.txt") + "more\n")
    if known:
        attempt.git("add", "-A")
    (row,) = (await rows(attempt, "start")).values()
    assert (row.change, row.old_path, row.new_path) == ("renamed", "a.txt", "b.txt")
    assert (row.additions, row.deletions) == (1, 0)
    assert row.old_content is not None
    assert row.new_content == row.old_content + "more\n"


async def test_a_new_mode_alone_is_a_permission_change(attempt: Checkout) -> None:
    (attempt.path / "base.txt").chmod(0o755)
    (row,) = (await rows(attempt)).values()
    assert row.change == "permissionChange"
    assert row.old_content == row.new_content == "base\n"
    assert (row.additions, row.deletions) == (0, 0)


async def test_a_file_that_is_only_touched_does_not_differ(attempt: Checkout) -> None:
    os.utime(attempt.path / "base.txt", (1, 1))
    assert await rows(attempt) == {}


@pytest.mark.parametrize("tracked", [True, False])
async def test_binary_files_have_no_lines_and_no_content(attempt: Checkout, tracked: bool) -> None:
    attempt.write("image", b"\x89PNG\0\n\n\n")
    if tracked:
        attempt.git("add", "image")
    (row,) = (await rows(attempt)).values()
    assert (row.additions, row.deletions, row.content_omitted) == (0, 0, True)
    assert row.new_content is None


@pytest.mark.parametrize("tracked", [True, False])
async def test_large_files_have_numbers_but_no_content(attempt: Checkout, tracked: bool) -> None:
    attempt.write("large", b"line\n" * (FILE_LIMIT // 5 + 1))
    attempt.write("fits", b"x" * FILE_LIMIT)
    if tracked:
        attempt.git("add", "-A")
    found = await rows(attempt)
    assert found["large"].content_omitted
    assert found["large"].new_content is None
    assert found["large"].additions == FILE_LIMIT // 5 + 1
    assert not found["fits"].content_omitted


async def test_everything_after_the_budget_has_numbers_but_no_content(attempt: Checkout) -> None:
    for name in "abcd":
        attempt.write(name, "x" * 9 + "\n")
    found = await rows(attempt, budget=25)
    assert [row.content_omitted for row in found.values()] == [False, False, True, True]
    assert [row.additions for row in found.values()] == [1, 1, 1, 1]


async def test_without_contents_there_are_only_numbers(attempt: Checkout) -> None:
    attempt.write("base.txt", "b\nc\n")
    (entry,) = await diff.snapshot(attempt.path, attempt.oid())
    row = entry.without_contents()
    assert (row.additions, row.deletions, row.content_omitted) == (2, 1, True)
    assert row.old_content is row.new_content is None


STRANGE = ["tab\there", 'quo"te', "new\nline", "[br]*?.txt", "ünï", " lead", "-dash", "a => b"]


@pytest.mark.parametrize("how", ["untracked", "tracked", "renamed"])
async def test_strange_names_are_kept_apart_and_whole(attempt: Checkout, how: str) -> None:
    for name in STRANGE:
        attempt.write(name, f"the text of {name}\n" * 9)
    if how == "tracked":
        attempt.git("add", "-A")
    if how == "renamed":
        attempt.commit({})
        attempt.git("branch", "-f", "start")
        for name in STRANGE:
            (attempt.path / name).rename(attempt.path / f"{name}.2")
    found = await rows(attempt, "start" if how == "renamed" else "main")
    end = ".2" if how == "renamed" else ""
    assert set(found) == {name + end for name in STRANGE}
    for name in STRANGE:
        assert found[name + end].new_content == f"the text of {name}\n" * 9
        assert found[name + end].old_path == (name if how == "renamed" else None)


async def test_names_and_texts_that_are_not_utf8_become_readable(attempt: Checkout) -> None:
    attempt.write(b"caf\xe9".decode("utf-8", "surrogateescape"), b"caf\xe9\n")
    (row,) = (await rows(attempt)).values()
    assert row.new_path == "caf\ufffd"
    assert row.new_content == "caf\ufffd\n"


async def test_a_link_is_shown_and_never_followed(attempt: Checkout, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("key\n")
    (attempt.path / "link").symlink_to(tmp_path / "secret")
    (attempt.path / "base.txt").unlink()
    (attempt.path / "base.txt").symlink_to(tmp_path / "secret")
    found = await rows(attempt)
    assert found["link"].new_content == str(tmp_path / "secret")
    assert found["base.txt"].new_content == str(tmp_path / "secret")
    assert found["link"].additions == 1


async def test_a_pipe_and_an_inner_repository_do_not_hold_it_up(attempt: Checkout) -> None:
    os.mkfifo(attempt.path / "pipe")
    attempt.write("inner/x")
    Checkout(attempt.path / "inner").git("init", "-q")
    found = await rows(attempt)
    assert list(found) == ["inner"]
    assert found["inner"].content_omitted


async def test_a_file_that_git_forgot_but_that_is_there_is_no_change(attempt: Checkout) -> None:
    attempt.git("rm", "-q", "--cached", "base.txt")
    assert await rows(attempt) == {}


async def test_a_look_starts_few_gits_however_many_commits_and_changes_there_are(
    attempt: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = attempt.oid()
    for number in range(12):
        attempt.commit({f"{number}.txt": "text\n"})
    attempt.write("base.txt", "changed\n")
    attempt.write("new.txt")
    (attempt.path / "other.txt").unlink()
    with started_gits(tmp_path, monkeypatch) as started:
        await diff.contents(attempt.path, await diff.snapshot(attempt.path, base))
    # The comparison, new files, attributes, line ends, attributes of before, renames.
    assert len(started) <= 6, started


async def test_files_in_conflict_are_shown_with_their_markers(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    attempt.git("merge", "main", code=1)
    (entry,) = await diff.snapshot(attempt.path, repo.oid("main~1"))
    (row,) = await diff.contents(attempt.path, [entry])
    assert row.change == "modified"
    assert "<<<<<<<" in (row.new_content or "")


async def test_before_the_first_commit_everything_is_new(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    fresh = Checkout(tmp_path / "new")
    fresh.git("init", "-q")
    fresh.write("a.txt", "a\n")
    fresh.write("b.txt", "b\n")
    fresh.git("add", "a.txt")
    assert {path: row.change for path, row in (await rows(fresh, None)).items()} == {
        "a.txt": "added",
        "b.txt": "added",
    }


async def test_paths_outside_of_a_sparse_checkout_are_not_deleted(
    repo: Checkout, tmp_path: Path
) -> None:
    repo.commit({"in/a.txt": "a\n", "out/b.txt": "b\n"})
    repo.git("sparse-checkout", "set", "in")
    tree = repo.worktree("w", "x")
    tree.write("in/a.txt", "changed\n")
    assert list(await rows(tree)) == ["in/a.txt"]


async def test_a_large_file_storage_pointer_is_not_compared_with_the_file(
    attempt: Checkout,
) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"
    attempt.commit({"big.csv": pointer})
    attempt.git("branch", "-f", "start")
    attempt.write("big.csv", "a,b\n")
    (row,) = (await rows(attempt, "start")).values()
    assert row.content_omitted


async def test_where_there_is_no_checkout_there_is_no_difference(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await diff.snapshot(tmp_path, None)


async def test_moved_and_new_and_deleted_files_are_told_apart_at_once(attempt: Checkout) -> None:
    long = "x" * 200
    attempt.commit({f"{n}/{name}": f"{name} {n}\n" * 20 for n in range(3) for name in "abc"})
    attempt.git("branch", "-f", "start")
    (attempt.path / "0/a").rename(attempt.path / "0/moved")
    (attempt.path / "1/b").unlink()
    (attempt.path / "2").rename(attempt.path / "two")
    attempt.write("new/z", "quite different\n")
    attempt.write("0/b", "changed\n")
    attempt.write(f"{long}/{long}", "deep\n")
    (attempt.path / "other.txt").unlink()
    attempt.write("other.txt/now a directory", "inside\n")
    found = await rows(attempt, "start")
    assert {(row.change, row.old_path, row.new_path) for row in found.values()} == {
        ("renamed", "0/a", "0/moved"),
        ("modified", "0/b", "0/b"),
        ("deleted", "1/b", None),
        ("renamed", "2/a", "two/a"),
        ("renamed", "2/b", "two/b"),
        ("renamed", "2/c", "two/c"),
        ("added", None, "new/z"),
        ("added", None, f"{long}/{long}"),
        ("deleted", "other.txt", None),
        ("added", None, "other.txt/now a directory"),
    }


async def test_a_file_that_git_forgot_and_that_changed_is_modified(attempt: Checkout) -> None:
    attempt.git("rm", "-q", "--cached", "base.txt")
    attempt.write("base.txt", "base\nmore\n")
    (row,) = (await rows(attempt)).values()
    assert (row.change, row.additions, row.deletions) == ("modified", 1, 0)


async def test_two_commits_are_compared_as_a_commit_and_its_checkout_are(
    repo: Checkout, attempt: Checkout
) -> None:
    big = b"x\n" * (FILE_LIMIT // 2 + 1)
    old = attempt.commit({"gone.txt": "gone\n", "was.txt": "1\n2\n3\n", "run.sh": "run\n"})
    (attempt.path / "gone.txt").unlink()
    (attempt.path / "was.txt").rename(attempt.path / "is.txt")
    (attempt.path / "run.sh").chmod(0o755)
    (attempt.path / "link").symlink_to("is.txt")
    attempt.git("-c", "protocol.file.allow=always", "submodule", "-q", "add", repo.path, "sub")
    files: dict[str, str | bytes] = {
        "base.txt": "base\nmore\n",
        "big.txt": big,
        "binary": b"\0\1",
        "latin": b"\xe9\n",
        "tab\tand 'quote'": "odd\n",
    }
    new = attempt.commit(files)
    entries = await diff.between(repo.path, old, new)
    wanted = await diff.snapshot(attempt.path, old)
    assert await diff.contents(repo.path, entries) == await diff.contents(attempt.path, wanted)
    found = {row.new_path or row.old_path: row for row in await diff.contents(repo.path, entries)}
    assert {path for path, row in found.items() if row.content_omitted} == {
        "big.txt",
        "binary",
        "sub",
    }
    assert found["big.txt"].additions == FILE_LIMIT // 2 + 1
    assert {found["is.txt"].change, found["run.sh"].change} == {"renamed", "permissionChange"}
    assert found["run.sh"].new_content == "run\n"
    few = await diff.contents(repo.path, entries, budget=200)
    assert few == await diff.contents(attempt.path, wanted, budget=200)
    assert {row.content_omitted for row in few} == {True, False}
    assert [row.additions for row in few] == [row.additions for row in found.values()]
    # What the checkouts have now does not count.
    (attempt.path / "is.txt").unlink()
    repo.write("base.txt", "edited\n")
    assert await diff.contents(repo.path, entries) == list(found.values())


async def test_what_git_lfs_keeps_elsewhere_is_not_shown_as_text(repo: Checkout) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    old, new = repo.oid(), repo.commit({"film.mov": pointer})
    (row,) = await diff.contents(repo.path, await diff.between(repo.path, old, new))
    assert (row.new_content, row.content_omitted, row.additions) == (None, True, 3)


SHOW_CHANGES = """
import sys, trio
from pathlib import Path
from anyond.git.diff.diff import snapshot
async def main():
    for entry in await snapshot(Path(sys.argv[1]), sys.argv[2]):
        print(entry.change, entry.path, entry.additions, entry.binary)
trio.run(main)
"""


def test_a_file_that_may_not_be_read_hides_no_other(attempt: Checkout) -> None:
    base = attempt.oid("HEAD")
    attempt.write("other.txt", "one\ntwo\n")
    for path in ("base.txt", "[new].txt"):
        attempt.write(path, "mine\n").chmod(0)
    assert run_unprivileged(SHOW_CHANGES, str(attempt.path), base) == [
        "added [new].txt 0 True",
        "modified base.txt 0 True",
        "modified other.txt 2 False",
    ]
