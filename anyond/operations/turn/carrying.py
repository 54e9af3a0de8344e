"""Facts that the runs of an attempt leave for one another: totals of sessions, and notices sent
once.
"""

from __future__ import annotations

import msgspec

from anyond.agents.common.carried import Carried
from anyond.agents.common.notices import NOTICES_MOST
from anyond.logs.conversation import Conversation
from anyond.model.rows import ExecutionProcess
from anyond.operations.turn.turn_record import TurnRecord
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import sessions


def before(reader: Reader, process: ExecutionProcess, session_id: str | None) -> Carried:
    """Return the facts that earlier runs of the attempt have left for `process`.

    Args:
        session_id: the session that it resumes, or None.
    """
    used, notices = None, None
    for of_session, text in sessions.carried_before(reader, process.id):
        left = _decoded(text)
        notices = left.notices if notices is None else notices
        if used is None and session_id is not None and of_session == session_id:
            used = left.used
    return Carried(used=used, notices=notices or ())


def keep(tx: Tx, process: ExecutionProcess, conversation: Conversation) -> None:
    """Write down what a run leaves that is over."""
    turn = sessions.stored_turn(tx, process.id)
    known = TurnRecord.decode(turn).carried.notices if turn is not None else ()
    left = conversation.left
    notices = tuple(dict.fromkeys((*known, *left.notices)))[:NOTICES_MOST]
    left = Carried(used=left.used, notices=notices)
    if left != Carried():
        sessions.keep_carried(tx, process.id, msgspec.json.encode(left).decode())


def _decoded(text: str) -> Carried:
    try:
        return msgspec.json.decode(text, type=Carried)
    except msgspec.MsgspecError:
        return Carried()  # of another version; then something is told once more
