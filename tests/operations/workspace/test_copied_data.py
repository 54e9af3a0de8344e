"""A copy of a data directory beside the first one touches nothing that is the other one's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from anyond.daemon.resources import open_resources
from anyond.git.diff import status
from anyond.git.disk import locations
from anyond.git.snapshots import snapshots
from anyond.host.app_paths import AppPaths
from anyond.model.http.bodies import MergeStrategy, NewProject
from anyond.model.ids import now
from anyond.model.refusals.worktrees import WorktreeElsewhere
from anyond.model.rows import ExecutionProcess, ProcessStatus, TaskStatus
from anyond.operations import projects as project_operations
from anyond.operations import subject
from anyond.operations.branch import intent_outcomes, merging
from anyond.operations.resources import Resources
from anyond.operations.run import copied_data
from anyond.operations.subject import Subject
from anyond.operations.workspace import removal, worktree
from anyond.settings.options import Options
from anyond.store.board import attempts
from anyond.store.runs import intents, processes
from anyond.store.runs.intents import Intent
from anyond.store.upkeep import cleanups, data_directory, expiries
from tests.support.git.programs import another, begin


@asynccontextmanager
async def opened(root: Path) -> AsyncIterator[Resources]:
    """What a daemon has opened when it begins, on the data directory below `root`."""
    paths = AppPaths.under(root)
    paths.create()
    locations._known.clear()
    async with open_resources(Options(paths=paths), "") as there:
        yield there.resources


async def work_under_way(
    resources: Resources, repository: Path
) -> tuple[Subject, ExecutionProcess]:
    """An attempt with a file that is not committed, a snapshot, and an agent at work."""
    new = NewProject(name="P", git_repo_path=str(repository), use_existing_repo=True)
    project = await project_operations.create(resources, new)
    about = await another(resources, project.id, "anyon/x")
    (about.worktree / "new.txt").write_text("new\n")
    await snapshots.take(repository, about.worktree, about.attempt.id, "test")
    return about, await begin(resources, about)


def state(about: Subject, repository: Path) -> object:
    """All that is on the disk of it."""
    record = about.worktree / ".git"
    refs = subprocess.run(["git", "for-each-ref"], cwd=repository, capture_output=True, check=True)
    own = Path(record.read_text().removeprefix("gitdir: ").strip())
    link, index = (own / "gitdir").read_text(), (own / "index").read_bytes()
    return refs.stdout, record.read_text(), link, index, sorted(os.listdir(about.worktree))


@pytest.mark.parametrize("earlier", [False, True], ids=["known", "of a version before"])
async def test_a_copy_leaves_worktrees_snapshots_and_programs_to_the_first(
    tmp_path: Path, repository: Path, earlier: bool
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with opened(first) as resources:
        about, row = await work_under_way(resources, repository)
        gone = await another(resources, about.project.id, "anyon/gone")
        await removal.delete_attempt(resources, gone.attempt.id)
        intent = Intent(
            attempt_id=about.attempt.id, kind="rename", name="n", tip="", created_at=now()
        )
        await resources.store.write(lambda tx: intents.put(tx, intent))
        if earlier:
            await resources.store.write(
                lambda tx: tx.execute("DELETE FROM data_directory") and None
            )
    # What the agent has started, as the row of its launch and its environment would name it.
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        cwd=about.worktree,
        env={**os.environ, "ANYON_EXECUTION_ID": row.id},
    ) as program:
        try:
            shutil.copytree(first, second, symlinks=True)
            before = state(about, repository), state(gone, repository)
            id = about.attempt.id
            async with opened(second) as copy:
                ended = await copy.store.read(lambda r: processes.get(r, row.id))
                assert ended.status is ProcessStatus.KILLED
                assert await copy.store.read(processes.running) == []
                assert await copy.store.read(intents.fetch_all) == []
                recorded = await copy.store.read(data_directory.recorded)
                assert recorded is not None
                assert recorded.path == os.path.realpath(copy.paths.data_dir)
                there = await subject.read(copy, id)
                assert there.task.status is TaskStatus.IN_REVIEW
                assert there.worktree == about.worktree
                seen = await status.branch_status(
                    there.repository, there.worktree, there.attempt.branch, "main"
                )
                assert seen.untracked_count == 1
                for act in (
                    worktree.prepare(copy, there),
                    worktree.find_or_repair(copy, there),
                    worktree.find_again(copy, there),
                    intent_outcomes.settled(copy, id),
                ):
                    with pytest.raises(WorktreeElsewhere, match=str(first / "data")):
                        await act
                await worktree.find_all_again(copy)
                await removal.sweep(copy, float("inf"))
                await removal.sweep_locks(copy)
                await removal.clean_up(copy)
                await removal.delete_project(copy, about.project.id)
                await removal.clean_up(copy)
                assert await copy.store.read(cleanups.fetch_all) == []
                assert await copy.store.read(expiries.attempt_ids) == set()
            assert (state(about, repository), state(gone, repository)) == before
            assert program.poll() is None
        finally:
            program.kill()
    async with opened(first) as resources:
        there = await worktree.prepare(resources, await subject.read(resources, about.attempt.id))
        assert (there.worktree / "new.txt").exists()
        await removal.clean_up(resources)
        assert not gone.worktree.exists()


async def test_what_a_copy_begins_itself_is_its_own(tmp_path: Path, repository: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with opened(first) as resources:
        about, _ = await work_under_way(resources, repository)
    shutil.copytree(first, second, symlinks=True)
    for _ in range(2):
        async with opened(second) as copy:
            assert about.attempt.id in await copy.store.read(data_directory.elsewhere)
            mine = await another(copy, about.project.id, f"anyon/{_}")
            assert mine.worktree.is_relative_to(second)
            (mine.worktree / f"{_}.txt").write_text("mine\n")
            await merging.merge_attempt(copy, mine, MergeStrategy.MERGE)
            await worktree.find_or_repair(copy, mine)
    async with opened(second) as copy:
        elsewhere = await copy.store.read(data_directory.elsewhere)
        assert [*elsewhere] == [about.attempt.id]


@pytest.mark.parametrize("how", ["gone", "moved"])
async def test_a_copy_takes_over_when_the_first_is_gone(
    tmp_path: Path, repository: Path, how: str
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with opened(first) as resources:
        about, _ = await work_under_way(resources, repository)
    if how == "moved":
        first.rename(second)
    else:
        shutil.copytree(first, second, symlinks=True)
        async with opened(second):
            pass
        shutil.rmtree(first)
    async with opened(second) as copy:
        assert await copy.store.read(data_directory.elsewhere) == {}
        there = await worktree.prepare(copy, await subject.read(copy, about.attempt.id))
        assert there.worktree.is_relative_to(second)
        assert (there.worktree / "new.txt").read_text() == "new\n"
        row = await copy.store.read(lambda r: attempts.get(r, about.attempt.id))
        assert row.container_ref == str(there.worktree)


async def test_another_name_of_the_same_directory_is_no_copy(
    tmp_path: Path, repository: Path
) -> None:
    first = tmp_path / "first"
    async with opened(first) as resources:
        about, row = await work_under_way(resources, repository)
    (tmp_path / "link").symlink_to(first)
    async with opened(tmp_path / "link") as again:
        await copied_data.notice(again)
        assert await again.store.read(data_directory.elsewhere) == {}
        assert [one.id for one in await again.store.read(processes.running)] == [row.id]
        assert (await worktree.prepare(again, about)).worktree == about.worktree
