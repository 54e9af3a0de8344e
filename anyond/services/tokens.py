"""Tokens: who holds one, and what that one may do. All of them are in memory, by their hashes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import trio

from anyond.model.access import AGENT_SCOPES, Caller, CallerKind
from anyond.model.agent_token import PREFIX as AGENT_PREFIX
from anyond.model.agent_token import execution_of
from anyond.model.errors import Unauthorized
from anyond.model.http.tokens import CreatedToken, NewToken, Token
from anyond.model.ids import new_id, now, seconds, timestamp
from anyond.model.refusals.access import BeyondOwnScope
from anyond.model.refusals.requests import Invalid
from anyond.store.access import reach, tokens
from anyond.store.engine.database import Store

PREFIX = "anyon_"
USED_S = 60.0
"""The time of the last use is written down so often at most."""


class Tokens:
    """The tokens of a store. Use `Tokens.open`.

    Args:
        secret: what the tokens of executions are derived from.
    """

    def __init__(self, store: Store, secret: str) -> None:
        self._store = store
        self._secret = secret
        self._known: dict[str, Token] = {}
        self._used: dict[str, float] = {}
        self._streams: dict[str, set[trio.CancelScope]] = {}

    @classmethod
    async def open(cls, store: Store, secret: str) -> Tokens:
        """Read them all."""
        opened = cls(store, secret)
        opened._known = dict(await store.read(tokens.fetch_all))
        return opened

    def find(self, text: str) -> Caller | None:
        """Return the caller who holds the token `text`; None if it is none of these.

        Raises:
            Unauthorized: it was one, and holds no longer.
        """
        if text.startswith(AGENT_PREFIX):
            execution = execution_of(self._secret, text)
            if execution is None:
                raise Unauthorized("That is not the token of an execution of this daemon.")
            kind = CallerKind.EXECUTION
            return Caller(kind=kind, execution_id=execution, scopes=AGENT_SCOPES)
        if not text.startswith(PREFIX):
            return None
        token = self._known.get(_hash(text))
        if token is None or token.revoked_at is not None:
            raise Unauthorized("That token is not known here, or was revoked.")
        if token.expires_at is not None and token.expires_at <= now():
            raise Unauthorized(f"The token {token.name!r} has expired.")
        return Caller(
            kind=CallerKind.TOKEN,
            name=token.name,
            token_id=token.id,
            scopes=frozenset(token.scopes),
            projects=None if token.projects is None else frozenset(token.projects),
            expires_at=token.expires_at,
        )

    async def admit(self, caller: Caller) -> None:
        """Note that `caller` has come.

        Raises:
            Unauthorized: its execution is over.
        """
        if caller.execution_id is not None:
            execution = caller.execution_id
            if not await self._store.read(lambda r: reach.is_running(r, execution)):
                raise Unauthorized("The execution of that token is over, and so is the token.")
        token_id, moment = caller.token_id, trio.current_time()
        if token_id is not None and moment - self._used.get(token_id, -USED_S) >= USED_S:
            self._used[token_id] = moment
            await self._store.write(lambda tx: tokens.use(tx, token_id, now()))

    @contextmanager
    def valid(self, caller: Caller) -> Iterator[trio.CancelScope]:
        """Cancel the block when the token of `caller` is revoked or ends."""
        with trio.CancelScope() as scope:
            if caller.token_id is None:
                yield scope
                return
            if caller.expires_at is not None:
                left = seconds(caller.expires_at) - seconds(now())
                scope.deadline = trio.current_time() + left
            scopes = self._streams.setdefault(caller.token_id, set())
            scopes.add(scope)
            try:
                yield scope
            finally:
                scopes.discard(scope)

    async def create(self, new: NewToken, maker: Caller) -> CreatedToken:
        """A new token, which can do no more than its maker.

        Raises:
            BeyondOwnScope: it could.
            Invalid: it could do nothing.
        """
        if not new.scopes:
            raise Invalid("scopes", "must name at least one")
        if not maker.scopes.issuperset(new.scopes):
            raise BeyondOwnScope("scopes")
        projects = new.projects
        if maker.projects is not None and not maker.projects.issuperset(projects or {""}):
            raise BeyondOwnScope("projects")
        expires = None if new.expires_in_s is None else timestamp(seconds(now()) + new.expires_in_s)
        if maker.expires_at is not None and (expires is None or expires > maker.expires_at):
            expires = maker.expires_at
        text = PREFIX + secrets.token_urlsafe(32)
        token = Token(
            id=new_id(),
            name=new.name,
            scopes=sorted(set(new.scopes)),
            projects=projects,
            created_at=now(),
            expires_at=expires,
        )
        hash = _hash(text)
        await self._store.write(lambda tx: tokens.insert(tx, token, hash))
        self._known[hash] = token
        return CreatedToken(record=token, token=text)

    async def list_all(self) -> list[Token]:
        """All of them, the newest first; the revoked ones, too."""
        return [token for _, token in await self._store.read(tokens.fetch_all)]

    async def revoke(self, token_id: str) -> Token:
        """Accept a token no more, and end the streams of its holder. Raises `NotFound`."""
        revoked = await self._store.write(lambda tx: tokens.revoke(tx, token_id, now()))
        for hash, token in self._known.items():
            if token.id == token_id:
                self._known[hash] = revoked
        for scope in self._streams.pop(token_id, set()):
            scope.cancel()
        return revoked


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
