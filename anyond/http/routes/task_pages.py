"""Pages of the tasks of a project, for clients that do not want all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from anyond.api import tasks as api
from anyond.http.dispatch import Page
from anyond.model.refusals.requests import Invalid
from anyond.model.rows import TaskWithAttemptStatus
from anyond.store.board import projects, tasks

if TYPE_CHECKING:
    from anyond.store.engine.transaction import Reader


def page(
    reader: Reader, params: api.TasksOfProject, limit: int
) -> Page[list[TaskWithAttemptStatus]]:
    """The page that `params` ask for, and the address of the next one.

    A cursor holds the place of the last task before it and not its id, so that a page can be asked
    for when that task is gone.

    Raises:
        NotFound: there is no such project.
        Invalid: `limit` is out of bounds, or the cursor is not one of ours.
    """
    if not 1 <= limit <= api.MOST_TASKS:
        raise Invalid("limit", f"must be between 1 and {api.MOST_TASKS}")
    after = _place(params.cursor) if params.cursor else None
    projects.get(reader, params.project_id)
    rows = tasks.page_with_status(reader, params.project_id, limit + 1, after)
    if len(rows) <= limit:
        return Page(rows, None)
    created_at, number = tasks.place(reader, rows[limit - 1].id)
    query = {
        "project_id": params.project_id,
        "limit": limit,
        "cursor": f"{number}_{created_at}",
    }
    return Page(rows[:limit], f"{api.LIST_TASKS.path}?{urlencode(query)}")


def _place(cursor: str) -> tuple[str, int]:
    number, _, created_at = cursor.partition("_")
    if not (number.isascii() and number.isdigit() and len(number) < 19 and created_at):
        raise Invalid("cursor", "is not one that a page before has named")
    return created_at, int(number)
