"""What git cannot take is not lost with its worktree."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from anyond.host.app_paths import AppPaths
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import removal
from anyond.store.upkeep import cleanups
from tests.support.checkout import run_unprivileged
from tests.support.operations.remarked_attempts import attempt, git

REMOVE = """
import sys, trio
from pathlib import Path
from anyond.git.repo.repository import Repositories
from anyond.operations.workspace import set_aside
repository, worktree, attempt, aside = sys.argv[1:]
trio.run(
    set_aside.remove, Repositories(), Path(repository), Path(worktree), attempt, Path(aside)
)
"""


@pytest.fixture(params=["the same disk", "another disk"])
def both(
    request: pytest.FixtureRequest, resources: Resources, tmp_path: Path
) -> Iterator[Resources]:
    """The resources, with the data directory on the disk of the worktrees, and on another one."""
    if request.param == "the same disk":
        yield resources
        return
    own = tmp_path.stat().st_dev  # tests may be in memory themselves
    disks = [Path(disk) for disk in ("/dev/shm", "/var/tmp")]
    others = [disk for disk in disks if disk.is_dir() and disk.stat().st_dev != own]
    if not others:
        pytest.skip("there is one disk only")
    with tempfile.TemporaryDirectory(dir=others[0]) as name:
        data = AppPaths.under(Path(name))
        yield replace(resources, paths=replace(resources.paths, data_dir=data.data_dir))


def place(resources: Resources, about: Subject) -> Path:
    project = about.worktree.parent.name
    return resources.paths.set_aside / "worktrees" / project / about.attempt.id


def remove_unprivileged(resources: Resources, repository: Path, about: Subject) -> str:
    arguments = (repository, about.worktree, about.attempt.id, resources.paths.set_aside)
    return "\n".join(run_unprivileged(REMOVE, *map(str, arguments)))


async def delete(resources: Resources, about: Subject) -> list[Any]:
    with capture_logs() as logs:
        await removal.delete_task(resources, about.task.id)
        await removal.clean_up(resources)
    assert await resources.store.read(cleanups.fetch_all) == []
    return [entry for entry in logs if entry["log_level"] == "warning"]


async def test_a_file_that_git_cannot_take_is_set_aside_when_its_worktree_is_deleted(
    resources: Resources, both: Resources, repository: Path
) -> None:
    about = await attempt(resources, repository)
    resources = both
    top = about.worktree
    git(top, "init", "-q", "inner")
    for name in ("git~1", "dir/.git ", "inner/git~1", "new.txt"):
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_text(f"{name}\n")
    (top / "git~2").mkdir()
    (top / "git~2" / "link").symlink_to(repository)
    (top / ".GIT ").symlink_to(repository)
    [told] = await delete(resources, about)
    aside = place(resources, about)
    assert (told["event"], told["now"]) == ("set_aside", str(aside))
    assert {"git~1", "dir/.git ", "inner/git~1"} <= set(told["some"])
    for name in ("git~1", "dir/.git ", "inner/git~1"):
        assert (aside / name).read_text() == f"{name}\n"
    assert os.readlink(aside / ".GIT ") == str(repository)
    assert not (aside / "new.txt").exists()
    assert not top.exists()
    assert (repository / ".git").exists()


async def test_so_it_is_in_a_submodule_and_where_nobody_may_write(
    resources: Resources, repository: Path, tmp_path: Path
) -> None:
    about = await attempt(resources, repository)
    top = about.worktree
    library = tmp_path / "library"
    git(repository, "clone", "-q", str(repository), str(library))
    allowed = ("-c", "protocol.file.allow=always")
    git(top, *allowed, "submodule", "add", "-q", str(library), "library")
    git(top, "commit", "-q", "-m", "Submodule")
    (top / "closed").mkdir()
    for name in ("library/git~1", "closed/git~1"):
        (top / name).write_text(f"{name}\n")
    (top / "closed").chmod(0o555)
    remove_unprivileged(resources, repository, about)
    for name in ("library/git~1", "closed/git~1"):
        assert (place(resources, about) / name).read_text() == f"{name}\n"
    assert not top.exists()


async def test_what_may_not_be_read_is_set_aside_when_its_worktree_is_deleted(
    resources: Resources, both: Resources, repository: Path
) -> None:
    about = await attempt(resources, repository)
    resources = both
    top = about.worktree
    (top / "shut").mkdir()
    for name in ("shut/in.txt", "secret.txt", "new.txt"):
        (top / name).write_text(f"{name}\n")
    (top / "secret.txt").chmod(0)
    (top / "shut").chmod(0)
    told = remove_unprivileged(resources, repository, about)
    aside = place(resources, about)
    assert "secret.txt" in told
    (aside / "secret.txt").chmod(0o600)
    assert (aside / "secret.txt").read_text() == "secret.txt\n"
    assert (aside / "shut/in.txt").read_text() == "shut/in.txt\n"
    assert not (aside / "new.txt").exists()
    assert not top.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to somebody else")
async def test_what_cannot_be_moved_stays_where_it_is_and_holds_up_nothing(
    resources: Resources, repository: Path
) -> None:
    about = await attempt(resources, repository)
    top = about.worktree
    (top / "a/theirs").mkdir(parents=True)
    (top / "a/theirs/in.txt").write_text("theirs\n")
    (top / "a/new.txt").write_text("new\n")
    (top / "git~1").write_text("mine\n")
    (top / "a/theirs").chmod(0o700)
    os.chown(top / "a/theirs", 65534, 65534)
    told = remove_unprivileged(resources, repository, about)
    assert "not_set_aside" in told
    assert "a/theirs" in told
    assert (place(resources, about) / "git~1").read_text() == "mine\n"
    left = [path.relative_to(top).as_posix() for path in sorted(top.rglob("*"))]
    assert left == ["a", "a/theirs", "a/theirs/in.txt"]
    assert git(repository, "worktree", "list", "--porcelain").count("worktree ") == 1
