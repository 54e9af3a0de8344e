"""Whatever a program of the person's refuses is the person's to decide, and says who it was."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from anyond.git.commits.commit import commit_all
from anyond.git.commits.deletion import delete_file
from anyond.git.diff.status import status
from anyond.git.merging import rebase
from anyond.git.merging.merge import merge
from anyond.git.repo import branches
from anyond.git.repo.repository import Repositories
from anyond.git.worktree import renaming
from anyond.git.worktree.worktrees import add
from anyond.model.errors import AnyondError, Kind
from anyond.model.refusals.git import GitFailed, Refused
from tests.support.checkout import Checkout

Act = Callable[[Checkout, Checkout], Awaitable[object]]


async def do_commit(repo: Checkout, attempt: Checkout) -> object:
    attempt.write("more.txt")
    return await commit_all(attempt.path, "message")


async def do_rebase(repo: Checkout, attempt: Checkout) -> None:
    plain = ("-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false")
    repo.git(*plain, "commit", "-q", "--allow-empty", "-m", "on")
    base = await branches.resolve(repo.path, "main")
    planned = await rebase.plan(attempt.path, "work", base, base)
    await rebase.rebase(Repositories(), attempt.path, planned)


async def do_merge(repo: Checkout, attempt: Checkout) -> object:
    return await merge(Repositories(), repo.path, "work", "main", message="Land")


async def do_add(repo: Checkout, attempt: Checkout) -> None:
    await add(Repositories(), repo.path, repo.path.parent / "new", "new", "work")


async def do_rename(repo: Checkout, attempt: Checkout) -> None:
    await renaming.rename(Repositories(), repo.path, "work", "another")


async def do_delete(repo: Checkout, attempt: Checkout) -> object:
    return await delete_file(attempt.path, "base.txt", message="message")


async def refused(act: Act, repo: Checkout, attempt: Checkout) -> Refused:
    with pytest.raises(AnyondError) as caught:
        await act(repo, attempt)
    assert isinstance(caught.value, Refused), caught.value
    assert caught.value.kind is Kind.CONFLICT
    assert caught.value.data is not None
    assert caught.value.data["message"] == str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("hook", "act"),
    [
        ("pre-commit", do_commit),
        ("prepare-commit-msg", do_commit),
        ("commit-msg", do_commit),
        ("commit-msg", do_delete),
        ("reference-transaction", do_commit),
        ("pre-rebase", do_rebase),
        ("prepare-commit-msg", do_rebase),
        ("reference-transaction", do_rebase),
        ("reference-transaction", do_merge),
        ("reference-transaction", do_add),
        ("reference-transaction", do_rename),
    ],
)
@pytest.mark.parametrize("status", [1, 3])
async def test_a_hook_that_says_no_is_named_with_its_words(
    repo: Checkout, attempt: Checkout, hook: str, act: Act, status: int
) -> None:
    attempt.commit({"own.txt": "own\n"})
    # Words like git's own are no reason to take them for such.
    repo.hook(hook, f"echo 'error: not on a Friday' >&2; exit {status}")
    refusal = await refused(act, repo, attempt)
    assert refusal.data is not None
    assert (refusal.data["type"], refusal.data["hook"]) == ("hook_refused", hook)
    assert "not on a Friday" in str(refusal)
    assert hook in str(refusal)


async def test_hooks_of_which_one_refuses_in_silence(repo: Checkout, attempt: Checkout) -> None:
    repo.hook("pre-commit", "exit 0")
    repo.hook("commit-msg", "exit 1")
    refusal = await refused(do_commit, repo, attempt)
    assert str(refusal) == "A hook of the repository refuses the commit, and does not say why."
    assert refusal.data is not None
    assert refusal.data.keys() == {"type", "message"}


async def test_a_hook_that_cannot_be_run(repo: Checkout, attempt: Checkout, tmp_path: Path) -> None:
    repo.hook("pre-commit", "")
    hook = repo.path / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/nowhere/sh\n")
    refusal = await refused(do_commit, repo, attempt)
    assert refusal.data is not None
    assert (refusal.data["type"], refusal.data["hook"]) == ("hook_refused", "pre-commit")


async def test_what_git_itself_refuses_is_no_hooks_doing(repo: Checkout, attempt: Checkout) -> None:
    repo.hook("pre-commit", "exit 0")
    attempt.write("more.txt")
    objects = repo.path / ".git" / "config"
    objects.write_text(objects.read_text() + "[user]\n\tuseConfigOnly = nonsense\n")
    with pytest.raises(GitFailed) as caught:
        await commit_all(attempt.path, "message")
    assert isinstance(caught.value, Refused)
    assert caught.value.type == "git_config_broken"


# ---------------------------------------------------------------- filters


LFS = {"clean": "no-lfs clean -- %f", "smudge": "no-lfs smudge -- %f", "process": "no-lfs process"}


def with_filter(repo: Checkout, parts: dict[str, str], name: str = "lfs") -> None:
    """A file on both sides that was committed where the filter's program was there."""
    repo.commit({".gitattributes": f"*.bin filter={name}\n", "x.bin": "pointer\n"})
    repo.git("config", f"filter.{name}.required", "true")
    for part, command in parts.items():
        repo.git("config", f"filter.{name}.{part}", command)


@pytest.mark.parametrize("parts", [LFS, {"clean": LFS["clean"], "smudge": LFS["smudge"]}])
async def test_a_required_filter_whose_program_is_missing_is_named(
    repo: Checkout, attempt: Checkout, parts: dict[str, str]
) -> None:
    attempt.commit({"own.txt": "own\n"})
    with_filter(attempt, parts)
    attempt.write("y.bin", "more\n")
    for act in (do_commit, do_add):
        refusal = await refused(act, repo, attempt)
        assert refusal.data is not None
        assert refusal.data["type"] == "filter_failed"
        assert (refusal.data["filter"], refusal.data["program"]) == ("lfs", "no-lfs")
        assert "Install no-lfs" in str(refusal)
    assert not (repo.path.parent / "new").exists()


async def test_a_rebase_that_would_bring_files_of_a_missing_filter(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"own.txt": "own\n"})
    repo.commit({"on.txt": "on\n"})
    with_filter(repo, LFS)
    attempt.write("untracked.txt")
    before = attempt.oid(), attempt.status()
    base = await branches.resolve(repo.path, "main")
    planned = await rebase.plan(attempt.path, "work", base, base)
    with pytest.raises(Refused, match="no-lfs was not found"):
        await rebase.rebase(Repositories(), attempt.path, planned)
    assert (attempt.oid(), attempt.status()) == before


async def test_a_filter_that_fails_is_named_with_its_words(
    repo: Checkout, attempt: Checkout
) -> None:
    with_filter(repo, {"clean": "sh -c 'echo it is locked >&2; exit 3'"}, "vault")
    attempt.write(".gitattributes", "*.bin filter=vault\n")
    attempt.write("y.bin", "secret\n")
    refusal = await refused(do_commit, repo, attempt)
    assert refusal.data is not None
    assert (refusal.data["type"], refusal.data["filter"]) == ("filter_failed", "vault")
    assert "program" not in refusal.data
    assert "it is locked" in str(refusal)


async def test_a_merge_into_a_checkout_whose_filter_is_missing(
    repo: Checkout, attempt: Checkout
) -> None:
    with_filter(attempt, LFS)
    before = repo.oid()
    refusal = await refused(do_merge, repo, attempt)
    assert refusal.data is not None
    assert (refusal.data["filter"], refusal.data["program"]) == ("lfs", "no-lfs")
    assert (repo.oid(), repo.status()) == (before, [])


async def test_a_required_filter_that_nobody_has_set_up(repo: Checkout, attempt: Checkout) -> None:
    with_filter(attempt, {}, "vault")
    attempt.write("y.bin", "more\n")
    refusal = await refused(do_commit, repo, attempt)
    assert "knows no program" in str(refusal)


async def test_a_look_at_files_of_a_missing_filter_says_so_too(repo: Checkout) -> None:
    with_filter(repo, LFS)
    (repo.path / "x.bin").write_text("edited!\n")
    os.utime(repo.path / "x.bin", (1, 1))
    with pytest.raises(Refused, match="no-lfs was not found"):
        await status(repo.path)


@pytest.mark.parametrize("filter", ["exit 3", "kill -9 $PPID"])
async def test_a_merge_that_fails_in_the_middle_of_the_files_is_undone(
    repo: Checkout, attempt: Checkout, filter: str
) -> None:
    repo.commit({"b.bin": "old\n", "dir/gone.txt": "gone\n", "zz.txt": "old\n"})
    attempt.git("merge", "-q", "main")
    attempt.git("rm", "-q", "dir/gone.txt")
    files: dict[str, str | bytes] = {"base.txt": "new\n", "deep/a.txt": "a\n", "zz.txt": "new\n"}
    attempt.commit({**files, ".gitattributes": "*.bin filter=vault\n", "c.bin": "c\n"})
    repo.git("config", "filter.vault.smudge", f"sh -c 'cat >/dev/null; {filter}'")
    repo.git("config", "filter.vault.clean", "cat")
    repo.git("config", "filter.vault.required", "true")
    repo.write("mine.txt", "mine\n")
    before = repo.oid(), repo.status()
    with pytest.raises(GitFailed):
        await do_merge(repo, attempt)
    assert (repo.oid(), repo.status()) == before
    assert (repo.read("base.txt"), repo.read("dir/gone.txt")) == ("base\n", "gone\n")
    assert not (repo.path / "deep").exists()


# ---------------------------------------------------------------- signatures


@pytest.mark.parametrize("act", [do_commit, do_merge, do_rebase])
@pytest.mark.parametrize("program", ["/nowhere/gpg", "gpg"])
async def test_a_signature_that_cannot_be_made(
    repo: Checkout, attempt: Checkout, act: Act, program: str, tmp_path: Path
) -> None:
    attempt.commit({"own.txt": "own\n"})
    if program == "gpg":
        file = tmp_path / "gpg"
        file.write_text("#!/bin/sh\necho 'gpg: no secret key' >&2; exit 2\n")
        file.chmod(0o755)
        program = str(file)
    repo.git("config", "gpg.program", program)
    repo.git("config", "commit.gpgsign", "true")
    before = attempt.oid()
    refusal = await refused(act, repo, attempt)
    assert refusal.data is not None
    assert refusal.data["type"] == "signing_failed"
    assert "gpg" in str(refusal)
    assert attempt.oid() == before


# ---------------------------------------------------------------- the HEAD of the repository


@pytest.mark.parametrize("head", [None, "", "\0\0\0\0", "ref: refs/heads/..\n", "no head\n"])
@pytest.mark.parametrize("act", [do_merge, do_rename, do_add])
async def test_a_head_that_is_gone_or_torn_is_named(
    repo: Checkout, attempt: Checkout, act: Act, head: str | None
) -> None:
    attempt.commit({"own.txt": "own\n"})
    file = repo.path / ".git" / "HEAD"
    file.unlink()
    if head is not None:
        file.write_text(head)
    tip = (repo.path / ".git" / "refs" / "heads" / "main").read_text()
    if act is do_merge and head == "ref: refs/heads/..\n":
        await act(repo, attempt)  # for that git needs no HEAD
        return
    refusal = await refused(act, repo, attempt)
    assert refusal.data is not None
    assert refusal.data["type"] == "head_broken"
    assert str(file) in str(refusal)
    assert (repo.path / ".git" / "refs" / "heads" / "main").read_text() == tip


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[core\n", "bad config line"),
        ("[core]\n\tcompression = much\n", "bad numeric config value"),
        ("[core]\n\tbare = perhaps\n", "bad boolean config value"),
        ("[include]\n\tpath = config\n", "exceeded maximum include depth"),
        ("[core]\n\trepositoryformatversion = 9\n", "git repo version"),
    ],
)
@pytest.mark.parametrize("act", [do_merge, do_rename, do_add])
async def test_a_configuration_that_cannot_be_read_is_named(
    repo: Checkout, attempt: Checkout, act: Act, text: str, word: str
) -> None:
    attempt.commit({"own.txt": "own\n"})
    with (repo.path / ".git" / "config").open("a") as file:
        file.write(text)
    refusal = await refused(act, repo, attempt)
    assert refusal.data is not None
    assert refusal.data["type"] == "git_config_broken"
    assert word in str(refusal)


async def test_a_head_without_a_branch_is_no_reason_to_refuse(
    repo: Checkout, attempt: Checkout
) -> None:
    for number, leave in enumerate(("--detach", "deleted", "unborn", "bisect")):
        repo.git("checkout", "-q", "main")
        for _ in range(3):
            repo.git("commit", "-q", "--allow-empty", "-m", "on")
        if leave == "--detach":
            repo.git("checkout", "-q", "--detach")
        elif leave == "deleted":
            repo.git("checkout", "-q", "-b", "gone")
            repo.git("update-ref", "-d", "refs/heads/gone")
        elif leave == "unborn":
            repo.git("symbolic-ref", "HEAD", "refs/heads/never")
        else:
            repo.git("bisect", "start", "HEAD", "HEAD~3")
        before = repo.status(), (repo.path / ".git" / "HEAD").read_text()
        attempt.commit({f"own-{number}.txt": "own\n"})
        await do_merge(repo, attempt)
        assert (repo.status(), (repo.path / ".git" / "HEAD").read_text()) == before
        assert repo.git("show", f"main:own-{number}.txt") == "own"
        repo.git("checkout", "-q", "--force", "main")
