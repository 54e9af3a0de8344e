"""Pipes and devices in the place of what git reads are set aside before git waits for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from anyond.git.commits import commit
from anyond.git.files import odd_files
from anyond.operations.resources import Resources
from anyond.operations.workspace import worktree
from tests.support.operations.remarked_attempts import attempt, git, told


@contextmanager
def reader(pipe: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody who waits at a pipe, as a git that was asked before it was seen."""
    with subprocess.Popen(["cat", pipe], stdout=subprocess.DEVNULL) as process:
        try:
            seen = psutil.Process(process.pid)
            until = time.monotonic() + 30
            while (seen.name(), seen.status()) != ("cat", psutil.STATUS_SLEEPING):
                assert time.monotonic() < until
                time.sleep(0.001)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    "name",
    [
        "{top}/.gitignore",
        "{top}/src/.gitattributes",
        "{common}/info/exclude",
        "{common}/worktrees/other/HEAD",
        "{own}/HEAD",
        "{own}/index",
        "{own}/commondir",
        "{own}/logs/HEAD",
    ],
)
async def test_a_pipe_in_the_place_of_what_git_reads_holds_up_no_commit(
    resources: Resources, repository: Path, name: str
) -> None:
    subject = await attempt(resources, repository)
    top, common = subject.worktree, repository / ".git"
    pipe = Path(name.format(top=top, common=common, own=git(top, "rev-parse", "--git-dir")))
    pipe.parent.mkdir(parents=True, exist_ok=True)
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    (top / "work.txt").write_text("work\n")
    with reader(pipe) as waiting:
        await worktree.set_odd_files_aside(resources, subject)
        subject = await worktree.find_or_repair(resources, subject)
        oid = await commit.commit_all(top, "work", "anyon/x")
        assert waiting.wait(30) == 0
    assert git(repository, "rev-parse", "refs/heads/anyon/x") == oid
    assert git(repository, "show", "anyon/x:work.txt") == "work"
    assert pipe.with_name(f"{pipe.name}.saved-1").is_fifo()
    assert str(pipe) in await told(resources, subject)


async def test_what_holds_up_nobody_stays(resources: Resources, repository: Path) -> None:
    subject = await attempt(resources, repository)
    exclude = repository / ".git/info/exclude"
    exclude.parent.mkdir(exist_ok=True)
    exclude.unlink(missing_ok=True)
    exclude.symlink_to(os.devnull)
    os.mkfifo(subject.worktree / "own-pipe")
    await worktree.set_odd_files_aside(resources, subject)
    assert exclude.is_symlink()
    assert (subject.worktree / "own-pipe").is_fifo()
    assert await told(resources, subject) == ""


async def test_of_a_hundred_thousand_files_none_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "top" / "node_modules"
    for number in range(20):
        (packages / f"p{number}" / "lib").mkdir(parents=True)
        for file in range(20):
            (packages / f"p{number}" / "lib" / f"{file}.js").touch()
    os.mkfifo(packages / "p3" / "lib" / ".gitignore")
    looked_at: list[object] = []
    stat = os.stat

    def counted(path: Any, **more: Any) -> os.stat_result:
        looked_at.append(path)
        return stat(path, **more)

    monkeypatch.setattr(os, "stat", counted)
    (told,) = odd_files.set_aside(tmp_path / "top", tmp_path / "none")
    assert "p3" in told
    assert len(looked_at) < 5


@pytest.mark.parametrize("how", ["pruned", "record deleted"])
async def test_work_in_a_worktree_whose_record_is_gone_is_committed_at_the_end_of_a_run(
    resources: Resources, repository: Path, how: str
) -> None:
    subject = await attempt(resources, repository)
    top = subject.worktree
    (top / "work.txt").write_text("work\n")
    if how == "pruned":
        away = top.with_name("away")
        top.rename(away)
        git(repository, "worktree", "prune", "--expire=now")
        away.rename(top)
    else:
        shutil.rmtree(git(top, "rev-parse", "--git-dir"))
    subject = await worktree.find_or_repair(resources, subject)
    oid = await commit.commit_all(top, "work", "anyon/x")
    assert git(repository, "rev-parse", "refs/heads/anyon/x") == oid
    assert git(repository, "show", "anyon/x:work.txt") == "work"
    assert "record" in await told(resources, subject)
