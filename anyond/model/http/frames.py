"""The contents of streams, before a frame is written on a wire."""

from __future__ import annotations

from msgspec import Struct

from anyond.model.rows import Diff


class EntryFrame(Struct, frozen=True):
    """The entry `index` of a conversation is now `entry` (its encoded JSON)."""

    seq: int
    index: int
    entry: bytes


class DiffFrame(Struct, frozen=True):
    """One file differs: `diff`. If `diff` is None, `path` differs no longer.

    `ready` marks the frame after which a client is up to date, `resync` the one after which it
    is told everything anew and must forget what it knew; neither has a `path` or a `diff`.
    """

    seq: int
    path: str | None = None
    diff: Diff | None = None
    ready: bool = False
    resync: bool = False
