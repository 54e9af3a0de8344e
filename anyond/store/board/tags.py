"""Rows of tags: texts that a person uses again and again, each under a name of its own."""

from __future__ import annotations

import unicodedata
from typing import Any

from anyond.model.http.bodies import NewTag, TagPatch
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.refusals.worktrees import NameTaken
from anyond.model.rows import Tag
from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = "id, tag_name, content, created_at, updated_at"


def insert(tx: Tx, new: NewTag, id: str, now: str) -> Tag:
    """A new row. Raises `Invalid` for what is no name, `Conflict` for a name in use."""
    folded = _free(tx, new.tag_name, id)
    tx.execute(
        "INSERT INTO tags (id, tag_name, folded_name, content, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (id, new.tag_name, folded, new.content, now, now),
    )
    return get(tx, id)


def get(reader: Reader, id: str) -> Tag:
    """Raises `NotFound`."""
    row = reader.execute(f"SELECT {_COLUMNS} FROM tags WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound("tag", id)
    return _tag(row)


def fetch_all(reader: Reader, search: str | None = None) -> list[Tag]:
    """Newest first; only those with `search` in their names, in whatever case, if it is given."""
    rows = reader.execute(
        f"SELECT {_COLUMNS} FROM tags WHERE instr(folded_name, ?) > 0"
        " ORDER BY created_at DESC, rowid DESC",
        (fold(search or ""),),
    ).fetchall()
    return [_tag(row) for row in rows]


def contents(reader: Reader) -> dict[str, str]:
    """Return the content of each tag, by its folded name."""
    return dict(reader.execute("SELECT folded_name, content FROM tags").fetchall())


def patch(tx: Tx, id: str, changes: TagPatch, now: str) -> Tag:
    """Change what `changes` names, None keeps. Raises `NotFound`, and what `insert` raises."""
    old = get(tx, id)
    name = old.tag_name if changes.tag_name is None else changes.tag_name
    content = old.content if changes.content is None else changes.content
    tx.execute(
        "UPDATE tags SET tag_name = ?, folded_name = ?, content = ?, updated_at = ? WHERE id = ?",
        (name, _free(tx, name, id), content, now, id),
    )
    return get(tx, id)


def delete(tx: Tx, id: str) -> Tag:
    """Remove it; returns its last state. Raises `NotFound`."""
    last = get(tx, id)
    tx.execute("DELETE FROM tags WHERE id = ?", (id,))
    return last


def fold(name: str) -> str:
    """`name` as it is compared with others: in whichever case and form of accents it is written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def possible(name: str) -> str:
    """The folded form of `name`. Raises `Invalid` if no tag can be called so."""
    if not name:
        raise Invalid("tag_name", "must not be empty")
    if any(letter.isspace() or letter == "@" or not letter.isprintable() for letter in name):
        raise Invalid("tag_name", "must be one word, without blanks and without @")
    return fold(name)


def _free(tx: Tx, name: str, id: str) -> str:
    """The folded form of `name`, if it can be a name and no other tag has it."""
    folded = possible(name)
    other = tx.execute(
        "SELECT id, tag_name FROM tags WHERE folded_name = ? AND id <> ?", (folded, id)
    ).fetchone()
    if other is not None:
        raise NameTaken.by_tag(other[1], other[0])
    return folded


def _tag(row: tuple[Any, ...]) -> Tag:
    return Tag(id=row[0], tag_name=row[1], content=row[2], created_at=row[3], updated_at=row[4])
