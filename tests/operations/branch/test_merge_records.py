"""What landed is shown to who wants an end, as soon as there is nothing else, and not before."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path

import pytest
import trio

from anyond.git.commits import commit
from anyond.git.merging import merge
from anyond.git.merging.merge_record import MergeRecord, find
from anyond.git.program.command import git
from anyond.git.repo import branches
from anyond.model.http.bodies import MergeStrategy
from anyond.model.http.frames import DiffFound, DiffFrame, DiffReady, DiffRemoved, DiffResync
from anyond.model.ids import new_id, now
from anyond.model.rows import Diff, PullRequestInfo, RunReason, TaskStatus
from anyond.operations import subject
from anyond.operations.branch.intent_outcomes import settled
from anyond.operations.branch.merge_records import latest
from anyond.operations.branch.merging import merge_attempt
from anyond.operations.resources import Resources
from anyond.store.board import tasks
from anyond.store.runs import intents, merges
from anyond.store.runs.intents import Intent
from anyond.watchers import diffs
from anyond.watchers.diffs import Diffs
from tests.support.operations.attempts import attempt
from tests.support.store.seeds import add_process, end_process

LINES = "".join(f"line {n}\n" for n in range(9))


class Watching:
    """What a client knows of a stream of differences.

    Args:
        frames: the stream.
    """

    def __init__(self, frames: AsyncIterator[list[DiffFrame]]) -> None:
        self._frames = frames
        self.files: dict[str, Diff] = {}
        self.resyncs = 0

    async def until_ready(self) -> dict[str, Diff]:
        with trio.fail_after(30):
            while not await self._next():
                pass
        return self.files

    async def until_end(self) -> dict[str, Diff]:
        with trio.fail_after(30):
            while await self._next() is not None:
                pass
        return self.files

    async def until(self, *paths: str) -> None:
        with trio.fail_after(30):
            while set(self.files) != set(paths):
                assert await self._next() is not None, "it has ended"

    async def aclose(self) -> None:
        await self._frames.aclose()  # type: ignore[attr-defined]

    async def _next(self) -> bool | None:
        """Whether what came was `ready`; None at the end."""
        batch = await anext(self._frames, None)
        for frame in batch or ():
            if isinstance(frame, DiffResync):
                self.resyncs += 1
                self.files.clear()
            elif isinstance(frame, DiffRemoved):
                del self.files[frame.path]
            elif isinstance(frame, DiffFound):
                self.files[frame.path] = frame.data
        return None if batch is None else isinstance(batch[-1], DiffReady)


class Desk:
    """The differences of one attempt, and whether somebody is at work in it."""

    def __init__(self, nursery: trio.Nursery, resources: Resources, about: subject.Subject) -> None:
        self.busy = False
        self.resources = resources
        self.about = about
        self._diffs = Diffs(nursery, resources, lambda _: self.busy)

    def follow(self, stats_only: bool = False, *, ends: bool = True) -> aclosing[Watching]:
        return aclosing(Watching(self._diffs.follow(self.id, stats_only, ends_with_merge=ends)))

    @property
    def id(self) -> str:
        return self.about.attempt.id

    async def displayed(self, stats_only: bool = False) -> dict[str, Diff]:
        """All that a stream with an end has told when it ends."""
        async with self.follow(stats_only) as watching:
            files = await watching.until_end()
        assert watching.resyncs == 0, "something else was shown first"
        return files

    async def work(self, **files: str) -> None:
        """One commit of the attempt."""
        await committed(self.about.worktree, **files)

    async def merge(self, strategy: MergeStrategy = MergeStrategy.MERGE) -> None:
        await merge_attempt(self.resources, self.about, strategy)


async def committed(where: Path, **files: str) -> str:
    for name, text in files.items():
        (where / name).write_text(text)
    made = await commit.commit_all(where, "change")
    assert made is not None
    return made


@pytest.fixture
async def desk(resources: Resources, repository: Path) -> AsyncIterator[Desk]:
    await committed(repository, base=LINES)
    about = await attempt(resources, repository)
    async with trio.open_nursery() as nursery:
        yield Desk(nursery, resources, about)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("strategy", MergeStrategy)
async def test_only_what_the_attempt_did_is_shown_however_it_landed(
    desk: Desk, repository: Path, strategy: MergeStrategy
) -> None:
    await desk.work(one="1\n", base=LINES.replace("line 0", "first"))
    await desk.work(two="2\n")
    (desk.about.worktree / "three").write_text("not committed\n")
    await committed(repository, theirs="theirs\n", base=LINES.replace("line 8", "last"))
    await desk.merge(strategy)
    await committed(repository, later="later\n")
    files = await desk.displayed()
    assert {path: row.change for path, row in files.items()} == {
        "base": "modified",
        "one": "added",
        "three": "added",
        "two": "added",
    }
    base = files["base"]
    assert (base.additions, base.deletions, base.content_omitted) == (1, 1, False)
    assert base.old_content == LINES.replace("line 8", "last")
    assert base.new_content == LINES.replace("line 8", "last").replace("line 0", "first")
    numbers = await desk.displayed(stats_only=True)
    assert set(numbers) == set(files)
    for path, row in numbers.items():
        assert (row.additions, row.deletions) == (files[path].additions, files[path].deletions)
        assert (row.old_content, row.new_content, row.content_omitted) == (None, None, True)


@pytest.mark.parametrize("strategy", MergeStrategy)
async def test_who_watches_while_it_lands_sees_it_and_then_the_end(
    desk: Desk, strategy: MergeStrategy
) -> None:
    await desk.work(one="1\n", two="2\n")
    async with desk.follow() as watching, desk.follow(ends=False) as plain:
        assert set(await watching.until_ready()) == {"one", "two"}
        assert set(await plain.until_ready()) == {"one", "two"}
        before = watching.files.copy()
        await desk.merge(strategy)
        assert await watching.until_end() == before
        assert watching.resyncs == 1
        # Others are told what there is now, for as long as they like.
        (desk.about.worktree / "three").write_text("3\n")
        squashed = strategy is MergeStrategy.SQUASH
        await plain.until(*(("one", "two") if squashed else ()), "three")
        assert plain.resyncs == 0


async def test_it_is_shown_when_the_worktree_is_gone(desk: Desk) -> None:
    await desk.work(one="1\n")
    await desk.merge()
    shutil.rmtree(desk.about.worktree)
    assert set(await desk.displayed()) == {"one"}


async def test_what_comes_after_a_landing_is_shown_as_it_is_made(desk: Desk) -> None:
    await desk.work(one="1\n")
    await desk.merge(MergeStrategy.SQUASH)
    for id, reason in (("agent", RunReason.CODING_AGENT), ("server", RunReason.DEV_SERVER)):
        await desk.resources.store.write(
            partial(add_process, id=id, attempt=desk.id, reason=reason)
        )
    async with desk.follow() as watching:
        assert set(await watching.until_ready()) == {"one"}, "nothing is over while an agent works"
        (desk.about.worktree / "two").write_text("2\n")
        await watching.until("one", "two")
        await desk.resources.store.write(partial(end_process, id="agent"))
        (desk.about.worktree / "three").write_text("3\n")
        await watching.until("one", "two", "three")
        await desk.merge()
        assert set(await watching.until_end()) == {"two", "three"}


async def test_an_earlier_landing_is_not_shown_between_a_merge_and_its_row(
    desk: Desk, repository: Path
) -> None:
    await desk.work(one="1\n")
    await desk.merge()
    await desk.work(two="2\n")
    async with desk.follow() as watching:
        await watching.until("two")
        desk.busy = True
        done = await merge.merge(
            desk.resources.repositories, repository, "anyon/x", "main", message="again"
        )
        await watching.until()
        await record(desk, done.after, done.before)
        desk.busy = False
        assert set(await watching.until_end()) == {"two"}


async def record(desk: Desk, after: str, before: str | None = None) -> None:
    await desk.resources.store.write(
        lambda tx: merges.insert_direct(
            tx,
            id=new_id(),
            attempt_id=desk.id,
            merge_commit=after,
            target_before=before,
            target_branch_name="main",
            now=now(),
        )
    )


async def test_without_a_note_it_is_what_the_merge_commit_brought(
    desk: Desk, repository: Path
) -> None:
    await desk.work(one="1\n")
    theirs = await committed(repository, theirs="theirs\n")
    await desk.merge()
    merged_at = await branches.commit(repository, "main")
    assert await latest(desk.resources, desk.about) == MergeRecord(theirs, merged_at)
    await desk.resources.store.write(
        lambda tx: tx.execute("UPDATE merges SET target_before = NULL")
    )
    assert await latest(desk.resources, desk.about) == MergeRecord(theirs, merged_at)
    assert set(await desk.displayed()) == {"one"}


async def test_a_pull_request_is_shown_as_soon_as_what_became_of_it_is_here(
    desk: Desk, repository: Path, tmp_path: Path
) -> None:
    await desk.work(one="1\n")
    away = tmp_path / "away"
    await git("clone", "-q", repository, away, cwd=repository)
    await git("merge", "-q", "--squash", "origin/anyon/x", cwd=away)
    squashed = await commit.commit_all(away, "squashed")
    assert squashed is not None
    info = PullRequestInfo(
        number=4, url="https://pr/4", status="merged", merged_at=now(), merge_commit_sha=squashed
    )
    await desk.resources.store.write(
        lambda tx: merges.keep_pull_request(
            tx, id=new_id(), attempt_id=desk.id, target_branch_name="main", info=info, now=now()
        )
    )
    # Somebody has put the same into the target by hand: nothing differs, and there is no more.
    await git("merge", "-q", "anyon/x", cwd=repository)
    async with desk.follow() as watching:
        assert await watching.until_ready() == {}
        await git("fetch", "-q", away, cwd=repository)
        assert set(await watching.until_end()) == {"one"}


async def test_names_of_commits_that_are_none_are_not_found(repository: Path) -> None:
    tip = await committed(repository, a="a\n")
    first = await branches.commit(repository, "main^")
    assert await find(repository, None, tip) == MergeRecord(first, tip)
    tree = (await git("rev-parse", "main^{tree}", cwd=repository)).text
    for before, after in (
        (None, first),  # has no parent
        (None, "f" * 40),
        ("f" * 40, tip),
        (None, tree),
        (None, "main"),
        (first, "HEAD"),
        ("--help", tip),
        (None, f"{tip}\n{tip}"),
        (first, ""),
    ):
        assert await find(repository, before, after) is None, (before, after)
    assert await find(repository / "gone", None, tip) is None
    assert await find(Path("/"), None, tip) is None


@pytest.mark.parametrize("moved", [True, False])
async def test_a_merge_that_a_daemon_did_not_live_to_write_down_is_written_down_by_the_next(
    resources: Resources, repository: Path, moved: bool
) -> None:
    about = await attempt(resources, repository)
    (about.worktree / "new.txt").write_text("new\n")
    await commit.commit_all(about.worktree, "New")

    async def on_plan(planned: MergeRecord) -> None:
        intent = Intent(
            attempt_id=about.attempt.id,
            kind="merge",
            name=about.attempt.target_branch,
            tip=planned.before,
            onto=planned.after,
            created_at=now(),
        )
        await resources.store.write(lambda tx: intents.put(tx, intent))
        if not moved:
            raise InterruptedError

    ends = (about.repository, about.attempt.branch, about.attempt.target_branch)
    with suppress(InterruptedError):
        await merge.merge(resources.repositories, *ends, message="Land", on_plan=on_plan)
    for _ in range(2):  # and once only
        await settled(resources, about.attempt.id)
        rows = await resources.store.read(lambda r: merges.of_attempt(r, about.attempt.id))
        task = await resources.store.read(lambda r: tasks.get(r, about.task.id))
        assert len(rows) == moved
        assert (task.status is TaskStatus.DONE) == moved
    assert await resources.store.read(intents.fetch_all) == []


async def test_a_watcher_of_a_calm_attempt_learns_of_a_merge_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diffs, "CALM_SHARE", 1e9)  # as calm as after many hours
    await desk.work(one="1\n")
    async with desk.follow(ends=False) as watching:
        await watching.until_ready()
        assert set(watching.files) == {"one"}
        with trio.fail_after(diffs.LONGEST_PAUSE / 2):
            await trio.sleep(2 * diffs.SHORTEST_PAUSE)
            await desk.merge()
            await watching.until()
