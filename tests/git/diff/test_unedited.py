"""Files that git converts: what nobody edited is no change, and nobody's obstacle."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from anyond.git.commits.commit import commit_all
from anyond.git.diff import assume_unchanged
from anyond.git.diff.diff import contents, snapshot
from anyond.git.diff.status import status
from anyond.git.merging.merge import merge
from anyond.git.merging.rebase import plan, rebase
from anyond.git.repo import branches
from anyond.git.repo.repository import Repositories
from anyond.git.snapshots.snapshots import take
from tests.support.checkout import Checkout

Prepare = Callable[[Checkout, Path], None]
ID = "11111111-1111-4111-8111-111111111111"
CRLF = b"class A\r\n{\r\n}\r\n"


def rules(repo: Checkout, text: str) -> None:
    """Attributes that nothing in the repository has been brought in line with."""
    repo.write(".gitattributes", text)
    repo.git("add", ".gitattributes")
    repo.git("commit", "-qm", "attributes")


def stored_before_attributes(repo: Checkout, _: Path) -> None:
    repo.commit({"a.cs": CRLF})
    rules(repo, "*.cs text eol=crlf\n")


def stored_before_lf(repo: Checkout, _: Path) -> None:
    repo.commit({"a.cs": CRLF})
    rules(repo, "* text=auto eol=lf\n*.cs text\n")


def autocrlf_and_text(repo: Checkout, _: Path) -> None:
    repo.commit({"a.cs": CRLF})
    rules(repo, "*.cs text\n")
    repo.git("config", "core.autocrlf", "true")


def expanded_id(repo: Checkout, _: Path) -> None:
    repo.commit({"a.cs": "$Id: once written by another tool $\n"})
    rules(repo, "*.cs ident\n")


def another_encoding(repo: Checkout, _: Path) -> None:
    repo.commit({"a.cs": "grün\n".encode("utf-16")})
    rules(repo, "*.cs text working-tree-encoding=UTF-16\n")


def one_way_filter(repo: Checkout, tmp_path: Path) -> None:
    """As a filter that strips the output of notebooks, for those that were committed with it."""
    repo.commit({"a.cs": "code\noutput\n"})
    script = tmp_path / "strip.py"
    script.write_text("import sys\nsys.stdout.write(sys.stdin.read().replace('output', ''))\n")
    repo.git("config", "filter.strip.clean", f"'{sys.executable}' '{script}'")
    repo.git("config", "filter.strip.smudge", "cat")
    repo.git("config", "filter.strip.required", "true")
    rules(repo, "*.cs filter=strip\n")


def no_pointer(repo: Checkout, tmp_path: Path) -> None:
    """As with Git LFS, for files that were committed before it was told of them."""
    repo.commit({"a.cs": "large\n"})
    script = tmp_path / "lfs.py"
    script.write_text(
        "import hashlib, pathlib, sys\n"
        f"store = pathlib.Path({os.fspath(tmp_path / 'store')!r})\n"
        "store.mkdir(exist_ok=True)\n"
        "data = sys.stdin.buffer.read()\n"
        "if sys.argv[1] == 'clean':\n"
        "    name = hashlib.sha256(data).hexdigest()\n"
        "    (store / name).write_bytes(data)\n"
        "    print('version https://git-lfs.github.com/spec/v1\\noid', name)\n"
        "elif data.startswith(b'version '):\n"
        "    sys.stdout.buffer.write((store / data.split()[-1].decode()).read_bytes())\n"
        "else:\n"
        "    sys.stdout.buffer.write(data)\n"
    )
    for way in ("clean", "smudge"):
        repo.git("config", f"filter.big.{way}", f"'{sys.executable}' '{script}' {way}")
    rules(repo, "*.cs filter=big -text\n")


KINDS = [
    stored_before_attributes,
    stored_before_lf,
    autocrlf_and_text,
    expanded_id,
    another_encoding,
    one_way_filter,
    no_pointer,
]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def prepared(request: pytest.FixtureRequest, repo: Checkout, tmp_path: Path) -> Checkout:
    """A repository whose file `a.cs` git takes for changed as soon as it looks at it."""
    prepare: Prepare = request.param
    prepare(repo, tmp_path)
    touch(repo)
    assert repo.status() == [" M a.cs"]
    return repo


def touch(checkout: Checkout, name: str = "a.cs") -> None:
    """Leave the bytes as they are; long ago, so that no index is written in the same second."""
    os.utime(checkout.path / name, (86400, 86400))


async def test_what_nobody_edited_is_neither_committed_nor_a_change(prepared: Checkout) -> None:
    attempt = prepared.worktree("attempt", "work")
    touch(attempt)
    seen = attempt.index_bytes()
    assert (await status(attempt.path)).clean
    assert await snapshot(attempt.path, attempt.oid()) == []
    assert attempt.index_bytes() == seen
    assert await commit_all(attempt.path, "nothing") is None
    attempt.write("n.txt")
    # In this very second, so that git has to look at the contents.
    os.utime(attempt.path / "a.cs")
    assert await commit_all(attempt.path, "one file")
    assert attempt.git("diff", "--name-only", "main", "work") == "n.txt"
    assert [entry.path for entry in await snapshot(attempt.path, attempt.oid("main"))] == ["n.txt"]
    assert (await status(attempt.path)).clean


async def test_the_clock_of_the_disk_may_be_behind(
    repo: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_before_attributes(repo, tmp_path)
    attempt = repo.worktree("attempt", "work")
    # It always is, by milliseconds; with a disk of another machine it may be seconds.
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + 2)
    os.utime(attempt.path / "a.cs")
    assert (await status(attempt.path)).clean
    attempt.write("n.txt")
    os.utime(attempt.path / "a.cs")
    assert await commit_all(attempt.path, "one file")
    assert attempt.git("diff", "--name-only", "main", "work") == "n.txt"


async def test_what_was_edited_is_committed(prepared: Checkout) -> None:
    attempt = prepared.worktree("attempt", "work")
    touch(attempt)
    with (attempt.path / "a.cs").open("ab") as file:
        file.write("more\r\n".encode("utf-16-le") if b"\0" in attempt_bytes(attempt) else b"more\n")
    assert not (await status(attempt.path)).clean
    assert await commit_all(attempt.path, "edited")
    assert attempt.git("diff", "--name-only", "main", "work") == "a.cs"
    assert await commit_all(attempt.path, "nothing") is None


def attempt_bytes(attempt: Checkout) -> bytes:
    return (attempt.path / "a.cs").read_bytes()


async def test_it_is_in_the_way_of_no_merge(prepared: Checkout, repos: Repositories) -> None:
    attempt = prepared.worktree("attempt", "work")
    (attempt.path / "a.cs").unlink()
    attempt.commit({"n.txt": "n\n"})
    touch(prepared)
    oid = (await merge(repos, prepared.path, "work", "main", message="Join")).after
    assert prepared.oid() == oid
    assert prepared.status() == []
    assert not (prepared.path / "a.cs").exists()


async def test_what_a_person_has_edited_is_in_the_way(
    prepared: Checkout, repos: Repositories
) -> None:
    attempt = prepared.worktree("attempt", "work")
    (attempt.path / "a.cs").unlink()
    attempt.commit({"n.txt": "n\n"})
    (prepared.path / "a.cs").write_bytes(b"mine")
    with pytest.raises(Exception, match=r"a\.cs"):
        await merge(repos, prepared.path, "work", "main", message="Join")
    assert (prepared.path / "a.cs").read_bytes() == b"mine"


async def test_it_is_in_the_way_of_no_rebase(prepared: Checkout, repos: Repositories) -> None:
    attempt = prepared.worktree("attempt", "work")
    attempt.write("n.txt")
    assert await commit_all(attempt.path, "one file")
    prepared.write("m.txt")
    prepared.git("add", "m.txt")
    prepared.git("commit", "-qm", "theirs")
    touch(attempt)
    main = await branches.find(prepared.path, "main")
    assert main is not None
    await rebase(repos, attempt.path, await plan(attempt.path, "work", main, main))
    assert attempt.git("diff", "--name-only", "main", "work") == "n.txt"


async def test_it_is_in_a_snapshot_as_it_was(prepared: Checkout) -> None:
    attempt = prepared.worktree("attempt", "work")
    touch(attempt)
    ref = await take(prepared.path, attempt.path, ID, "test")
    assert attempt.git("diff", "--name-only", "HEAD", ref) == ""


async def test_what_an_agent_does_to_attributes_changes_no_other_file(repo: Checkout) -> None:
    repo.commit({".gitattributes": "*.cs text eol=crlf\n", "a.cs": "a\n", "b.cs": "b\n"})
    attempt = repo.worktree("attempt", "work")
    assert attempt_bytes(attempt) == b"a\r\n"
    attempt.write(".gitattributes", "")
    attempt.write("b.cs", "edited\n")
    assert (await status(attempt.path)).changed == [".gitattributes", "b.cs"]
    names = [entry.path for entry in await snapshot(attempt.path, attempt.oid())]
    assert names == [".gitattributes", "b.cs"]
    assert await commit_all(attempt.path, "rules")
    changed = attempt.git("diff", "--name-only", "main", "work").splitlines()
    assert changed == [".gitattributes", "b.cs"]


@pytest.mark.parametrize("how", ["taken away", "added", "twice", "from elsewhere"])
async def test_attributes_that_an_agent_has_committed_itself_make_no_edit_of_other_files(
    repo: Checkout, how: str
) -> None:
    crlf = "*.cs text eol=crlf\n"
    first, then = ("", crlf) if how == "added" else (crlf, "")
    stored = "a\r\n" if how == "added" else "a\n"
    repo.commit({".gitattributes": first, "a.cs": stored, "b.cs": stored})
    attempt = repo.worktree("attempt", "work")
    if how == "from elsewhere":
        rules(repo, then)
        attempt.git("merge", "-q", "main")
    else:
        rules(attempt, then)
    if how == "twice":
        rules(attempt, "*.txt text\n")
    for name in ("a.cs", "b.cs"):
        os.utime(attempt.path / name, (1000, 1000))
    assert attempt.git("diff", "--name-only").splitlines() == ["a.cs", "b.cs"], "for git"
    assert (await status(attempt.path)).changed == []
    assert await snapshot(attempt.path, attempt.oid()) == []
    attempt.write("b.cs", "edited\n")
    assert (await status(attempt.path)).changed == ["b.cs"]
    assert await commit_all(attempt.path, "edited")
    assert attempt.git("diff", "--name-only", "HEAD~1", "HEAD").splitlines() == ["b.cs"]


async def test_what_an_agent_has_staged_itself_is_committed(repo: Checkout, tmp_path: Path) -> None:
    stored_before_attributes(repo, tmp_path)
    attempt = repo.worktree("attempt", "work")
    attempt.git("add", "--renormalize", ".")
    assert await commit_all(attempt.path, "renormalized")
    assert attempt.git("cat-file", "blob", "HEAD:a.cs") == "class A\n{\n}"


@pytest.mark.parametrize("version", ["2", "4"])
async def test_each_form_of_an_index_is_understood(
    repo: Checkout, tmp_path: Path, version: str
) -> None:
    stored_before_attributes(repo, tmp_path)
    attempt = repo.worktree("attempt", "work")
    attempt.git("update-index", "--index-version", version)
    if version == "2":
        attempt.git("update-index", "--split-index")
    touch(attempt)
    assert (await status(attempt.path)).clean
    attempt.write("n.txt")
    assert await commit_all(attempt.path, "one file")
    assert attempt.git("diff", "--name-only", "main", "work") == "n.txt"
    assert attempt.git("fsck") == ""


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("*.cs text eol=crlf", b"one\r\ntwo\r\n", b"one\r\n2\r\n"),
        ("*.cs text working-tree-encoding=UTF-16", "one\ntwo\n".encode("utf-16"),
         "one\n2\n".encode("utf-16")),
        ("*.cs ident", b"one\ntwo\n", b"one\n2\n"),
    ],
)  # fmt: skip
async def test_both_sides_of_a_diff_are_in_one_form(
    repo: Checkout, rule: str, before: bytes, after: bytes
) -> None:
    repo.commit({".gitattributes": f"{rule}\n"})
    repo.commit({"a.cs": before})
    attempt = repo.worktree("attempt", "work")
    attempt.write("a.cs", after)
    attempt.write("new.cs", after)
    objects = attempt.git("count-objects")
    edited, new = await contents(attempt.path, await snapshot(attempt.path, attempt.oid()))
    assert (edited.old_content, edited.new_content) == ("one\ntwo\n", "one\n2\n")
    assert (edited.additions, edited.deletions) == (1, 1)
    assert (new.old_content, new.new_content, new.additions) == (None, "one\n2\n", 2)
    assert attempt.git("count-objects") == objects


async def test_a_link_is_no_text_to_convert(repo: Checkout, tmp_path: Path) -> None:
    (tmp_path / "secret.cs").write_text("secret\n")
    rules(repo, "*.cs text eol=crlf\n")
    attempt = repo.worktree("attempt", "work")
    (attempt.path / "a.cs").symlink_to(tmp_path / "secret.cs")
    (link,) = await contents(attempt.path, await snapshot(attempt.path, attempt.oid()))
    assert link.new_content == os.fspath(tmp_path / "secret.cs")


async def test_a_text_that_git_cannot_convert_is_shown_as_it_is(repo: Checkout) -> None:
    rules(repo, "*.cs working-tree-encoding=UTF-8\nb.cs text eol=crlf\n")
    attempt = repo.worktree("attempt", "work")
    attempt.write("a.cs", b"\xff\xfe broken\n")
    attempt.write("b.cs", b"b\r\n")
    first, second = await contents(attempt.path, await snapshot(attempt.path, attempt.oid()))
    assert first.new_content is not None
    assert "broken" in first.new_content
    assert second.new_content == "b\n"


@pytest.mark.parametrize("mark", ["assume-unchanged", "skip-worktree"])
async def test_marked_files_count_as_changed_only_if_they_are(
    repo: Checkout, attempt: Checkout, mark: str
) -> None:
    attempt.git("update-index", f"--{mark}", "base.txt", "other.txt")
    attempt.write("base.txt", "new\n")
    attempt.write("other.txt", attempt.read("other.txt"))
    index = attempt.index().read_bytes()
    assert await assume_unchanged.changed(attempt.path) == [("base.txt", mark)]
    assert attempt.index().read_bytes() == index
