"""A stream is one ordered log: however often it is dropped and resumed, it tells the same story."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.support.clients.streams import Frame, events, reported, rows, websocket
from tests.support.daemon import TIMEOUT_S, Daemon

Done = Callable[[Frame], bool]


def resumed(path: str, after: int | None) -> str:
    return path if after is None else f"{path}{'&' if '?' in path else '?'}after={after}"


Reader = Callable[[Daemon, str], AsyncIterator[Frame]]


async def steady(
    daemon: Daemon, path: str, done: Done, after: int | None = None, read: Reader = websocket
) -> list[Frame]:
    """All frames of one connection up to the one that is `done`, or to the end of the stream."""
    found = []
    with trio.fail_after(TIMEOUT_S):
        async with aclosing(read(daemon, resumed(path, after))) as frames:  # type: ignore[type-var]
            async for frame in frames:
                found.append(frame)
                if done(frame):
                    break
    seqs = [frame["seq"] for frame in found]
    assert seqs == sorted(set(seqs)), "positions must rise"
    return found


async def hopping(
    daemon: Daemon, path: str, done: Done, after: int | None = None, read: Reader = websocket
) -> list[Frame]:
    """The same, with a new connection after every single frame."""
    found: list[Frame] = []
    with trio.fail_after(TIMEOUT_S):
        while True:
            position = found[-1]["seq"] if found else after
            async with aclosing(read(daemon, resumed(path, position))) as frames:  # type: ignore[type-var]
                async for frame in frames:
                    # That nothing is new is said to every connection.
                    if not found or frame.get("type") != "ready":
                        found.append(frame)
                        break
                else:
                    return found  # a stream that is over says so again
            if done(frame):
                return found


def never(frame: Frame) -> bool:
    return False


def indexed(frames: list[Frame]) -> dict[int, Frame]:
    """What a client of a structured log knows after `frames`, positions aside."""
    known = {}
    for frame in frames:
        known[frame["index"]] = {key: value for key, value in frame.items() if key != "seq"}
    return known


def differing(frames: list[Frame]) -> dict[str, Frame]:
    """What a client of a diff knows after `frames`."""
    known: dict[str, Frame] = {}
    for frame in frames:
        match frame["type"]:
            case "resync":
                known = {}
            case "diff":
                known[frame["data"]["newPath"] or frame["data"]["oldPath"]] = frame["data"]
            case "diff_removed":
                known.pop(frame["data"]["path"], None)
    return known


async def gathered(*jobs: Callable[[], Any]) -> list[Any]:
    """The results of jobs that run at the same time, in the order of `jobs`."""
    results: dict[int, Any] = {}

    async def run(number: int, job: Callable[[], Any]) -> None:
        results[number] = await job()

    async with trio.open_nursery() as nursery:
        for number, job in enumerate(jobs):
            nursery.start_soon(run, number, job)
    return [results[number] for number in range(len(jobs))]


async def test_record_streams_and_events_can_be_dropped_after_any_frame(daemon: Daemon) -> None:
    project = await daemon.project(setup_script="echo one", cleanup_script="echo two")
    await daemon.use_fake_agent()
    first = await daemon.ask("POST", "/api/tasks", {"project_id": project["id"], "title": "first"})
    tasks = f"/api/tasks/stream/ws?project_id={project['id']}"
    seen: dict[str, list[Frame]] = {}

    def last(frame: Frame) -> bool:
        return bool(frame["type"] == "task_updated" and frame["data"]["title"] == "The end")

    async def note(name: str, reading: Callable[..., Any], path: str, **more: Any) -> None:
        seen[name] = await reading(daemon, path, last, **more)

    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(note, "steady", steady, tasks)
            nursery.start_soon(note, "second", steady, tasks)
            nursery.start_soon(note, "hopping", hopping, tasks)
            for name, reading in (("steady events", steady), ("hopping events", hopping)):
                nursery.start_soon(
                    lambda n=name, r=reading: note(n, r, "/api/events", after=0, read=events)  # type: ignore[misc]
                )
            attempt = await daemon.attempt(project, "write a.txt one")
            doomed = await daemon.ask(
                "POST", "/api/tasks", {"project_id": project["id"], "title": "doomed"}
            )
            await daemon.ask("DELETE", f"/api/tasks/{doomed['id']}")
            await daemon.over(attempt)
            await daemon.ask("PUT", f"/api/tasks/{first['id']}", {"title": "The end"})

    listed = await daemon.ask("GET", f"/api/tasks?project_id={project['id']}")
    final = {row["id"]: row for row in listed}
    for name in ("steady", "second", "hopping"):
        assert rows(seen[name]) == final, name
    # Where a reader began is its own affair; from there on all are told the same.
    whole = seen["steady"]
    for name in ("second", "hopping"):
        later = [f for f in seen[name][1:] if f["seq"] > whole[0]["seq"]]
        assert later == [f for f in whole[1:] if f["seq"] > seen[name][0]["seq"]]
    assert seen["hopping events"] == seen["steady events"]
    kinds = [frame["type"] for frame in seen["steady events"]]
    assert kinds.count("process_started") == kinds.count("process_completed") == 3
    assert kinds.count("task_deleted") == 1

    async def task_tail(after: int, rest: list[Frame]) -> None:
        assert await steady(daemon, tasks, last, after) == rest

    async def event_tail(after: int, rest: list[Frame]) -> None:
        assert await steady(daemon, "/api/events", last, after, events) == rest

    for check, frames in ((task_tail, whole), (event_tail, seen["steady events"])):
        for number, frame in enumerate(frames[:-1]):
            await check(frame["seq"], frames[number + 1 :])

    path = f"/api/execution-processes/stream/ws?task_attempt_id={attempt['id']}"
    again = {"prompt": "say again"}
    process = await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/follow-up", again)

    def ended(frame: Frame) -> bool:
        is_end = frame["type"] == "process_completed"
        return is_end and bool(frame["data"]["id"] == process["id"])

    whole = await steady(daemon, path, ended, after=0)
    completed = [frame["data"]["id"] for frame in whole if frame["type"] == "process_completed"]
    assert len(completed) == len(set(completed)) == 4
    assert {f["type"] for f in whole} >= {"process_created", "process_completed"}
    snapshot = await daemon.processes(attempt)
    assert rows(whole) == {row["id"]: row for row in snapshot}
    for number, frame in enumerate(whole[:-1]):
        assert await steady(daemon, path, ended, frame["seq"]) == whole[number + 1 :]
    assert await hopping(daemon, path, ended, after=0) == whole


async def test_a_position_that_never_was_is_answered_by_a_fresh_snapshot(daemon: Daemon) -> None:
    project = await daemon.project()
    task = await daemon.ask("POST", "/api/tasks", {"project_id": project["id"], "title": "T"})
    path = f"/api/tasks/stream/ws?project_id={project['id']}"
    (frame,) = await steady(daemon, path, lambda _: True, after=10**15)
    assert (frame["type"], frame["data"]) == ("snapshot", [task])
    (frame,) = await steady(daemon, "/api/events", lambda _: True, 10**15, events)
    assert (frame["type"], frame["data"]["end"]) == ("resync", frame["seq"])


async def test_logs_of_an_agent_can_be_dropped_after_any_frame_while_it_works_and_afterwards(
    daemon: Daemon,
) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    prompt = "say début ✓\nplan a | b | c\nlines 15\nask\nlines 15\nwrite a.txt one\nsay fin"
    attempt = await daemon.attempt(project, prompt)
    process = await daemon.running(attempt)
    question = await daemon.question()
    raw = f"/api/execution-processes/{process['id']}/raw-logs/ws"
    entries = f"/api/execution-processes/{process['id']}/normalized-logs/ws"

    async def answer() -> None:
        yes = {"status": {"status": "approved"}}
        await daemon.ask("POST", f"/api/approvals/{question['id']}/respond", yes)

    *live, _ = await gathered(
        *(
            lambda path=path, reading=reading: reading(daemon, path, never)
            for path in (raw, entries)
            for reading in (steady, steady, hopping)
        ),
        lambda: steady(daemon, f"{raw}?batch=true", never),
        lambda: steady(daemon, f"{entries}?batch=true", never),
        answer,
    )
    raws, structured = [*live[:3], live[6]], [*live[3:6], live[7]]
    await daemon.over(attempt)

    after = await steady(daemon, raw, never)
    assert [frame["path"] for frame in after] == [f"/{n}" for n in range(len(after))]
    assert [frame["seq"] for frame in after] == list(range(len(after)))
    for frames in (*raws, await steady(daemon, f"{raw}?batch=true", never)):
        assert frames == after
    for number, frame in enumerate(after):
        assert await steady(daemon, raw, never, frame["seq"]) == after[number + 1 :]

    final = await steady(daemon, entries, never)
    assert [frame["index"] for frame in final] == list(range(len(final)))
    assert final == await steady(daemon, entries, never)
    assert final == await steady(daemon, f"{entries}?batch=true", never)
    assert "fin" in [frame["content"] for frame in final]
    for frames in structured:
        assert indexed(frames) == indexed(final)
    assert len(structured[0]) > len(final), "the text should have been seen growing"
    for frames in (structured[0], structured[2], final):
        for number, frame in enumerate(frames):
            rest = await steady(daemon, entries, never, frame["seq"])
            assert indexed([*frames[: number + 1], *rest]) == indexed(final)


PRINTER = """
import os, time
log = os.path.join({executions!r}, os.environ["ANYON_EXECUTION"], "log")

def put(fd, text, held=0):
    left = text
    while left:
        left = left[os.write(fd, left):]
    # Only what has been written down is in order with what goes through the other pipe.
    seen = text[:len(text) - held][-8:]
    while tail(len(seen)) != seen:
        time.sleep(0.0005)

def tail(size):
    with open(log, "rb") as file:
        file.seek(-size, os.SEEK_END)
        return file.read()

put(1, b"x" * 5_000_000 + b"\\n")
put(2, b"first\\n")
put(1, b"second\\n")
put(2, b"third\\n")
put(1, b"h\\xc3", held=1)
put(1, b"\\xa9llo\\n")
os.write(1, b"\\xe2")
put(2, b"between\\n")
put(1, b"\\x82\\xac\\n")
put(1, b"10 %\\r20 %\\r")
put(1, b"30 %\\r\\n\\r\\n\\n")
put(1, bytes(range(256)) + b"\\n")
put(2, b"\\xff\\xfe\\xf0\\x9f\\n")
put(2, b"cut \\xe2\\x82", held=2)
put(1, b"no newline")
"""

STDOUT = (
    b"x" * 5_000_000
    + b"\nsecond\nh\xc3\xa9llo\n\xe2\x82\xac\n10 %\r20 %\r30 %\r\n\r\n\n"
    + bytes(range(256))
    + b"\nno newline"
)

STDERR = b"first\nthird\nbetween\n\xff\xfe\xf0\x9f\ncut \xe2\x82"


def patched(frames: list[Frame]) -> list[tuple[str, str]]:
    """The document that the operations of a raw log make."""
    chunks: list[tuple[str, str]] = []
    for frame in frames:
        value = (frame["value"]["type"], frame["value"]["content"])
        if frame["op"] == "add":
            assert frame["path"] == f"/{len(chunks)}"
            chunks.append(value)
        else:
            assert frame["op"] == "replace"
            chunks[int(frame["path"][1:])] = value
    return chunks


async def test_the_raw_log_is_exact_to_the_byte_and_keeps_the_order_of_both_streams(
    daemon: Daemon,
) -> None:
    script = daemon.root / "printer.py"
    script.write_text(PRINTER.format(executions=str(daemon.data / "executions")))
    project = await daemon.project(setup_script=f"exec python3 {script}")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    process = (await daemon.processes(attempt))[0]
    path = f"/api/execution-processes/{process['id']}/raw-logs/ws"
    frames = await daemon.frames(path)
    chunks = patched(frames)
    for name, expected in (("stdout", STDOUT), ("stderr", STDERR)):
        output = "".join(text for kind, text in chunks if kind == name)
        assert output == expected.decode("utf-8", "replace"), name
    texts = [text for _, text in chunks]
    paths = [texts.index(t) for t in ("first\n", "second\n", "third\n", "between\n", "€\n")]
    assert paths == sorted(paths)
    assert await daemon.frames(path) == frames
    batches = await daemon.frames(f"{path}?batch=true")
    assert patched(list(itertools.chain(*batches))) == chunks
    assert len(batches) < len(frames)
    small = next(number for number, text in enumerate(texts) if text == "first\n")
    for number in range(small, len(chunks)):
        rest = await daemon.frames(f"{path}?after={number}")
        held = [*frames[: number + 1], *rest]
        assert patched(held) == chunks


async def test_a_client_that_never_reads_slows_nobody_and_costs_no_memory(daemon: Daemon) -> None:
    go = daemon.root / "go"
    lines = 200_000
    line = "a line of output that is neither short nor long, number "
    script = f"until test -e {go}; do sleep 0.01; done; seq -f '{line}%.0f' {lines}"
    project = await daemon.project(setup_script=script)
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    process = await daemon.running(attempt)
    path = f"/api/execution-processes/{process['id']}/raw-logs/ws"
    process = psutil.Process(daemon.pid)
    async with daemon.socket(path) as stalled:
        before = process.memory_info().rss
        go.touch()
        batches = await daemon.frames(f"{path}?batch=true")
        expected = "".join(f"{line}{n}\n" for n in range(1, lines + 1))
        assert "".join(f["value"]["content"] for f in itertools.chain(*batches)) == expected
        assert process.memory_info().rss - before < 20 * 1024**2
        assert len(expected) > 10 * 1024**2, "more than sockets can hold"
        # It was only waited for; now that it reads it gets everything, too.
        with trio.fail_after(TIMEOUT_S):
            frames = [frame async for frame in reported(stalled)]
    assert "".join(text for _, text in patched(frames)) == expected


async def test_a_diff_can_be_dropped_after_any_frame_even_if_nobody_watched_for_a_while(
    daemon: Daemon,
) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write a.txt one\nwrite gone.txt soon")
    await daemon.over(attempt)
    worktree = Path(attempt["container_ref"])
    path = f"/api/task-attempts/{attempt['id']}/diff/ws"

    def ready(frame: Frame) -> bool:
        return bool(frame["type"] == "ready")

    earlier = await steady(daemon, path, ready)
    assert set(differing(earlier)) == {"a.txt", "gone.txt"}
    # While nobody watches, one file changes and one goes; then others watch.
    (worktree / "a.txt").write_text("two\n")
    (worktree / "gone.txt").unlink()
    (worktree / "b.txt").write_text("new\n")
    results: dict[str, list[Frame]] = {}

    async def note(
        name: str, reading: Callable[..., Any], *, task_status: trio.TaskStatus[None]
    ) -> None:
        def last(frame: Frame) -> bool:
            if frame["type"] == "diff" and frame["data"]["newPath"] == "b.txt":
                task_status.started()
            return bool(frame["type"] == "diff_removed" and frame["data"]["path"] == "b.txt")

        results[name] = await reading(daemon, path, last)

    # Positions are held as long as somebody watches.
    async with daemon.socket(path), trio.open_nursery() as nursery:
        for name, reading in (("steady", steady), ("second", steady), ("hopping", hopping)):
            await nursery.start(note, name, reading)
        (worktree / "end.txt").write_text("end\n")
        (worktree / "b.txt").unlink()
    truth = await steady(daemon, path, ready)
    assert set(differing(truth)) == {"a.txt", "end.txt"}
    for frames in results.values():
        assert differing(frames) == differing(truth)
    for number, frame in enumerate(earlier):
        rest = await steady(daemon, path, ready, frame["seq"])
        assert differing([*earlier[: number + 1], *rest]) == differing(truth)
    async with daemon.socket(path) as held:
        followed = reported(held)
        current = [await anext(followed) for _ in truth]
        for number, frame in enumerate(current):
            rest = await steady(daemon, path, ready, frame["seq"])
            assert not any(f["type"] == "resync" for f in rest)
            assert differing([*current[: number + 1], *rest]) == differing(truth)
        await daemon.ask("DELETE", f"/api/tasks/{attempt['task_id']}")
        with trio.fail_after(TIMEOUT_S):
            assert [f async for f in followed if f["type"] != "diff_removed"] == []
    assert "Traceback" not in daemon.log()


async def test_the_processes_of_an_attempt_that_is_deleted_are_no_stream_any_more(
    daemon: Daemon,
) -> None:
    attempt = await daemon.attempt(await daemon.project(), "Hello", "DEMO")
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    path = f"/api/execution-processes/stream/ws?task_attempt_id={attempt['id']}"
    async with daemon.socket(path) as stream:
        assert json.loads(await stream.get_message())["type"] == "snapshot"
        await daemon.ask("DELETE", f"/api/tasks/{attempt['task_id']}")
        with trio.fail_after(10), pytest.raises(ConnectionClosed) as closed:
            await stream.get_message()
    assert closed.value.reason is not None
    assert closed.value.reason.code == 1000
