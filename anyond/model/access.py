"""Callers and scopes: who sends a request, and what kinds of endpoints they may use."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Scope(StrEnum):
    """The kind of an endpoint; a caller needs the scope that the endpoint declares.

    - `read`: look at tasks, conversations, changes.
    - `write`: make tasks, start and stop agents, send messages.
    - `decide`: answer what agents ask.
    - `land`: bring work to its target branch or to others, or throw it away: merge, rebase, push,
      delete.
    - `admin`: change what runs and who may do what: settings, profiles, scripts, tokens.
    """

    READ = "read"
    WRITE = "write"
    DECIDE = "decide"
    LAND = "land"
    ADMIN = "admin"


ALL_SCOPES = frozenset(Scope)
AGENT_SCOPES = frozenset({Scope.READ, Scope.WRITE})
"""What an agent may do by itself; and to write below its own task only."""


class CallerKind(StrEnum):
    """The evidence by which a caller is known."""

    USER = "user"
    """A program outside of all executions, by its socket; or nobody knows whose."""
    TOKEN = "token"
    """Whoever holds a token: that of the daemon, or one that a person has made."""
    EXECUTION = "execution"
    """A process of an agent or a script, by its own token or by its socket."""


class Caller(Struct, frozen=True, kw_only=True):
    """The sender of a request.

    Args:
        kind: how that is known.
        name: the name of the token; "" if there is none.
        token_id: the id of the row of the token; None for the daemon's own token.
        uid: the user of this machine; None if that cannot be known.
        execution_id: the execution that it is, or is a part of.
        scopes: what it may do.
        projects: the only ones that it may reach; None are all.
        expires_at: when its token ends, as in rows; None is never.
        local: whether it came through a Unix socket.
    """

    kind: CallerKind
    name: str = ""
    token_id: str | None = None
    uid: int | None = None
    execution_id: str | None = None
    scopes: frozenset[Scope] = ALL_SCOPES
    projects: frozenset[str] | None = None
    expires_at: str | None = None
    local: bool = False

    @property
    def is_confined(self) -> bool:
        """True if it reaches only a part of what is here."""
        return self.projects is not None or self.kind is CallerKind.EXECUTION
