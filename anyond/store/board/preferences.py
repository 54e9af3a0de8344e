"""Rows of preferences: what clients of the person remember for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from anyond.model.http.rules import Preferences
from anyond.model.refusals.requests import Invalid
from anyond.store.engine.transaction import Reader, Tx

NAME_MOST = 100
BYTES_MOST = 64 * 1024
"""So much all of them may take together."""


def fetch(reader: Reader) -> Preferences:
    """All of them."""
    rows = reader.execute("SELECT name, value FROM preferences ORDER BY name").fetchall()
    return Preferences(values={name: msgspec.json.decode(value) for name, value in rows})


def update(tx: Tx, values: Mapping[str, Any]) -> Preferences:
    """Change those that are named; null removes one. Raises `Invalid` if they are too large."""
    for name, value in values.items():
        if not 1 <= len(name) <= NAME_MOST:
            raise Invalid("values", f"has a name that is not of 1 to {NAME_MOST} characters")
        if value is None:
            tx.execute("DELETE FROM preferences WHERE name = ?", (name,))
            continue
        encoded = msgspec.json.encode(value).decode()
        tx.execute("INSERT OR REPLACE INTO preferences VALUES (?, ?)", (name, encoded))
    (size,) = tx.execute(
        "SELECT COALESCE(SUM(length(CAST(name || value AS BLOB))), 0) FROM preferences"
    ).fetchone()
    if size > BYTES_MOST:
        raise Invalid("values", f"must not take more than {BYTES_MOST:,} bytes together")
    return fetch(tx)
