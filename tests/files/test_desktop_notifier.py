"""The programs of the desktop are found, told nothing but texts, and waited for by nobody."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
import trio

from anyond.files.desktop_notifier import DesktopNotifier, message, player

WAV = Path("/sounds/cow.wav")


def program(directory: Path, name: str, script: str = "exit 0") -> str:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_the_first_player_that_is_there_is_taken(tmp_path: Path) -> None:
    here = str(tmp_path)
    assert player(WAV, here, "linux") is None
    aplay = program(tmp_path, "aplay")
    assert player(WAV, here, "linux") == (aplay, "-q", str(WAV))
    paplay = program(tmp_path, "paplay")
    assert player(WAV, here, "linux") == (paplay, str(WAV))
    assert player(WAV, here, "darwin") is None
    afplay = program(tmp_path, "afplay")
    assert player(WAV, here, "darwin") == (afplay, str(WAV))


def test_nothing_in_a_message_is_an_option_or_markup(tmp_path: Path) -> None:
    here = str(tmp_path)
    assert message("t", "b", here, "linux") is None
    notify = program(tmp_path, "notify-send")
    command = message('--icon="x" $(id)\x00\x1b', "<b>1 & 2</b>\nsecond", here, "linux")
    assert command is not None
    assert command[0] == notify
    assert command[-3:] == ("--", 'icon="x" $(id)', "&lt;b&gt;1 &amp; 2&lt;/b&gt;\nsecond")


def test_texts_are_arguments_of_the_script_and_never_part_of_it(tmp_path: Path) -> None:
    osascript = program(tmp_path, "osascript")
    evil = 'x" with title "y\\'
    command = message("Title", evil, str(tmp_path), "darwin")
    assert command is not None
    assert (command[0], command[-2:]) == (osascript, ("Title", evil))
    assert not any(evil in word for word in command[:-1])


async def test_a_program_runs_beside_everything_else_and_is_reaped(tmp_path: Path) -> None:
    done = tmp_path / "done"
    slow = program(tmp_path, "slow", f'echo $$ > "{done}.new" && mv "{done}.new" "{done}"')
    async with DesktopNotifier.open() as notifier:
        notifier.run((slow,))
        notifier.run((str(tmp_path / "not there"),))
        with trio.fail_after(20):
            while not done.exists():
                await trio.sleep(0.01)
            pid = int(done.read_text())
            while psutil.pid_exists(pid):
                await trio.sleep(0.01)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a named pipe")
async def test_at_the_end_what_still_plays_plays_on(tmp_path: Path) -> None:
    gate, done = tmp_path / "gate", tmp_path / "done"
    os.mkfifo(gate)
    waiting = program(tmp_path, "waiting", f'read line < "{gate}"; echo "$line" > "{done}"')
    with trio.fail_after(20):
        async with DesktopNotifier.open() as notifier:
            notifier.run((waiting,))
            # Opening a pipe succeeds only when somebody has it open at the other end.
            pipe = await trio.to_thread.run_sync(os.open, gate, os.O_WRONLY)
        os.write(pipe, b"went on\n")
        os.close(pipe)
        while not (done.exists() and done.read_text()):
            await trio.sleep(0.01)
    assert done.read_text() == "went on\n"
