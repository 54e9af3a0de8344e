"""Telling the daemon what a person has seen on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from anyond.cli.frame.session import Session

if TYPE_CHECKING:
    from anyond.client import BlockingClient


@contextmanager
def looked_at(session: Session, client: BlockingClient, attempt_id: str) -> Iterator[None]:
    """Mark as seen, after the block, what had happened in an attempt before it."""
    from anyond.api import board
    from anyond.api.declaration.params import OfAttempt
    from anyond.client import Refused
    from anyond.model.http.board import Seeing

    params = OfAttempt(task_attempt_id=attempt_id)
    state = client.call(board.GET_SEEN, params) if session.is_terminal else None
    yield
    if state is not None and state.unseen:
        # A token that may only read, or the attempt is gone: what was asked for was shown.
        with suppress(Refused):
            client.call(board.MARK_SEEN, params, Seeing(position=state.moved))


def mark_seen(session: Session, client: BlockingClient, attempt_id: str) -> None:
    """All that has happened in an attempt until now is seen, if a person followed it."""
    from anyond.api import board
    from anyond.api.declaration.params import OfAttempt
    from anyond.client import Refused, Unanswered
    from anyond.model.http.board import Seeing

    if session.is_terminal:
        # Whoever leaves because the daemon has gone must not be told of it twice.
        with suppress(Refused, Unanswered):
            client.call(board.MARK_SEEN, OfAttempt(task_attempt_id=attempt_id), Seeing())
