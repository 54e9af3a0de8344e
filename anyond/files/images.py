"""Files of uploaded images: storing them, and placing them in a worktree."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import trio

from anyond.files.sniff import HEAD, sniff
from anyond.model.errors import Unavailable
from anyond.model.refusals.files import ImageTooLarge, UnsupportedImage
from anyond.model.refusals.requests import Invalid

LARGEST = 20 * 1024**2
"""The size of an image, in bytes."""

_INCOMING = ".incoming-"


class Picture(NamedTuple):
    """The format of an upload's bytes.

    Args:
        file_name: made of the hash, so that the same bytes always have the same one.
        hash: SHA-256 in hexadecimal.
    """

    file_name: str
    mime_type: str
    size: int
    hash: str


class Incoming:
    """An upload on its way into a file. All methods block: call them in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _refused(path, error) from error
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._head = bytearray()
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> None:
        """Take in some bytes more.

        Raises:
            TooLarge: that is more than an image may have.
            Unavailable: the disk refused.
        """
        self._size += len(data)
        if self._size > LARGEST:
            raise too_large()
        self._head += data[: HEAD - len(self._head)]
        self._hash.update(data)
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise _refused(self.path, error) from error

    def finish(self) -> Picture:
        """Complete the file: it is on the disk afterwards.

        Raises:
            Invalid: there was nothing.
            Unsupported: it is no picture of a sort that is taken.
            Unavailable: the disk refused.
        """
        if self._size == 0:
            raise Invalid("image", "is empty")
        sort = sniff(bytes(self._head))
        if sort is None:
            raise UnsupportedImage
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _refused(self.path, error) from error
        digest = self._hash.hexdigest()
        return Picture(f"{digest[:32]}.{sort.suffix}", sort.mime_type, self._size, digest)

    def close(self) -> None:
        """Give up the file, if it was not kept."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class ImageFiles:
    """The directory of all images.

    Attributes:
        root: where they lie.
        lock: held by whoever makes rows and files agree: a file comes before its row and goes
            after it, so that a row always has its file.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = trio.Lock()
        self._incoming: set[str] = set()

    @contextmanager
    def incoming(self) -> Iterator[Incoming]:
        """A file for an upload, gone at the end of the block unless it was kept. Blocks shortly."""
        name = f"{_INCOMING}{secrets.token_hex(8)}"
        self._incoming.add(name)
        try:
            upload = Incoming(self.root / name)
            try:
                yield upload
            finally:
                upload.close()
        finally:
            self._incoming.discard(name)

    def path(self, file_name: str) -> Path:
        return self.root / file_name

    def keep(self, upload: Incoming, picture: Picture) -> None:
        """Give the file its name. Blocking. Raises `Unavailable`."""
        try:
            upload.path.replace(self.path(picture.file_name))
            descriptor = os.open(self.root, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _refused(self.root, error) from error
        try:
            os.fsync(descriptor)
        except OSError:
            pass  # some network file systems refuse it for directories; it is renamed all the same
        finally:
            os.close(descriptor)

    def remove(self, file_names: Iterable[str]) -> None:
        """Delete files, those that are gone already included. Blocking. Raises `Unavailable`."""
        for name in file_names:
            try:
                self.path(name).unlink(missing_ok=True)
            except OSError as error:
                raise _refused(self.path(name), error) from error

    def unknown(self, known: set[str]) -> set[str]:
        """Files that are not `known`, and no uploads. Blocking."""
        return {name for name in self._files() if not name.startswith(_INCOMING)} - known

    def abandoned(self) -> list[str]:
        """Uploads that an earlier daemon did not finish. Blocking."""
        return [
            name
            for name in self._files()
            if name.startswith(_INCOMING) and name not in self._incoming
        ]

    def _files(self) -> list[str]:
        with os.scandir(self.root) as entries:
            return [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]

    def place(self, file_names: Iterable[str], worktree: Path, folder: str) -> list[str]:
        """Copy images into the directory `folder` of a worktree; those that are there stay.

        Blocking. Nothing outside the worktree is written, whatever symbolic links say.

        Returns:
            One sentence for each image that could not be placed.
        """
        complaints: list[str] = []
        for name in file_names:
            try:
                directory = _inner_directory(worktree, folder)
                _hide(directory)
                target = directory / name
                if not os.path.lexists(target):
                    _copy(self.path(name), target)
            except OSError as error:
                complaints.append(f"The image {name} could not be placed: {error.strerror}.")
        return complaints


def too_large() -> ImageTooLarge:
    """The refusal of an image of too many bytes."""
    return ImageTooLarge(LARGEST)


def _inner_directory(root: Path, folder: str) -> Path:
    place = root
    for part in folder.split("/"):
        place = place / part
        place.mkdir(exist_ok=True)
        if place.is_symlink():
            raise OSError(0, f"{place} is a symbolic link")
    return place


def _hide(directory: Path) -> None:
    """Have git ignore what is in `directory`, whatever the repository lets in: a `.gitignore` that
    shuts everything out but pictures (`*`, `!*/`, `!*.png`) counts for more than `info/exclude`."""
    file = directory / ".gitignore"
    if not os.path.lexists(file):
        file.write_text("*\n")


def _copy(source: Path, target: Path) -> None:
    half = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        shutil.copyfile(source, half)
        half.replace(target)
    except BaseException:  # cancelled or failed: no half picture stays; it is raised again
        half.unlink(missing_ok=True)
        raise


def _refused(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path} cannot be written: {error.strerror}.")
