"""An attempt that has finished is heard and seen, once, if the person wants that."""

from __future__ import annotations

import io
import os
import wave
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon, Refused

NAMES = [f"ABSTRACT_SOUND{n}" for n in (1, 2, 3, 4)] + ["COW_MOOING", "PHONE_VIBRATION", "ROOSTER"]


async def test_sounds_are_served_whole_in_parts_and_not_twice(daemon: Daemon) -> None:
    for name in NAMES:
        answer = await daemon.request("GET", f"/api/sounds/{name}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/wav")
        with wave.open(io.BytesIO(answer.content)) as file:
            assert file.getnframes() > 0
    path, whole = "/api/sounds/COW_MOOING", answer.content
    answer = await daemon.request("GET", path)
    whole, etag = answer.content, answer.headers["ETag"]
    assert answer.headers["Accept-Ranges"] == "bytes"
    known = await daemon.request("GET", path, headers={"If-None-Match": etag})
    assert (known.status_code, known.content) == (304, b"")
    size = len(whole)
    for expected, part in (
        ("bytes=0-99", whole[:100]),
        ("bytes=100-", whole[100:]),
        ("bytes=-10", whole[-10:]),
        (f"bytes={size - 5}-{size + 100}", whole[-5:]),
    ):
        answer = await daemon.request("GET", path, headers={"Range": expected})
        start = size - len(part) if expected != "bytes=0-99" else 0
        assert (answer.status_code, answer.content) == (206, part)
        end = start + len(part) - 1
        assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{size}"
    answer = await daemon.request("GET", path, headers={"Range": f"bytes={size}-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
    stale = {"Range": "bytes=0-9", "If-Range": '"older"'}
    answer = await daemon.request("GET", path, headers=stale)
    assert (answer.status_code, answer.content) == (200, whole)
    with pytest.raises(Refused) as refusal:
        await daemon.ask("GET", "/api/sounds/DOG")
    assert refusal.value.status == 404


def desktop(daemon: Daemon) -> Path:
    """Give the daemon programs that write down how they were called; returns where."""
    programs, calls = daemon.root / "desktop", daemon.root / "calls"
    programs.mkdir()
    calls.mkdir()
    for name in ("paplay", "afplay", "notify-send", "osascript"):
        path = programs / name
        path.write_text(
            "#!/bin/sh\n"
            f'file="{calls}/${{0##*/}}.$$"\n'
            'printf "%s\\n" "$@" > "$file.new" && mv "$file.new" "$file.done"\n'
        )
        path.chmod(0o755)
    daemon.environment["PATH"] = f"{programs}{os.pathsep}{daemon.environment['PATH']}"
    return calls


def received(calls: Path) -> list[str]:
    return [p.read_text() for p in calls.glob("*.done") if p.name.startswith(("pap", "afp"))]


def seen(calls: Path) -> list[str]:
    return [p.read_text() for p in calls.glob("*.done") if p.name.startswith(("not", "osa"))]


async def configure(daemon: Daemon, **notifications: Any) -> None:
    await daemon.ask("PUT", "/api/config", {"notifications": notifications})


async def test_a_chain_is_announced_once_when_it_is_over(daemon: Daemon) -> None:
    calls = desktop(daemon)
    await daemon.stop()
    await daemon.start()
    await configure(daemon, sound_enabled=True, push_enabled=True, sound_file="ROOSTER")
    project = await daemon.project(setup_script="true", cleanup_script="true")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write a.txt a\nask")
    await daemon.question()
    draft = f"/api/task-attempts/{attempt['id']}/draft"
    await daemon.ask("PUT", draft, {"prompt": "write b.txt b"})
    await daemon.ask("POST", f"{draft}/queue")
    assert (received(calls), seen(calls)) == ([], [])
    question = await daemon.question()
    yes = {"status": {"status": "approved"}}
    await daemon.ask("POST", f"/api/approvals/{question['id']}/respond", yes)
    await daemon.over(attempt)

    async def announced() -> bool:
        return bool(received(calls) and seen(calls))

    await daemon.until(announced, "the announcement")
    assert len(await daemon.processes(attempt)) == 5
    (sound,) = received(calls)
    assert sound.strip().endswith("rooster.wav")
    assert (
        Path(sound.strip()).read_bytes()
        == (await daemon.request("GET", "/api/sounds/ROOSTER")).content
    )
    (text,) = seen(calls)
    assert "Task Complete: Do it\n" in text
    for part in ("completed successfully", attempt["branch"], "ACP"):
        assert part in text


async def test_a_stop_is_seen_but_not_heard_and_what_is_off_is_off(daemon: Daemon) -> None:
    calls = desktop(daemon)
    await daemon.stop()
    await daemon.start()
    await configure(daemon, sound_enabled=True, push_enabled=True)
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "ask")
    await daemon.question()
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")

    async def reported() -> bool:
        return bool(seen(calls))

    await daemon.until(reported, "the message")
    assert "was stopped" in seen(calls)[0]
    await configure(daemon, push_enabled=False)
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/follow-up", {"prompt": "fail x"})
    await daemon.over(attempt)

    async def sounded() -> bool:
        return bool(received(calls))

    await daemon.until(sounded, "the sound")
    assert (len(received(calls)), len(seen(calls))) == (1, 1)


async def test_a_chain_that_fails_is_announced_once(daemon: Daemon) -> None:
    calls = desktop(daemon)
    await daemon.stop()
    await daemon.start()
    await configure(daemon, sound_enabled=True, push_enabled=True)
    project = await daemon.project(setup_script="exit 7", cleanup_script="true")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say never")
    follow_up = f"/api/task-attempts/{attempt['id']}/follow-up"
    for count, prompt in enumerate(("fail out of tea", "say done"), 1):
        await daemon.over(attempt)

        async def reported(count: int = count) -> bool:
            return len(seen(calls)) >= count <= len(received(calls))

        await daemon.until(reported, "the announcement")
        await daemon.ask("POST", follow_up, {"prompt": prompt})
    await daemon.over(attempt)
    # Whatever was announced twice had time enough for that until the third one came.
    await daemon.until(partial(reported, 3), "the last announcement")
    assert (len(seen(calls)), len(received(calls))) == (3, 3)
    assert sum("completed successfully" in text for text in seen(calls)) == 1
