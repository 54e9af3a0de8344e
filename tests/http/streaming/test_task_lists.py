"""A list of tasks that is kept says, byte for byte, what a list that is read says."""

from __future__ import annotations

import random
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
import trio
from trio.testing import MockClock

from anyond.http.streaming import task_lists
from anyond.http.streaming.task_lists import TaskLists, assembled
from anyond.model.http.bodies import NewProject, NewTask, TaskPatch
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import ProcessStatus, TaskStatus
from anyond.store.board import projects, tasks
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Tx
from anyond.store.runs import merges, processes
from tests.support.store import seeds as store_seeds
from tests.support.store.new_database import new_database
from tests.support.store.seeds import add_attempt, add_process, add_project, add_task, at


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store.open(new_database(tmp_path / "anyon.db"), inline=True, keep=300) as opened:
        yield opened


async def read(store: Store, project: str = "p") -> bytes:
    return msgspec.json.encode(await store.read(lambda r: tasks.all_with_status(r, project)))


class Work:
    """All that can happen to the tasks of a project, in any order."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.second = 0
        self.tasks = ["t0"]
        self.attempts: list[tuple[str, str]] = []
        self.running: list[tuple[str, str]] = []

    def now(self) -> str:
        self.second += 1
        return at(self.second)

    def step(self, tx: Tx) -> None:
        what: list[Callable[[Tx, str], None]] = [
            self.create, self.patch, self.patch, self.move, self.attempt, self.attempt,
            self.finish, self.finish, self.drop, self.merge, self.delete, self.elsewhere,
        ]  # fmt: skip
        self.chance.choice(what)(tx, f"i{self.second}")

    def create(self, tx: Tx, id: str) -> None:
        parent = self.chance.choice([None, *(attempt for attempt, _ in self.attempts)])
        add_task(tx, id, now=self.now(), parent=parent)
        self.tasks.append(id)

    def patch(self, tx: Tx, id: str) -> None:
        tasks.patch(tx, self.chance.choice(self.tasks), TaskPatch(title=f"ü{id}"), self.now())

    def move(self, tx: Tx, id: str) -> None:
        status = self.chance.choice(list(TaskStatus))
        tasks.set_status(tx, self.chance.choice(self.tasks), status, self.now())

    def attempt(self, tx: Tx, id: str) -> None:
        task = self.chance.choice(self.tasks)
        add_attempt(tx, id, task, self.now(), self.chance.choice(["ACP", "CODEX"]))
        add_process(tx, f"x{id}", id, now=self.now())
        self.attempts.append((id, task))
        self.running.append((f"x{id}", task))

    def finish(self, tx: Tx, id: str) -> None:
        if self.running:
            process, _ = self.running.pop(self.chance.randrange(len(self.running)))
            status = self.chance.choice([ProcessStatus.COMPLETED, ProcessStatus.FAILED])
            store_seeds.end_process(tx, process, status, self.now())

    def drop(self, tx: Tx, id: str) -> None:
        if self.attempts:
            attempt, _ = self.chance.choice(self.attempts)
            processes.drop_from(tx, attempt, f"x{attempt}", self.now())

    def merge(self, tx: Tx, id: str) -> None:
        if self.attempts:
            attempt, _ = self.chance.choice(self.attempts)
            merges.insert_direct(
                tx, id=id, attempt_id=attempt, merge_commit="a" * 40, target_branch_name="main",
                now=self.now(),
            )  # fmt: skip

    def delete(self, tx: Tx, id: str) -> None:
        if len(self.tasks) > 2:
            task = self.tasks.pop(self.chance.randrange(len(self.tasks)))
            tasks.delete(tx, task, self.now())
            self.attempts = [pair for pair in self.attempts if pair[1] != task]
            self.running = [pair for pair in self.running if pair[1] != task]

    def elsewhere(self, tx: Tx, id: str) -> None:
        add_task(tx, id, "other", self.now())


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_both_say_the_same(store: Store, seed: int) -> None:
    work, saved = Work(seed), TaskLists(store)

    def begin(tx: Tx) -> None:
        add_project(tx)
        add_project(tx, "other")
        add_task(tx, "t0", now=work.now())

    await store.write(begin)
    reads = 0
    for _ in range(150):
        await store.write(work.step)
        if work.chance.random() < 0.5:
            listed = await saved.of("p")
            reads += 1
            assert listed.rows == await read(store)
            assert listed.position == store.changes.end
            whole = msgspec.json.decode(listed.known.body)
            assert whole["data"] == msgspec.json.decode(listed.rows)
    assert reads > 40


async def test_a_list_is_read_once_and_then_follows(store: Store) -> None:
    saved = TaskLists(store)
    await store.write(add_project)
    await store.write(lambda tx: add_task(tx, "a"))
    first = await saved.of("p")
    assert await saved.of("p") is first
    # What nobody announces can only be seen by reading.
    await store.write(lambda tx: tx.execute("UPDATE tasks SET title = 'unheard'") and None)
    assert await saved.of("p") is first
    await store.write(lambda tx: add_task(tx, "b", now=at(1)))
    second = await saved.of("p")
    assert [row["title"] for row in msgspec.json.decode(second.rows)] == ["Task b", "Task a"]
    assert second.known.etag != first.known.etag


async def test_what_does_not_concern_the_list_leaves_its_etag(store: Store) -> None:
    saved = TaskLists(store)
    await store.write(add_project)
    await store.write(lambda tx: add_task(tx, "a"))
    first = await saved.of("p")
    await store.write(lambda tx: add_project(tx, "other"))
    await store.write(lambda tx: add_task(tx, "b", "other"))
    later = await saved.of("p")
    assert later.known is first.known
    assert later.position > first.position


async def test_a_task_that_is_older_than_others_comes_where_it_belongs(store: Store) -> None:
    """The clock of the machine was set back."""
    saved = TaskLists(store)
    await store.write(add_project)
    await store.write(lambda tx: add_task(tx, "late", now=at(9)))
    await saved.of("p")
    await store.write(lambda tx: add_task(tx, "early", now=at(3)))
    assert (await saved.of("p")).rows == await read(store)


async def test_a_list_that_fell_far_behind_is_read_again(store: Store) -> None:
    saved = TaskLists(store)
    await store.write(add_project)
    await store.write(lambda tx: add_task(tx, "a"))
    await saved.of("p")

    def much(tx: Tx) -> None:
        for n in range(700):
            tasks.patch(tx, "a", TaskPatch(title=f"{n}"), at(n))

    for _ in range(3):
        await store.write(much)
    assert store.changes.oldest > 1, "some must have been forgotten"
    assert (await saved.of("p")).rows == await read(store)


async def test_a_project_that_is_gone_is_not_found_and_one_without_tasks_is(store: Store) -> None:
    saved = TaskLists(store)
    for _ in range(2):
        with pytest.raises(NotFound):
            await saved.of("p")
    await store.write(add_project)
    assert (await saved.of("p")).rows == b"[]"
    await store.write(lambda tx: add_task(tx, "a"))
    assert (await saved.of("p")).rows == await read(store)
    await store.write(lambda tx: tasks.delete(tx, "a", at(5)) and None)
    assert (await saved.of("p")).rows == b"[]"
    await store.write(lambda tx: projects.delete(tx, "p", at(6)))
    with pytest.raises(NotFound):
        await saved.of("p")


async def test_not_more_is_kept_than_allowed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_lists, "MOST_BYTES", 3000)
    saved = TaskLists(store)

    def fill(tx: Tx) -> None:
        for n in range(4):
            projects.insert(
                tx,
                NewProject(name="P", git_repo_path=f"/r{n}", use_existing_repo=True),
                f"p{n}",
                at(0),
            )
            new = NewTask(project_id=f"p{n}", title="T", description="x" * 1500)
            tasks.insert(tx, new, f"t{n}", at(n))

    await store.write(fill)
    found = {n: await saved.of(f"p{n}") for n in range(4)}
    assert await saved.of("p3") is found[3]
    assert await saved.of("p0") is not found[0]
    assert (await saved.of("p0")).rows == await read(store, "p0")


async def test_many_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    async with Store.open(new_database(tmp_path / "anyon.db")) as store:
        saved = TaskLists(store)
        await store.write(add_project)
        await store.write(lambda tx: add_task(tx, "a"))
        seen: list[bytes] = []

        async def client(n: int) -> None:
            await store.write(lambda tx: tasks.patch(tx, "a", TaskPatch(title=f"{n}"), at(n)))
            seen.append((await saved.of("p")).rows)

        async with trio.open_nursery() as nursery:
            for n in range(20):
                nursery.start_soon(client, n)
        assert (await saved.of("p")).rows == await read(store)
        assert seen[-1] == await read(store)


async def test_a_large_list_is_put_together_beside_the_loop(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_lists, "AT_ONCE", 7)
    threads = []

    def noting(rows: dict[str, bytes]) -> bytes:
        threads.append(threading.get_ident())
        return assembled(rows)

    monkeypatch.setattr(task_lists, "assembled", noting)
    boards = TaskLists(store)

    def fill(tx: Tx) -> None:
        add_project(tx, "p")
        for number in range(40):
            add_task(tx, f"t{number:02}", now=at(number + 1))

    await store.write(fill)
    assert (await boards.of("p")).rows == await read(store)
    await store.write(lambda tx: tasks.set_status(tx, "t05", TaskStatus.DONE, at(60)))
    assert (await boards.of("p")).rows == await read(store)
    assert len(threads) == 2
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("number", [0, 1, 6, 7, 8, 50])
def test_pieces_make_the_same_list(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(task_lists, "AT_ONCE", 7)
    rows = {str(n): b'{"n":%d}' % n for n in range(number)}
    found = msgspec.json.decode(assembled(rows))["data"]
    assert found == [{"n": n} for n in reversed(range(number))]


async def test_a_large_list_is_forgotten_when_nobody_asks_for_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    monkeypatch.setattr(task_lists, "MOST_BYTES", 100)
    given_back = threading.Semaphore(0)
    monkeypatch.setattr(task_lists, "give_back", given_back.release)
    await store.write(lambda tx: add_project(tx, "p"))
    await store.write(lambda tx: add_task(tx, "t", "p"))
    kept = TaskLists(store)
    first = await kept.of("p")
    for _ in range(3):
        await trio.sleep(task_lists.STORED_SECONDS - 1)
        assert (await kept.of("p")).known is first.known
    await trio.sleep(task_lists.STORED_SECONDS + 1)
    assert await trio.to_thread.run_sync(given_back.acquire, True, 20)
    again = await kept.of("p")
    assert again.known is not first.known
    assert again.known.body == first.known.body
    await trio.sleep(task_lists.STORED_SECONDS + 1)
    assert await trio.to_thread.run_sync(given_back.acquire, True, 20)
