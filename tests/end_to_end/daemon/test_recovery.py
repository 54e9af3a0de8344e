"""Whatever is killed, at whatever moment: nothing is lost, nothing done twice, no ghost stays."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import httpx
import psutil
import trio

from tests.support.daemon import Daemon, alive
from tests.support.processes.run_pids import pids

CRASHES = int(os.environ.get("ANYON_TEST_CRASHES", "8"))
"""How often the daemon is killed at a random moment."""


def own_processes(daemon: Daemon) -> list[psutil.Process]:
    """Everything alive that was started for an execution of this daemon."""
    found = []
    for process in psutil.process_iter():
        try:
            marked = process.environ().get("ANYON_EXECUTION")
            at_home = process.environ().get("HOME") == str(daemon.home)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if marked and at_home and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


async def until_written(daemon: Daemon, path: Path) -> int:
    async def look() -> str:
        return path.read_text() if path.exists() else ""

    return int(await daemon.until(look, str(path)))


async def test_an_open_question_survives_the_daemon_and_its_answer_reaches_the_same_agent(
    daemon: Daemon,
) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say before\nrun echo ran > ran.txt\nsay after")
    question = await daemon.question()
    process = await daemon.running(attempt)
    before = pids(daemon, process)
    await daemon.kill()
    await daemon.start()
    assert (await daemon.question())["id"] == question["id"]
    assert pids(daemon, process) == before
    assert alive(before[1])
    await daemon.ask(
        "POST", f"/api/approvals/{question['id']}/respond", {"status": {"status": "approved"}}
    )
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    entries = await daemon.entries(ended)
    output = [e["content"] for e in entries if e["entry_type"]["type"] == "assistant_message"]
    assert "".join(output).count("before") == 1
    assert "".join(output).count("after") == 1
    assert (Path(attempt["container_ref"]) / "ran.txt").read_text() == "ran\n"


async def test_a_program_that_ended_while_nobody_looked_has_its_true_exit_code(
    daemon: Daemon,
) -> None:
    project = await daemon.project(setup_script="echo begun; sleep 0.7; echo ended; exit 42")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say never")
    process = await daemon.running(attempt)
    await daemon.kill()
    exit_file = daemon.data / "executions" / process["id"] / "exit.json"
    with trio.fail_after(10):
        while not exit_file.exists():
            await trio.sleep(0.02)
    await daemon.start()
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"], ended["exit_code"]) == (process["id"], "failed", 42)
    assert await daemon.raw(ended) == "begun\nended\n"


async def test_a_killed_shim_leaves_nothing_running_and_says_so(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "spawn-daemon pid\nsilent")
    process = await daemon.running(attempt)
    grandchild = await until_written(daemon, Path(attempt["container_ref"]) / "pid")
    shim, program = pids(daemon, process)
    os.kill(shim, signal.SIGKILL)
    ended = await daemon.over(attempt)
    assert ended["status"] == "failed"
    assert not alive(program)
    assert not alive(grandchild)
    texts = [e["content"] for e in await daemon.entries(ended)]
    assert any("supervised" in text for text in texts)
    assert own_processes(daemon) == []


async def test_daemon_and_shim_killed_together_leave_nothing_running(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "spawn-daemon pid\nsilent")
    process = await daemon.running(attempt)
    grandchild = await until_written(daemon, Path(attempt["container_ref"]) / "pid")
    shim, program = pids(daemon, process)
    await daemon.kill()
    os.kill(shim, signal.SIGKILL)
    await daemon.start()
    ended = await daemon.over(attempt)
    assert ended["status"] == "failed"
    assert not alive(program)
    assert not alive(grandchild)
    assert own_processes(daemon) == []


async def test_what_was_not_committed_outlives_daemon_and_agent(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(
        project, "write half.txt precious\nwrite README.md edited\nsilent"
    )
    process = await daemon.running(attempt)
    worktree = Path(attempt["container_ref"])

    async def written() -> bool:
        return (worktree / "README.md").read_text().startswith("edited")

    await daemon.until(written, "the work")
    shim, program = pids(daemon, process)
    await daemon.kill()
    os.kill(shim, signal.SIGKILL)
    os.kill(program, signal.SIGKILL)
    before = daemon.git(worktree, "status", "--porcelain")
    await daemon.start()
    ended = await daemon.over(attempt)
    assert ended["status"] == "failed"
    assert daemon.git(worktree, "status", "--porcelain") == before
    assert (worktree / "half.txt").read_text().startswith("precious")
    retry = {"prompt": "say hi", "retry_process_id": process["id"], "force_when_dirty": True}
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/follow-up", retry)
    await daemon.over(attempt)
    saved = f"refs/anyon/snapshots/{attempt['id']}/1"
    for file, text in (("half.txt", "precious"), ("README.md", "edited")):
        assert daemon.git(worktree, "show", f"{saved}:{file}").startswith(text)


async def test_stop_ends_the_whole_tree_of_a_deaf_agent(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "deaf\nspawn-daemon pid\nsilent")
    process = await daemon.running(attempt)
    grandchild = await until_written(daemon, Path(attempt["container_ref"]) / "pid")
    _, program = pids(daemon, process)
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    row = await daemon.ask("GET", f"/api/execution-processes/{process['id']}")
    assert row["status"] == "killed"
    assert not alive(program)
    assert not alive(grandchild)
    assert own_processes(daemon) == []


async def test_a_wish_to_stop_outlives_the_daemon(daemon: Daemon) -> None:
    project = await daemon.project(cleanup_script="touch cleaned")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "deaf\nsilent")
    process = await daemon.running(attempt)
    _, program = pids(daemon, process)

    async with trio.open_nursery() as nursery:

        async def stop() -> None:
            try:
                await daemon.request("POST", f"/api/execution-processes/{process['id']}/stop")
            except httpx.HTTPError:
                return  # the daemon is killed before it can answer

        nursery.start_soon(stop)

        async def wished() -> bool:
            row = await daemon.ask("GET", f"/api/execution-processes/{process['id']}")
            return bool(row["updated_at"] != process["updated_at"])

        await daemon.until(wished, "the wish")
        await daemon.kill()
    assert alive(program)
    await daemon.start()
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "killed")
    assert not alive(program)


async def test_a_chain_killed_at_random_moments_runs_each_link_once_and_loses_no_line(
    daemon: Daemon,
) -> None:
    seed = int(os.environ.get("ANYON_TEST_SEED", "0")) or random.randrange(1 << 30)
    dice = random.Random(seed)
    print(f"ANYON_TEST_SEED={seed}")
    count = 60
    slow = f"for i in $(seq 1 {count}); do echo line $i; sleep 0.01; done"
    project = await daemon.project(setup_script=slow, cleanup_script=f"{slow}; echo x >> log.txt")
    await daemon.use_fake_agent()
    crashes = 0
    while crashes < CRASHES:
        attempt = await daemon.attempt(
            project, f"write a.txt a\nlines {count}\nsleep 0.3\nlines {count}\nwrite b.txt b"
        )
        for _ in range(min(4, CRASHES - crashes)):
            await trio.sleep(dice.random() * 0.8)
            await daemon.kill()
            crashes += 1
            await daemon.start()
        await daemon.over(attempt)
        rows = await daemon.processes(attempt)
        assert [(r["run_reason"], r["status"], r["exit_code"]) for r in rows] == [
            ("setupscript", "completed", 0),
            ("codingagent", "completed", 0),
            ("cleanupscript", "completed", 0),
        ]
        expected = "".join(f"line {i}\n" for i in range(1, count + 1))
        assert await daemon.raw(rows[0]) == expected
        assert await daemon.raw(rows[2]) == expected
        output = "".join(
            e["content"]
            for e in await daemon.entries(rows[1])
            if e["entry_type"]["type"] == "assistant_message"
        )
        assert [output.count(f"line {n}\n") for n in range(count)] == [2] * count
        worktree = Path(attempt["container_ref"])
        assert daemon.git(worktree, "status", "--porcelain") == ""
        assert (worktree / "log.txt").read_text() == "x\n"
        log = daemon.git(worktree, "log", "--format=%s", "main..HEAD").splitlines()
        assert log == ["Do it", "Do it"]
        task = await daemon.ask("GET", f"/api/tasks/{attempt['task_id']}")
        assert task["status"] == "inreview"
    assert own_processes(daemon) == []


async def test_a_daemon_killed_while_it_makes_an_attempt_makes_it_whole_or_not_at_all(
    daemon: Daemon,
) -> None:
    files = {f"dir{n % 20}__file{n}.txt": f"{n}\n" for n in range(1500)}
    project = await daemon.project(daemon.repository(**files))
    await daemon.use_fake_agent()
    body = {
        "task": {"project_id": project["id"], "title": "T", "description": "write new.txt x"},
        "executor_profile_id": {"executor": "ACP"},
        "base_branch": "main",
    }
    seen = 0
    for delay in (0.01, 0.05, 0.1, 0.2, 0.3, *(0.5 * 2**n for n in range(8))):
        if delay > 0.3 and seen:
            break  # longer ones are for machines on which none came so far
        async with trio.open_nursery() as nursery:

            async def create() -> None:
                try:
                    await daemon.request("POST", "/api/tasks/create-and-start", json=body)
                except httpx.HTTPError:
                    return  # the daemon was killed before it could answer

            nursery.start_soon(create)
            await trio.sleep(delay)
            await daemon.kill()
        await daemon.start()
        listed = await daemon.ask("GET", f"/api/tasks?project_id={project['id']}")
        assert len(listed) - seen in (0, 1)
        if len(listed) > seen:
            seen = len(listed)
            rows = await daemon.ask("GET", f"/api/task-attempts?task_id={listed[0]['id']}")
            ended = await daemon.over(rows[0])
            assert ended["status"] == "completed", await daemon.raw(ended)
            attempt = await daemon.ask("GET", f"/api/task-attempts/{rows[0]['id']}")
            worktree = Path(attempt["container_ref"])
            changed = daemon.git(worktree, "diff", "--name-only", "main...HEAD").split()
            assert changed == ["new.txt"]
            assert daemon.git(worktree, "status", "--porcelain") == ""
    assert seen > 0


async def test_events_resume_after_a_crash_where_they_were_left(daemon: Daemon) -> None:
    project = await daemon.project()

    async def events(after: int, needed: int) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        position, name = 0, ""
        assert daemon._http is not None
        headers = {"Last-Event-ID": str(after)}
        async with daemon._http.stream("GET", "/api/events", headers=headers) as stream:
            async for line in stream.aiter_lines():
                word, _, rest = line.partition(":")
                if word == "id":
                    position = int(rest)
                elif word == "event":
                    name = rest.strip()
                elif not line and name:
                    found.append((position, name))
                    name = ""
                    if len(found) == needed:
                        return found
        return found

    for title in ("one", "two"):
        await daemon.ask("POST", "/api/tasks", {"project_id": project["id"], "title": title})
    first = await events(0, 2)
    await daemon.kill()
    await daemon.start()
    await daemon.ask("POST", "/api/tasks", {"project_id": project["id"], "title": "three"})
    again = await events(first[0][0], 2)
    assert again[0] == first[1]
    assert again[1][0] > again[0][0]
    assert again[1][1] == "task_created"
