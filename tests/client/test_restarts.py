"""Streams, and requests, of a daemon that is killed, moves to another port, or stands still."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import pytest
import trio

from anyond.api import attempts, events, processes, projects, tasks
from anyond.api.declaration.endpoint import Stream
from anyond.api.declaration.params import Nothing, OfAttempt
from anyond.client import Address, Client, DeadlinePassed, StreamFailed, Unanswered, find_daemon
from anyond.client.events import EventLines
from anyond.client.messages import Frames
from anyond.model.http.bodies import NewTask
from anyond.model.http.frames import LogOperation
from tests.support.daemon import TIMEOUT_S, Daemon

LINES = 120
SCRIPT = f"n=0; while [ $n -lt {LINES} ]; do echo line $n; n=$((n+1)); sleep 0.05; done"


@pytest.mark.parametrize("batch", [False, True])
async def test_output_is_whole_across_kills_of_the_daemon(tmp_path: Path, batch: bool) -> None:
    text = ""
    async with Daemon(tmp_path) as daemon:
        project = await daemon.project(setup_script=SCRIPT)
        await daemon.use_fake_agent()
        attempt = await daemon.attempt(project, "say hello")
        run = await daemon.running(attempt)
        port = int(daemon.url.rpartition(":")[2])
        params = processes.FollowedLog(execution_process_id=run["id"], batch=batch)
        with trio.fail_after(2 * TIMEOUT_S):
            async with Client(Address(daemon.url)) as client:
                kills = 0
                async with client.follow(processes.STREAM_RAW_LOGS, params) as frames:
                    async for frame in frames:
                        text += frame.value.content
                        if kills < 2 and text.count("\n") > LINES * (kills + 1) // 4:
                            kills += 1
                            await daemon.kill()
                            await daemon.start(port=port)
                assert kills == 2
                await client.call(attempts.STOP_EXECUTION, OfAttempt(task_attempt_id=attempt["id"]))
    assert [line for line in text.splitlines() if line.startswith("line ")] == [
        f"line {n}" for n in range(LINES)
    ]


async def test_records_and_events_are_whole_across_kills(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        port = int(daemon.url.rpartition(":")[2])
        seen: list[str] = []
        reported: list[str] = []
        titles = [f"Task {n}" for n in range(24)]

        async def follow_records() -> None:
            params = tasks.FollowedTasks(project_id=project["id"], after=0)
            async with client.follow(tasks.STREAM_TASKS, params) as frames:
                async for frame in frames:
                    seen.append(frame.data.title)
                    if len(seen) == len(titles):
                        return

        async def follow_events() -> None:
            params = events.FollowedEvents(after=0)
            async with client.follow_events(events.FOLLOW_EVENTS, params) as following:
                async for event in following:
                    if event.name == "task_created":
                        reported.append(event.data.title)
                    if len(reported) == len(titles):
                        return

        with trio.fail_after(2 * TIMEOUT_S):
            async with Client(Address(daemon.url)) as client, trio.open_nursery() as nursery:
                nursery.start_soon(follow_records)
                nursery.start_soon(follow_events)
                for n, title in enumerate(titles):
                    if n in (8, 16):
                        await daemon.kill()
                        await daemon.start(port=port)
                    new = NewTask(project_id=project["id"], title=title)
                    await client.call(tasks.CREATE_TASK, Nothing(), new)
    assert seen == titles
    assert reported == titles


async def test_a_daemon_that_comes_back_elsewhere_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        for name, value in daemon.environment.items():
            if name.startswith("ANYON_"):
                monkeypatch.setenv(name, value)
        monkeypatch.delenv("ANYON_URL", raising=False)
        with trio.fail_after(2 * TIMEOUT_S):
            async with Client() as client:
                params = tasks.FollowedTasks(project_id=project["id"])
                async with client.follow(tasks.STREAM_TASKS, params) as frames:
                    assert (await anext(frames)).data == []
                    former = daemon.url
                    await daemon.kill()
                    await daemon.start("--unix", str(tmp_path / "s"), port=None)
                    assert daemon.url != former
                    new = NewTask(project_id=project["id"], title="Brew")
                    made = await client.call(tasks.CREATE_TASK, Nothing(), new)
                    assert (await anext(frames)).data.id == made.id
                    assert client.address == find_daemon()


async def test_a_daemon_that_stands_still_meets_the_deadline(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon, Client(Address(daemon.url)) as client:
        assert await client.call(projects.LIST_PROJECTS) == []
        standing = psutil.Process(daemon.pid)
        standing.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(DeadlinePassed, match=r"within 0\.2 s") as passed:
                await client.call(projects.LIST_PROJECTS, timeout_s=0.2)
        finally:
            standing.send_signal(signal.SIGCONT)
        assert isinstance(passed.value, Unanswered)
        assert await client.call(projects.LIST_PROJECTS) == []


def test_frames_and_events_of_a_newer_daemon_are_left_out() -> None:
    endpoint: Stream[processes.FollowedLog] = processes.STREAM_RAW_LOGS
    known = '{"op":"add","path":"/0","value":{"type":"stdout","content":"a"},"seq":1}'
    odd = '{"op":"recall","path":"/0","seq":2}'
    [frame] = Frames(endpoint).read(f"[{odd},{known}]")
    assert isinstance(frame, LogOperation)
    assert Frames(endpoint).read(odd) == []
    lines = EventLines(events.FOLLOW_EVENTS)
    for line in ("id: 7", "event: task_created", 'data: {"id": 1}'):
        assert list(lines.feed(line)) == []
    assert list(lines.feed("")) == []


async def test_a_stream_that_cannot_go_on_says_why(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon, daemon.api() as client:
        attempt = await daemon.attempt(await daemon.project(), "Hello", "DEMO")
        of_attempt = OfAttempt(task_attempt_id=attempt["id"])
        await client.call(attempts.STOP_EXECUTION, of_attempt)
        linked = (Path(attempt["container_ref"]) / ".git").read_text().removeprefix("gitdir: ")
        (Path(linked.strip()) / "index").write_bytes(b"no index")
        followed = attempts.FollowedDiff(task_attempt_id=attempt["id"])
        with trio.fail_after(TIMEOUT_S), pytest.raises(StreamFailed, match=r"^git "):
            async with client.follow(attempts.STREAM_DIFF, followed) as frames:
                await anext(frames)
