"""What became of pull requests is found out, at a pace that costs nothing."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
import trio.testing

from anyond.agents.roster import DEFAULT_PROFILES
from anyond.files.desktop_notifier import DesktopNotifier
from anyond.files.images import ImageFiles
from anyond.git.repo.repository import Repositories
from anyond.github.answers import PullRequest
from anyond.github.client import GitHub
from anyond.github.site import Site
from anyond.host.app_paths import AppPaths
from anyond.model.ids import now
from anyond.model.rows import PullRequestMerge, TaskStatus
from anyond.operations.branch import pull_requests
from anyond.operations.resources import Resources
from anyond.procs.shims.launcher import Launcher
from anyond.settings.config import ConfigFile
from anyond.settings.profiles import Profiles
from anyond.store.board import tasks
from anyond.store.engine.database import Store
from anyond.store.runs import merges
from anyond.watchers.monitor import CLOSED_PAUSE_S, Monitor
from tests.support.fakes.servers.github_server import GitHubServer, github_server
from tests.support.store.new_database import new_database
from tests.support.store.seeds import add_family

SLUG = "ada/tea"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with github_server(tmp_path / "hub") as made:
        made.git.repository(SLUG)
        yield made


@pytest.fixture
async def resources(tmp_path: Path, server: GitHubServer) -> AsyncIterator[Resources]:
    paths = AppPaths.under(tmp_path)
    paths.create()
    config = ConfigFile(paths.config)
    config.patch({"github": {"pat": "ghp_adas_secret_token"}, "pr_poll_interval_s": 5})
    async with (
        Store.open(new_database(paths.database)) as store,
        Launcher.open(paths.executions) as launcher,
        DesktopNotifier.open() as notifier,
    ):
        await store.write(add_family)
        profiles = Profiles(paths.profiles, DEFAULT_PROFILES)
        github = GitHub(Site(server.url, server.api))
        yield Resources(
            store=store,
            config=config,
            profiles=profiles,
            paths=paths,
            repositories=Repositories(),
            launcher=launcher,
            github=github,
            images=ImageFiles(paths.images),
            notifier=notifier,
        )


async def opened(resources: Resources, server: GitHubServer, count: int = 1) -> None:
    for _ in range(count):
        made = server.open_pull(SLUG, "ada:work", "main")
        known = msgspec.convert(made, PullRequest)
        await resources.store.write(lambda tx, k=known: pull_requests.record(tx, "a", "main", k))  # type: ignore[misc]


async def rows(resources: Resources) -> dict[int, PullRequestMerge]:
    found = await resources.store.read(lambda r: merges.pull_requests(r, "a"))
    return {row.pr_info.number: row for row in found}


async def status(resources: Resources) -> TaskStatus:
    return (await resources.store.read(lambda r: tasks.get(r, "t"))).status


async def test_with_nothing_to_look_at_it_sleeps_until_it_is_woken(
    resources: Resources, server: GitHubServer
) -> None:
    monitor = Monitor(resources)
    assert await monitor.look() == math.inf
    async with trio.open_nursery() as nursery:
        nursery.start_soon(monitor.run)
        await trio.testing.wait_all_tasks_blocked()
        await opened(resources, server)
        server.merge(SLUG, 1)
        monitor.wake()
        with trio.fail_after(30):
            while await status(resources) is not TaskStatus.DONE:
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "change", [{"pr_poll_interval_s": 7}, {"github": {"pat": "ghp_adas_secret_token"}}]
)
async def test_what_is_set_counts_at_once_and_not_after_the_pause(
    resources: Resources, server: GitHubServer, change: dict[str, Any]
) -> None:
    resources.config.patch({"github": {"pat": "ghp_other"}, "pr_poll_interval_s": 86400})
    server.git.tokens["ghp_other"] = "ada"
    await opened(resources, server)
    monitor = Monitor(resources)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(monitor.run)
        with trio.fail_after(30):
            while not monitor._tags:
                await trio.sleep(0.01)
        await trio.testing.wait_all_tasks_blocked()
        resources.config.patch({"theme": "DARK"})
        await trio.testing.wait_all_tasks_blocked()
        server.merge(SLUG, 1)
        await trio.to_thread.run_sync(resources.config.patch, change)
        with trio.fail_after(30):
            while await status(resources) is not TaskStatus.DONE:
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert len(server.seen) == 2, "what has nothing to do with it is no reason to look"


async def test_a_merged_one_ends_the_task_and_a_closed_one_does_not(
    resources: Resources, server: GitHubServer
) -> None:
    monitor = Monitor(resources)
    await opened(resources, server, 2)
    server.pull(SLUG, 1)["state"] = "closed"
    assert await monitor.look() == 5
    assert await status(resources) is TaskStatus.TODO
    server.merge(SLUG, 2)
    await monitor.look()
    assert {n: row.pr_info.status for n, row in (await rows(resources)).items()} == {
        1: "closed",
        2: "merged",
    }
    assert (await rows(resources))[2].pr_info.merged_at == "2026-01-02T03:04:05.000Z"
    assert await status(resources) is TaskStatus.DONE


async def test_a_closed_one_that_is_opened_again_is_noticed(
    resources: Resources, server: GitHubServer
) -> None:
    monitor = Monitor(resources)
    await opened(resources, server)
    server.pull(SLUG, 1)["state"] = "closed"
    await monitor.look()
    assert await monitor.look() == CLOSED_PAUSE_S
    server.pull(SLUG, 1)["state"] = "open"
    await monitor.look()
    assert (await rows(resources))[1].pr_info.status == "open"


async def test_what_has_not_changed_is_not_written_again(
    resources: Resources, server: GitHubServer
) -> None:
    monitor = Monitor(resources)
    await opened(resources, server)
    await monitor.look()
    position = resources.store.changes.end
    await monitor.look()
    assert resources.store.changes.end == position
    assert len(server.seen) == 2


async def test_a_merged_one_is_news_once_however_often_and_by_whom_it_is_looked_at(
    resources: Resources, server: GitHubServer
) -> None:
    await opened(resources, server)
    server.merge(SLUG, 1)
    before = resources.store.changes.end
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(Monitor(resources).look)
    again = Monitor(resources)
    assert await again.look() == math.inf
    ask = "SELECT count(*) FROM changes WHERE position > ? AND kind = 'pr_status_changed'"
    reported = await resources.store.read(lambda r: r.execute(ask, (before,)).fetchone())
    assert reported == (1,)
    assert await status(resources) is TaskStatus.DONE


async def test_one_that_cannot_be_seen_does_not_hide_the_others(
    resources: Resources, server: GitHubServer
) -> None:
    monitor = Monitor(resources)
    await opened(resources, server, 3)
    server.fail("/pulls/2", 404)
    server.garble("/pulls/3")
    server.merge(SLUG, 1)
    assert await monitor.look() == 5
    assert (await rows(resources))[1].pr_info.status == "merged"
    await monitor.look()
    assert (await rows(resources))[2].pr_info.status == "open"


async def test_a_repository_may_be_renamed_while_it_has_a_pull_request(
    resources: Resources, server: GitHubServer
) -> None:
    await opened(resources, server)
    server.git.repository("ada/coffee")
    moved = server.open_pull("ada/coffee", "ada:work", "main")
    server.fail("/tea/pulls/1", 301, times=9, Location=f"{server.api}/repos/ada/coffee/pulls/1")
    monitor = Monitor(resources)
    await monitor.look()
    (known,) = await resources.store.read(lambda r: merges.pull_requests(r, "a"))
    assert known.pr_info.url == moved["html_url"] != ""
    server.merge("ada/coffee", 1)
    assert await monitor.look() == 5
    (known,) = await resources.store.read(lambda r: merges.pull_requests(r, "a"))
    assert known.pr_info.status == "merged"
    assert await status(resources) is TaskStatus.DONE
    assert await monitor.look() == math.inf


async def test_a_rate_limit_lengthens_the_pause(resources: Resources, server: GitHubServer) -> None:
    monitor = Monitor(resources)
    await opened(resources, server, 6)
    server.fail("/1", 429, retry_after="100")
    for number in range(2, 7):
        server.fail(f"/{number}", 403, "You have exceeded a secondary rate limit")
    pause = await monitor.look()
    assert pause > 50
    asked = len(server.seen)
    assert asked < 6
    assert await monitor.look() > 50
    assert len(server.seen) == asked


async def test_without_a_token_nothing_is_asked(resources: Resources, server: GitHubServer) -> None:
    await opened(resources, server, 2)
    resources.config.patch({"github": {"pat": None}})
    assert await Monitor(resources).look() == 5
    assert server.seen == []


async def test_a_deleted_task_is_no_trouble(resources: Resources, server: GitHubServer) -> None:
    await opened(resources, server)
    server.merge(SLUG, 1)
    server.held = ("GET", "/pulls/1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Monitor(resources).look)
        with trio.fail_after(30):
            while not server.seen:
                await trio.sleep(0.01)
        await resources.store.write(lambda tx: tasks.delete(tx, "t", now()))
        server.release.set()
    assert await rows(resources) == {}
