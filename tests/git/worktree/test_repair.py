"""What a power loss leaves torn of git's own files is mended, and stands in nobody's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git.program.command import moves_refs
from anyond.git.repo.repository import Repositories
from anyond.git.worktree import worktrees
from anyond.git.worktree.repair import ensure
from tests.support.checkout import Checkout


async def _worktree(repos: Repositories, repo: Checkout, tmp_path: Path) -> tuple[Path, Path]:
    path = tmp_path / "worktrees" / "one"
    await worktrees.add(repos, repo.path, path, "topic", "main")
    return path, repo.path / ".git" / "worktrees" / "one"


@pytest.mark.parametrize("left", [b"", bytes(300), b"DIRC" + bytes(296)])
async def test_an_index_that_was_lost_is_made_again(
    repos: Repositories, repo: Checkout, tmp_path: Path, left: bytes
) -> None:
    path, own = await _worktree(repos, repo, tmp_path)
    (path / "base.txt").write_text("edited\n")
    (own / "index").write_bytes(left)
    found = await ensure(repos, repo.path, path, "topic")
    assert found.what == "repaired"
    assert "index" in found.remarks[0]
    assert Checkout(path).git("status", "--porcelain").strip() == "M base.txt"
    assert (own / "index.torn").read_bytes() == left


async def test_a_head_that_was_lost_stands_on_the_branch_again(
    repos: Repositories, repo: Checkout, tmp_path: Path
) -> None:
    path, own = await _worktree(repos, repo, tmp_path)
    (own / "HEAD").write_bytes(bytes(22))
    found = await ensure(repos, repo.path, path, "topic")
    assert found.on_branch
    assert repo.git("fsck") == ""


async def test_records_of_worktrees_that_were_lost_are_taken_away(
    repos: Repositories, repo: Checkout, tmp_path: Path
) -> None:
    path, own = await _worktree(repos, repo, tmp_path)
    lost = own.with_name("lost")
    lost.mkdir()
    (lost / "HEAD").write_bytes(bytes(22))
    (lost / "gitdir").write_bytes(bytes(40))
    await ensure(repos, repo.path, path, "topic")
    assert not lost.exists()
    assert own.exists()
    assert repo.git("fsck") == ""


async def test_a_link_that_was_lost_leads_to_the_repository_again(
    repos: Repositories, repo: Checkout, tmp_path: Path
) -> None:
    path, _ = await _worktree(repos, repo, tmp_path)
    (path / "new.txt").write_text("new\n")
    (path / ".git").write_bytes(bytes(60))
    found = await ensure(repos, repo.path, path, "topic")
    assert found.what == "repaired"
    assert Checkout(path).git("status", "--porcelain").strip() == "?? new.txt"


def test_names_are_waited_for_after_commands_that_move_refs() -> None:
    assert moves_refs(("update-ref", "refs/heads/main", "1" * 40))
    assert moves_refs(("-c", "a=b", "-c", "c=d", "commit", "--quiet"))
    assert not moves_refs(("update-ref", "-d", "refs/heads/main"))
    assert not moves_refs(("-c", "a=b", "status"))
    assert not moves_refs(())
