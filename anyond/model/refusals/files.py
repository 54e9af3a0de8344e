"""Files that cannot be had, taken or changed: images, directories, those of agents."""

from __future__ import annotations

import os
from collections.abc import Sequence

from anyond.model.errors import Conflict, Forbidden, TooLarge, Unsupported


class ImageInUse(Conflict, type="image_in_use"):
    """Several tasks show it; `force` deletes it."""

    task_ids: list[str]

    def __init__(self, task_ids: Sequence[str]) -> None:
        super().__init__(
            f"{len(task_ids)} tasks show this image. Take it out of their image_ids, or delete it "
            "for all of them with ?force=true."
        )
        self.task_ids = list(task_ids)


class ImageTooLarge(TooLarge, type="too_large"):
    """The image is larger than 20 MiB.

    Args:
        limit: how many bytes are taken.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"image: is larger than {limit // 1024**2} MiB.")


class UnsupportedImage(Unsupported, type="unsupported_image"):
    """Neither PNG, JPEG, GIF, WebP nor SVG, by its content."""

    def __init__(self) -> None:
        super().__init__("image: is neither PNG, JPEG, GIF, WebP nor SVG, by its content.")


class Unreadable(Forbidden, type="unreadable"):
    """The directory cannot be read.

    Args:
        path: which place the system refuses.
        what: cannot be done with it.
        why: the system's words.
    """

    field: str

    def __init__(
        self, path: str | bytes | os.PathLike[str], why: str, field: str, what: str = "read"
    ) -> None:
        name = os.fsencode(path).decode("utf-8", "replace")
        super().__init__(f"{name[:1000]} cannot be {what}: {why}.")
        self.field = field


class BrokenConfig(Conflict, type="broken_config"):
    """The agent's own file cannot be read."""

    path: str

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} cannot be understood, so it was left alone. {why}")
        self.path = path


class ChangedMeanwhile(Conflict, type="changed_meanwhile"):
    """Somebody else keeps writing that file."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is being written by somebody else; try again.")
