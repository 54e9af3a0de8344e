"""Deleting a worktree of which something has to stay."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import structlog

from anyond.git.repo.checkouts import delete
from anyond.model.refusals.programs import ToolFailed

log = structlog.get_logger()


def delete_except(top: Path, leave: Collection[str]) -> None:
    """Delete what is in `top`, and the directories that are empty then, `top` among them.

    What cannot be deleted stays, too, and is named in the log. Blocks on the disk.

    Args:
        leave: paths, relative to `top`, that stay, with what is in them.
    """
    apart = {os.path.normpath(path) for path in leave}
    above = {os.fspath(up) for path in apart for up in Path(path).parents}
    _delete(top, ".", apart, above)


def _delete(top: Path, directory: str, apart: set[str], above: set[str]) -> None:
    place = os.path.join(top, directory)
    with suppress(OSError):  # it may belong to somebody else
        os.chmod(place, os.lstat(place).st_mode | stat.S_IRWXU)
    try:
        with os.scandir(place) as entries:
            found = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except OSError as error:
        log.warning("not_deleted", path=place, why=error.strerror)
        return
    for path, is_directory in found:
        name = os.path.relpath(path, top)
        if name in apart:
            continue
        try:
            if not is_directory:
                os.unlink(path)
            elif name in above:
                _delete(top, name, apart, above)
            else:
                delete(Path(path))
        except (OSError, ToolFailed) as error:
            log.warning("not_deleted", path=path, why=str(error))
    with suppress(OSError):  # not empty
        os.rmdir(place)
