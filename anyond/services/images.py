"""Requests about images: nothing that a client who goes away could leave half done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from anyond.files.images import Incoming
from anyond.model.rows import Image
from anyond.operations.resources import Resources
from anyond.operations.workspace import images
from anyond.store.board import images as rows
from anyond.store.board import tasks
from anyond.store.engine.transaction import Reader


class ImageRequests:
    """The requests of clients that concern images."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @asynccontextmanager
    async def receive(self, task_id: str | None = None) -> AsyncIterator[Incoming]:
        """A file to write an upload into; at the end of the block it is gone, unless it was kept.

        Raises:
            NotFound: there is no such task.
        """
        if task_id is not None:
            await self._resources.store.read(lambda r: tasks.get(r, task_id))
        with self._resources.images.incoming() as upload:
            yield upload

    async def keep(self, upload: Incoming, original_name: str, task_id: str | None = None) -> Image:
        """Make the upload an image, and show it in a task; see `operations.images.keep`."""
        with trio.CancelScope(shield=True):
            image = await images.keep(self._resources, upload, original_name, task_id)
        return image

    async def delete(self, image_id: str, *, force: bool) -> None:
        """Delete an image and its file; see `operations.images.delete`."""
        with trio.CancelScope(shield=True):
            await images.delete(self._resources, image_id, force=force)

    async def withdraw(self, image_id: str) -> None:
        """Take back an upload; see `operations.images.withdraw`."""
        with trio.CancelScope(shield=True):
            await images.withdraw(self._resources, image_id)

    async def of_task(self, task_id: str) -> list[Image]:
        """The images of a task. Raises `NotFound`."""

        def work(reader: Reader) -> list[Image]:
            tasks.get(reader, task_id)
            return rows.of_task(reader, task_id)

        return await self._resources.store.read(work)

    async def file_of(self, image_id: str) -> tuple[Image, Path]:
        """An image and its file. Raises `NotFound`."""
        return await images.file_of(self._resources, image_id)

    async def file_named(self, file_name: str) -> tuple[Image, Path]:
        """The image that links in texts call so, and its file. Raises `NotFound`."""
        return await images.file_named(self._resources, file_name)
