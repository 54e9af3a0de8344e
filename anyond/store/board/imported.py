"""The ids of projects, tasks, attempts and tags that ever came from another program."""

from __future__ import annotations

from anyond.store.engine.transaction import Reader, Tx


def note(tx: Tx, id: str) -> None:
    """This one comes now."""
    tx.execute("INSERT OR IGNORE INTO imported (id) VALUES (?)", (id,))


def fetch_all(reader: Reader) -> set[str]:
    """The ids of all, whether they are here still or not."""
    return {id for (id,) in reader.execute("SELECT id FROM imported")}
