"""Rows of tokens, of which only the hash is kept, and the secret that agents' tokens come from."""

from __future__ import annotations

import json
import secrets
from typing import Any, NamedTuple

from anyond.model.access import Scope
from anyond.model.http.tokens import Token
from anyond.model.refusals.requests import NotFound
from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = "id, name, scopes, projects, created_at, expires_at, last_used_at, revoked_at"


class Hashed(NamedTuple):
    """A token and its hash."""

    hash: str
    token: Token


def insert(tx: Tx, token: Token, hash: str) -> Token:
    """A new row."""
    projects = None if token.projects is None else json.dumps(token.projects)
    tx.execute(
        "INSERT INTO tokens (id, name, hash, scopes, projects, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            token.id,
            token.name,
            hash,
            json.dumps([scope.value for scope in token.scopes]),
            projects,
            token.created_at,
            token.expires_at,
        ),
    )
    return token


def fetch_all(reader: Reader) -> list[Hashed]:
    """All tokens, the newest first; the revoked ones, too."""
    rows = reader.execute(
        f"SELECT hash, {_COLUMNS} FROM tokens ORDER BY created_at DESC, id"
    ).fetchall()
    return [Hashed(row[0], _token(row[1:])) for row in rows]


def revoke(tx: Tx, token_id: str, now: str) -> Token:
    """It is not accepted any more; the first time counts. Raises `NotFound`."""
    tx.execute(
        "UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?", (now, token_id)
    )
    return get(tx, token_id)


def use(tx: Tx, token_id: str, now: str) -> None:
    """Write down that it was used."""
    tx.execute("UPDATE tokens SET last_used_at = ? WHERE id = ?", (now, token_id))


def get(reader: Reader, token_id: str) -> Token:
    """Raises `NotFound`."""
    row = reader.execute(f"SELECT {_COLUMNS} FROM tokens WHERE id = ?", (token_id,)).fetchone()
    if row is None:
        raise NotFound("token", token_id)
    return _token(row)


def secret(tx: Tx) -> str:
    """The secret of this database, made at the first call."""
    tx.execute(
        "INSERT OR IGNORE INTO access_secret (id, secret) VALUES (1, ?)", (secrets.token_hex(32),)
    )
    return str(tx.execute("SELECT secret FROM access_secret").fetchone()[0])


def _token(row: tuple[Any, ...]) -> Token:
    return Token(
        id=row[0],
        name=row[1],
        scopes=[Scope(scope) for scope in json.loads(row[2])],
        projects=None if row[3] is None else json.loads(row[3]),
        created_at=row[4],
        expires_at=row[5],
        last_used_at=row[6],
        revoked_at=row[7],
    )
