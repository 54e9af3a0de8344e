"""Examples of the chapter Board."""

from __future__ import annotations

from msgspec.structs import replace

from anyond.api import board
from anyond.api.declaration import samples
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http import frames
from anyond.model.http.board import (
    Archiving,
    AttemptPlace,
    Bulk,
    BulkOutcome,
    Placing,
    PlacingMany,
    Priority,
    Seeing,
    Seen,
)

_SEEN = Seen(task_attempt_id=samples.ATTEMPT_ID, position=43, moved=41, unseen=False)
_ARCHIVED = replace(things.BOARD_TASK, archived_at=things.MOMENT)

EXAMPLES: Examples = {
    board.LIST_BOARD_TASKS: Example(answer=[things.BOARD_TASK]),
    board.GET_BOARD_TASK: Example(answer=things.BOARD_TASK),
    board.PLACE_TASK: Example(
        send=Placing(rank="m", priority=Priority.HIGH, labels=["docs"]), answer=things.BOARD_TASK
    ),
    board.CHANGE_MANY_TASKS: Example(
        send=Bulk(task_ids=[samples.TASK_ID], place=PlacingMany(archived=True)),
        answer=[BulkOutcome(task_id=samples.TASK_ID, task=_ARCHIVED)],
    ),
    board.ARCHIVE_ATTEMPT: Example(
        send=Archiving(archived=True),
        answer=AttemptPlace(task_attempt_id=samples.ATTEMPT_ID, archived_at=things.MOMENT),
    ),
    board.GET_SEEN: Example(answer=_SEEN),
    board.MARK_SEEN: Example(send=Seeing(position=43, unseen=False), answer=_SEEN),
    board.STREAM_BOARD: Example(
        frames=(
            frames.BoardSnapshot(data=[things.BOARD_TASK], seq=41),
            frames.BoardTaskUpdated(data=_ARCHIVED, seq=42),
            frames.TaskDeleted(data=things.TASK, seq=43),
        )
    ),
}
