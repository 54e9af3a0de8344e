"""Rows of images, and which tasks show which of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anyond.model.ids import new_id
from anyond.model.refusals.files import ImageInUse
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Image
from anyond.store.engine.transaction import Reader, Tx

FOLDER = ".vibe/images"
"""Where the images of a task lie in a worktree."""

_COLUMNS = (
    "i.id, i.file_name, i.original_name, i.mime_type, i.size_bytes, i.hash,"
    " i.created_at, i.updated_at"
)
_UNUSED_DAYS = 2  # the clock may jump once, and come back
_UNUSED = "NOT EXISTS (SELECT 1 FROM task_images l WHERE l.image_id = i.id)"


def insert(
    tx: Tx,
    *,
    id: str,
    file_name: str,
    original_name: str,
    mime_type: str,
    size_bytes: int,
    hash: str,
    now: str,
) -> Image:
    """The row of the image with this hash: a new one, or the one that there is.

    One that no task shows takes on the new name, since nobody knows it by the old one.
    """
    row = tx.execute(f"SELECT i.id, {_UNUSED} FROM images i WHERE hash = ?", (hash,)).fetchone()
    if row is None:
        tx.execute(
            "INSERT INTO images (id, file_name, original_name, mime_type, size_bytes, hash,"
            " used_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (id, file_name, original_name, mime_type, size_bytes, hash, now, now, now),
        )
        return get(tx, id)
    if row[1]:
        tx.execute(
            "UPDATE images SET updated_at = ?, original_name = ? WHERE id = ?"
            " AND original_name <> ?",
            (now, original_name, row[0], original_name),
        )
    tx.execute("UPDATE images SET used_at = ? WHERE id = ?", (now, row[0]))
    return get(tx, row[0])


def get(reader: Reader, id: str) -> Image:
    """Raises `NotFound`."""
    row = reader.execute(f"SELECT {_COLUMNS} FROM images i WHERE i.id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound("image", id)
    return _image(row)


def named(reader: Reader, file_name: str) -> Image:
    """The image whose file has this name. Raises `NotFound`."""
    row = reader.execute(
        f"SELECT {_COLUMNS} FROM images i WHERE i.file_name = ?", (file_name,)
    ).fetchone()
    if row is None:
        raise NotFound("image", file_name)
    return _image(row)


def exists(reader: Reader, id: str) -> bool:
    """Return whether there is such an image."""
    return reader.execute("SELECT 1 FROM images WHERE id = ?", (id,)).fetchone() is not None


def of_task(reader: Reader, task_id: str) -> list[Image]:
    """Return the images of a task, in the order in which they were added; none if there is no such
    task.
    """
    rows = reader.execute(
        f"SELECT {_COLUMNS} FROM task_images l JOIN images i ON i.id = l.image_id"
        " WHERE l.task_id = ? ORDER BY l.rowid",
        (task_id,),
    ).fetchall()
    return [_image(row) for row in rows]


def link(tx: Tx, task_id: str, ids: Sequence[str], now: str) -> list[Image]:
    """Show these in a task as well; returns them, each once.

    Raises `NotFound` for an image that there is not.
    """
    found = [get(tx, id) for id in dict.fromkeys(ids)]
    for image in found:
        tx.execute(
            "INSERT INTO task_images (id, task_id, image_id, created_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (task_id, image_id) DO NOTHING",
            (new_id(), task_id, image.id, now),
        )
    return found


def replace(tx: Tx, task_id: str, ids: Sequence[str], now: str) -> None:
    """Show these in a task, and no others. Raises `NotFound`."""
    for image in of_task(tx, task_id):
        if image.id not in ids:
            tx.execute(
                "DELETE FROM task_images WHERE task_id = ? AND image_id = ?", (task_id, image.id)
            )
    link(tx, task_id, ids, now)


def delete(tx: Tx, id: str, *, force: bool = False) -> Image:
    """Remove it from its task and from the world; returns its last state.

    Args:
        force: also if several tasks show it.

    Raises `NotFound`; and `Conflict` if several tasks show it, since whoever deletes it in one of
    them may not know that the others have the very same one.
    """
    image = get(tx, id)
    rows = tx.execute("SELECT task_id FROM task_images WHERE image_id = ? ORDER BY rowid", (id,))
    tasks = [task_id for (task_id,) in rows.fetchall()]
    if len(tasks) > 1 and not force:
        raise ImageInUse(tasks)
    tx.execute("DELETE FROM images WHERE id = ?", (id,))
    return image


def withdraw(tx: Tx, id: str) -> Image | None:
    """Take back the latest upload of an image; returns its last state if that was the only one.

    A task that showed it before keeps it: whoever uploads the same bytes once more and takes them
    out again does not know of it.

    Raises `NotFound`; and `Conflict` as `delete` does.
    """
    older, newer = (
        tx.execute(
            "SELECT l.task_id FROM task_images l JOIN images i ON i.id = l.image_id"
            f" WHERE i.id = ? AND l.created_at {compared} i.used_at",
            (id,),
        ).fetchall()
        for compared in ("<", ">=")
    )
    if not older:
        return delete(tx, id)
    if len(newer) == 1:
        tx.execute("DELETE FROM task_images WHERE image_id = ? AND task_id = ?", (id, *newer[0]))
    return None


def delete_unused(tx: Tx, before: str, day: int) -> list[Image]:
    """Remove those that no task shows and nobody has had to do with since `before`.

    Args:
        day: today's number (see `days`); none goes that was not found unused two of them before.
    """
    tx.execute(
        f"UPDATE images AS i SET unused_day = ? WHERE unused_day IS NULL AND {_UNUSED}", (day,)
    )
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM images i WHERE i.used_at < ? AND i.unused_day <= ? AND {_UNUSED}",
        (before, day - _UNUSED_DAYS),
    ).fetchall()
    for row in rows:
        tx.execute("DELETE FROM images WHERE id = ?", (row[0],))
    return [_image(row) for row in rows]


def file_names(reader: Reader) -> set[str]:
    """The files of all images."""
    return {name for (name,) in reader.execute("SELECT file_name FROM images").fetchall()}


def file_name(image: Image) -> str:
    """The name of its file, here and in worktrees."""
    return image.file_path.rpartition("/")[2]


def _image(row: tuple[Any, ...]) -> Image:
    return Image(
        id=row[0],
        file_path=f"{FOLDER}/{row[1]}",
        original_name=row[2],
        mime_type=row[3],
        size_bytes=row[4],
        hash=row[5],
        created_at=row[6],
        updated_at=row[7],
    )
