"""Storing images, putting them into worktrees, and deleting those that nothing shows."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import structlog
import trio

from anyond.files.images import Incoming
from anyond.machines.prompt import show_images
from anyond.model.ids import new_id, now, timestamp
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Image
from anyond.operations.resources import Resources
from anyond.operations.workspace import unknown_files
from anyond.store.board import images, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.upkeep import gone_files

log = structlog.get_logger()

UNUSED_S = 24 * 3600.0
"""Seconds that an image is kept which no task shows (any more)."""


async def keep(
    resources: Resources, upload: Incoming, original_name: str, task_id: str | None = None
) -> Image:
    """Make an upload an image; the same bytes are always the same one.

    Args:
        task_id: the task that shows it from now on.

    Raises:
        NotFound: there is no such task.
        Invalid, Unsupported, Unavailable: see `Incoming.finish`.
    """
    picture = await trio.to_thread.run_sync(upload.finish)

    def record(tx: Tx) -> Image:
        moment = now()
        if task_id is not None:
            tasks.get(tx, task_id)
        image = images.insert(
            tx,
            id=new_id(),
            file_name=picture.file_name,
            original_name=original_name,
            mime_type=picture.mime_type,
            size_bytes=picture.size,
            hash=f"sha256:{picture.hash}",
            now=moment,
        )
        if task_id is not None:
            images.link(tx, task_id, [image.id], moment)
        return image

    async with resources.images.lock:
        await trio.to_thread.run_sync(resources.images.keep, upload, picture)
        return await resources.store.write(record)


async def delete(resources: Resources, image_id: str, *, force: bool) -> None:
    """Delete an image; copies in worktrees stay there.

    Raises:
        NotFound: there is no such image.
        Conflict: several tasks show it, and `force` is not set.
    """
    async with resources.images.lock:
        image = await resources.store.write(lambda tx: images.delete(tx, image_id, force=force))
        await trio.to_thread.run_sync(resources.images.remove, [images.file_name(image)])


async def withdraw(resources: Resources, image_id: str) -> None:
    """Take back an upload; the image is deleted unless a task showed it before.

    Raises:
        NotFound: there is no such image.
        Conflict: several tasks show it since.
    """
    async with resources.images.lock:
        image = await resources.store.write(lambda tx: images.withdraw(tx, image_id))
        if image is not None:
            await trio.to_thread.run_sync(resources.images.remove, [images.file_name(image)])


def attach(tx: Tx, task_id: str, prompt: str, image_ids: Sequence[str], moment: str) -> str:
    """Show images in a task, and in the prompt that came with them.

    Returns:
        The prompt with links to those that it did not mention.

    Raises:
        NotFound: one of them does not exist.
    """
    return with_links(prompt, images.link(tx, task_id, image_ids, moment))


def with_links(prompt: str, linked: Sequence[Image]) -> str:
    """`prompt` with links to those images that it does not mention."""
    return show_images(prompt, ((image.original_name, image.file_path) for image in linked))


async def check(resources: Resources, image_ids: Sequence[str]) -> None:
    """Refuse with `NotFound` if one of them does not exist."""
    await resources.store.read(lambda r: [images.get(r, image_id) for image_id in image_ids])


async def place(resources: Resources, task_id: str, worktree: Path) -> None:
    """Put the images of a task into a worktree of it, those that are not there yet.

    What cannot be placed is a warning in the log: an agent can do without, and will say so.
    """
    rows = await resources.store.read(lambda r: images.of_task(r, task_id))
    if not rows:
        return
    names = [images.file_name(image) for image in rows]
    complaints = await trio.to_thread.run_sync(
        resources.images.place, names, worktree, images.FOLDER
    )
    for complaint in complaints:
        log.warning("image_not_placed", worktree=str(worktree), why=complaint)


async def clean_up(resources: Resources, day: int) -> None:
    """Delete images that no task has shown for `UNUSED_S`, and what uploads of crashes have left.

    Args:
        day: today's number; see `store.days`.
    """
    before = timestamp(time.time() - UNUSED_S)
    async with resources.images.lock:
        gone = await resources.store.write(lambda tx: images.delete_unused(tx, before, day))
        names = await resources.store.read(lambda r: gone_files.names(r, "image"))
        known = await resources.store.read(images.file_names)
        files = resources.images

        def sweep() -> set[str]:
            files.remove([*names, *files.abandoned()])
            return files.unknown(known)

        unknown = await trio.to_thread.run_sync(sweep)
        await resources.store.write(lambda tx: gone_files.delete(tx, "image", names))
        await unknown_files.look_after(resources, "image", files.root, unknown, day)
    if gone:
        log.info("images_deleted", count=len(gone))


async def file_of(resources: Resources, image_id: str) -> tuple[Image, Path]:
    """An image and its file.

    Raises:
        NotFound: there is no such image, or somebody has taken its file away.
    """
    return await _with_file(
        resources, await resources.store.read(lambda r: images.get(r, image_id))
    )


async def file_named(resources: Resources, file_name: str) -> tuple[Image, Path]:
    """The same by the name of the file, which is how descriptions and prompts link to it."""
    return await _with_file(
        resources, await resources.store.read(lambda r: images.named(r, file_name))
    )


async def _with_file(resources: Resources, image: Image) -> tuple[Image, Path]:
    path = resources.images.path(images.file_name(image))
    if not await trio.to_thread.run_sync(os.path.isfile, path):
        raise NotFound("file of the image", image.id)
    return image, path
