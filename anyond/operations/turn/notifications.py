"""Notifying a person that an attempt has finished, if they wish to be."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import structlog
import trio

from anyond.editing import files
from anyond.files import desktop_notifier, sounds
from anyond.model.configuration.settings import SoundFile
from anyond.model.errors import AnyondError
from anyond.model.rows import ProcessStatus
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject

log = structlog.get_logger()

_WORDS = {
    ProcessStatus.COMPLETED: "completed successfully",
    ProcessStatus.FAILED: "failed",
    ProcessStatus.KILLED: "was stopped",
}


async def notify(resources: Resources, subject: Subject, status: ProcessStatus) -> None:
    """Play a sound and show a message, as configured; a stop by a person makes no sound.

    To be called once for each chain, when it is over. What goes wrong here is only logged: nothing
    may depend on it.

    Args:
        status: how the last process of the chain ended.
    """
    settings = resources.config.config.notifications
    if settings.push_enabled:
        title = f"Task Complete: {subject.task.title}"
        body = (
            f"“{subject.task.title}” {_WORDS[status]}.\n"
            f"Branch: {subject.attempt.branch}\nExecutor: {subject.attempt.executor}"
        )
        if command := desktop_notifier.message(title, body):
            resources.notifier.run(command)
    if settings.sound_enabled and status is not ProcessStatus.KILLED:
        await _play(resources, settings.sound_file)


async def _play(resources: Resources, sound: SoundFile) -> None:
    path = resources.paths.data_dir / "sounds" / f"{sound.value.lower()}.wav"
    command = desktop_notifier.player(path)
    if command is None:
        return
    try:
        await trio.to_thread.run_sync(partial(_keep, path, sound))
    except AnyondError as error:
        log.warning("no_sound", path=str(path), why=str(error))
        return
    resources.notifier.run(command)


def _keep(path: Path, sound: SoundFile) -> None:
    content = sounds.wav(sound)
    if files.read(path) != content:
        files.write(path, content)
